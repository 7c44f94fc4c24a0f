"""A schedule → one Macie job over the uploads whose scans wait for it, and the scans whose answer is there go on."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.act.waiting import Waiting
from tunegate.classification import Classifier, classify
from tunegate.handler import clients, count, guarded, logger, setting
from tunegate.observe.macie import Repository


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: not read. Returns the job that was started, and how many scans went on."""
    dynamodb, table = clients("dynamodb"), setting("LEDGER_TABLE")
    repository = Repository(
        setting("EVIDENCE_BUCKET"),
        setting("RESULTS_PREFIX"),
        setting("DATA_KEY_ARN"),
        setting("ACCOUNT_ID"),
        clients("s3").meta.region_name,
    )
    waiting = Waiting(dynamodb, table, clients("stepfunctions"))
    done = classify(
        Classifier(clients("macie2"), clients("s3"), dynamodb, table, waiting, repository), datetime.now(UTC)
    )
    count("MacieAnswers", done.answered)
    logger.info("Macie asked", job=done.job_id, uploads=done.uploads, answered=done.answered)
    return {"job": done.job_id, "uploads": done.uploads, "answered": done.answered}
