"""Last step of a model upload's scan: the ledger gets the row that stands for all its files, and on-call one alert."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.act.ledger import Ledger
from tunegate.act.settle import Scanned, record
from tunegate.handler import about, clients, count, guarded, logger, setting
from tunegate.judge.uploads import upload_decision
from tunegate.model import ObjectVersion, Verdict
from tunegate.rows import Action
from tunegate.steps import RecordTask


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: a `RecordTask`. Returns the verdict that was written down."""
    task = RecordTask.model_validate(event)
    about(task.object.version())
    decision = upload_decision(task)
    evidence = task.judgement.evidence if task.judgement else ""
    ledger = Ledger(clients("dynamodb"), setting("LEDGER_TABLE"))
    buckets = {Verdict.CLEAN: setting("APPROVED_BUCKET"), Verdict.FLAGGED: setting("QUARANTINE_BUCKET")}
    bucket = buckets.get(decision.verdict)
    # The row is about a prefix: where its files went has no version of its own.
    went = ObjectVersion(bucket, decision.subject.key, "") if bucket else None
    record(ledger, Scanned(decision, task.order, task.scan_id, evidence, whole=True), Action.SCAN, went)
    count("ModelUploads")
    logger.info("Recorded", verdict=decision.verdict, reason=decision.reason)
    return {"verdict": decision.verdict}
