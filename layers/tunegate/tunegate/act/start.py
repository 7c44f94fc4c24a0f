"""Starting the scan of an upload, at most once."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tunegate.errors import aws_call, error_code
from tunegate.model import ObjectVersion
from tunegate.steps import ObjectRef, ScanRequest, scan_name

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


def start_scan(stepfunctions: "SFNClient", machine: str, version: ObjectVersion, order: str, attempt: int = 0) -> bool:
    """Start an execution named after the version (and the attempt, for a rescan). False where it was started before.

    A name stays taken for 90 days after its execution (Step Functions, StartExecution); S3's events do not come later.
    """
    scan_id = scan_name(version, attempt)
    request = ScanRequest(object=ObjectRef.of(version), order=order, scan_id=scan_id)
    with aws_call("Starting the scan"):
        try:
            stepfunctions.start_execution(stateMachineArn=machine, name=scan_id, input=request.model_dump_json())
        except ClientError as error:
            if error_code(error) == "ExecutionAlreadyExists":
                return False
            raise
    return True
