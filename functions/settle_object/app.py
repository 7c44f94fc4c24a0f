"""Last step of a scan that could tell: the upload goes to approved or quarantine, and the ledger gets its row."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.act.ledger import Ledger
from tunegate.act.promote import Destination
from tunegate.act.settle import Scanned, settle_scan
from tunegate.handler import about, clients, count, guarded, logger, setting
from tunegate.model import Verdict
from tunegate.steps import SettleTask


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: a `SettleTask`. Returns where the upload now is."""
    task = SettleTask.model_validate(event)
    subject = task.object.version()
    about(subject)
    destinations = {
        Verdict.CLEAN: Destination(setting("APPROVED_BUCKET"), setting("DATA_KEY_ARN"), ranked=True),
        Verdict.FLAGGED: Destination(setting("QUARANTINE_BUCKET"), setting("QUARANTINE_KEY_ARN"), ranked=False),
    }
    scanned = Scanned(task.judgement.decision(subject), task.order, task.scan_id, task.judgement.evidence, task.upload)
    ledger = Ledger(clients("dynamodb"), setting("LEDGER_TABLE"))
    settled = settle_scan(clients("s3"), ledger, scanned, destinations)
    count("Verdicts")
    count("Clean" if task.judgement.verdict is Verdict.CLEAN else "Flagged")
    logger.info("Settled", verdict=task.judgement.verdict, bucket=settled.bucket)
    return {"bucket": settled.bucket, "version_id": settled.version_id}
