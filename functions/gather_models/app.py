"""A schedule, or an uploaded manifest → the scan of each model upload that is complete."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.handler import clients, count, guarded, logger, setting
from tunegate.model_gathering import Gathering, gather
from tunegate.observe.policies import current_policy


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: not read, for S3 holds what there is to know. Returns how many scans were started."""
    gathering = Gathering(
        clients("s3"),
        clients("stepfunctions"),
        clients("dynamodb"),
        setting("LEDGER_TABLE"),
        setting("INTAKE_BUCKET"),
        setting("MODEL_SCAN_STATE_MACHINE_ARN"),
        setting("SCAN_STATE_MACHINE_ARN"),
        current_policy(clients("s3"), setting("POLICY_BUCKET")),
    )
    started = 0
    for upload in gather(gathering, datetime.now(UTC)):
        started += 1
        logger.info("Model scan started", upload=upload.key, scan_id=upload.digest)
    count("ModelScansStarted", started)
    return {"started": started}
