"""A schedule → one Macie job over the uploads whose scans wait for it, and the scans whose answer is there go on.

Under the policy `monitor`, one over what was approved since the last, whose results go to revoke_object.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.act.classify import Detecting
from tunegate.act.waiting import Waiting
from tunegate.classification import Classifier, classify
from tunegate.errors import aws_call
from tunegate.handler import clients, count, guarded, logger, setting
from tunegate.monitoring import Monitor, look_after, looked_through
from tunegate.observe.macie import Repository
from tunegate.observe.policies import current_policy
from tunegate.policy import MacieService


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
    by = Detecting(_ids(setting("CUSTOM_IDENTIFIER_ID")), _ids(setting("ALLOW_LIST_ID")))
    waiting = Waiting(dynamodb, table, clients("stepfunctions"))
    now = datetime.now(UTC)
    done = classify(Classifier(clients("macie2"), clients("s3"), dynamodb, table, waiting, repository, by), now)
    count("MacieAnswers", done.answered)
    logger.info("Macie asked", job=done.job_id, uploads=done.uploads, answered=done.answered)
    services = current_policy(clients("s3"), setting("POLICY_BUCKET")).services
    if services.macie is MacieService.MONITOR and not done.job_id:
        # Macie takes one new job in ten seconds: uploads that wait come first.
        every = timedelta(seconds=services.macie_monitor_seconds)
        _look_after(Monitor(clients("macie2"), dynamodb, table, setting("APPROVED_BUCKET"), repository, every, by), now)
    return {"job": done.job_id, "uploads": done.uploads, "answered": done.answered}


def _ids(value: str) -> tuple[str, ...]:
    """`none` stands for an id that was left out: an empty variable would look like a forgotten one."""
    return () if value == "none" else (value,)


def _look_after(monitor: Monitor, now: datetime) -> None:
    job_id = look_after(monitor, now)
    if job_id:
        with aws_call("Handing Macie's results on"):
            clients("lambda").invoke(
                FunctionName=setting("REVOKE_FUNCTION_NAME"),
                InvocationType="Event",
                Payload=json.dumps({"macie_job": job_id}).encode(),
            )
        looked_through(monitor)
