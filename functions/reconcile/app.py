"""A schedule → what no event told is found, and goes the way the event would have gone."""

from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.act.follow_up import enqueue
from tunegate.handler import clients, count, guarded, logger, setting
from tunegate.observe.policies import current_policy
from tunegate.reconcile import Intake, Known, rescue_uploads, unsettled_subjects


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: a schedule's, not read. Returns how many subjects and uploads were found."""
    now = datetime.now(UTC)
    known = Known(clients("dynamodb"), setting("LEDGER_TABLE"))
    subjects = 0
    for arn in unsettled_subjects(clients("bedrock"), known, now):
        enqueue(clients("sqs"), setting("JOBS_QUEUE_URL"), arn)
        subjects += 1
    policy = current_policy(clients("s3"), setting("POLICY_BUCKET"))
    quiet = timedelta(minutes=int(setting("QUIET_MINUTES")))
    intake = Intake(
        clients("s3"), clients("stepfunctions"), setting("INTAKE_BUCKET"), setting("SCAN_STATE_MACHINE_ARN"), quiet
    )
    uploads = rescue_uploads(intake, known, policy.models, now)
    count("Reconciled")
    count("SubjectsFound", subjects)
    count("UploadsFound", uploads)
    logger.info("Reconciled", subjects=subjects, uploads=uploads)
    return {"subjects": subjects, "uploads": uploads}
