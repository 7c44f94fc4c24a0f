"""Starting the scan of an upload, at most once."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tunegate.errors import aws_call, error_code
from tunegate.model import ObjectVersion
from tunegate.steps import ModelScanRequest, ObjectRef, ScanRequest, scan_name

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


def start_scan(stepfunctions: "SFNClient", machine: str, version: ObjectVersion, order: str, attempt: int = 0) -> bool:
    """Start an execution named after the version (and the attempt, for a rescan). False where it was started before.

    A name stays taken for 90 days after its execution (Step Functions, StartExecution); S3's events do not come later.
    """
    scan_id = scan_name(version, attempt)
    return _start(stepfunctions, machine, ScanRequest(object=ObjectRef.of(version), order=order, scan_id=scan_id))


def start_model_scan(stepfunctions: "SFNClient", machine: str, request: ModelScanRequest) -> bool:
    """The same for a model upload, by the version that stands for all its files."""
    return _start(stepfunctions, machine, request)


def _start(stepfunctions: "SFNClient", machine: str, request: ScanRequest) -> bool:
    with aws_call("Starting the scan"):
        try:
            stepfunctions.start_execution(
                stateMachineArn=machine, name=request.scan_id, input=request.model_dump_json()
            )
        except ClientError as error:
            if error_code(error) == "ExecutionAlreadyExists":
                return False
            raise
    return True
