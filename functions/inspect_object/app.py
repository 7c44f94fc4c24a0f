"""First step of a scan: the upload's facts, what it holds, and the shards to scan."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.handler import about, clients, guarded, logger, setting
from tunegate.observe.inspect import inspect_object
from tunegate.steps import ScanRequest


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: a `ScanRequest`. Returns an `Inspection`."""
    request = ScanRequest.model_validate(event)
    about(request.object.version())
    inspection = inspect_object(clients("s3"), request.object.version(), setting("POLICY_BUCKET"))
    logger.info("Inspected", content=inspection.file.content, size=inspection.file.size, shards=len(inspection.shards))
    return inspection.model_dump(mode="json")
