"""Last step of a scan that could not tell: the upload stays unreadable in intake, and the ledger says why."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.act.settle import Ledger, Scanned, hold_scan
from tunegate.handler import about, clients, count, guarded, logger, setting
from tunegate.judge.reasons import reason_of
from tunegate.judge.verdict import held
from tunegate.model import Decision
from tunegate.steps import HoldTask


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: a `HoldTask`. Returns the reason."""
    task = HoldTask.model_validate(event)
    about(task.object.version())
    decision = _decision(task)
    evidence = task.judgement.evidence if task.judgement else ""
    scanned = Scanned(decision, task.order, task.scan_id, evidence, task.upload)
    ledger = Ledger(clients("dynamodb"), setting("LEDGER_TABLE"))
    hold_scan(clients("s3"), ledger, scanned, setting("APPROVED_BUCKET"))
    count("Verdicts")
    count("Held")
    logger.warning("Held", reason=decision.reason)
    return {"reason": decision.reason}


def _decision(task: HoldTask) -> Decision:
    if task.error is not None:
        return held(task.object.version(), reason_of(task.error.Error, task.error.Cause))
    if task.judgement is not None:
        return held(task.object.version(), task.judgement.reason, task.judgement.policy_digest)
    return held(task.object.version(), "the scan ended without a verdict")
