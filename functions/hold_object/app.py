"""Last step of a scan that could not tell: the upload stays unreadable in intake, and the ledger says why."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.act.ledger import Ledger
from tunegate.act.promote import is_there
from tunegate.act.settle import Scanned, finish_settling, hold_scan, settled_by_another
from tunegate.handler import about, clients, count, guarded, logger, setting
from tunegate.judge.reasons import reason_of
from tunegate.judge.verdict import held
from tunegate.model import GONE, Decision, Verdict
from tunegate.steps import HoldTask


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: a `HoldTask`. Returns the reason, empty where the upload was settled all the same."""
    task = HoldTask.model_validate(event)
    about(task.object.version())
    ledger = Ledger(clients("dynamodb"), setting("LEDGER_TABLE"))
    buckets = {Verdict.CLEAN: setting("APPROVED_BUCKET"), Verdict.FLAGGED: setting("QUARANTINE_BUCKET")}
    if _was_settled(ledger, task, buckets):
        return {"reason": ""}
    decision = _decision(task)
    if not is_there(clients("s3"), decision.subject):
        decision = replace(decision, reason=GONE)
    hold_scan(clients("s3"), ledger, _scanned(task, decision), buckets.values())
    count("Verdicts")
    count("Held")
    logger.warning("Held", reason=decision.reason)
    return {"reason": decision.reason}


def _was_settled(ledger: Ledger, task: HoldTask, buckets: Mapping[Verdict, str]) -> bool:
    judgement, subject = task.judgement, task.object.version()
    if judgement is None or judgement.verdict is Verdict.HELD:
        return settled_by_another(clients("s3"), subject, buckets)
    scanned = _scanned(task, judgement.decision(subject))
    settled = finish_settling(clients("s3"), ledger, scanned, buckets)
    if settled is None:
        return False
    count("Verdicts")
    count("Clean" if judgement.verdict is Verdict.CLEAN else "Flagged")
    logger.warning("Settled, though a step failed", verdict=judgement.verdict, bucket=settled.bucket)
    return True


def _scanned(task: HoldTask, decision: Decision) -> Scanned:
    evidence = task.judgement.evidence if task.judgement else ""
    return Scanned(decision, task.order, task.scan_id, evidence, task.upload)


def _decision(task: HoldTask) -> Decision:
    if task.error is not None:
        return held(task.object.version(), reason_of(task.error.Error, task.error.Cause))
    if task.judgement is not None:
        return held(task.object.version(), task.judgement.reason, task.judgement.policy_digest)
    return held(task.object.version(), "the scan ended without a verdict")
