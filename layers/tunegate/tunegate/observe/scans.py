"""Uploads that wait in intake, and how far their scans are."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import ValidationError

from tunegate.errors import aws_call, error_code
from tunegate.model import ObjectVersion
from tunegate.observe.events import MALWARE_PLAN_PROBE
from tunegate.steps import ModelScanRequest, scan_name

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient


MOST_ATTEMPTS = 5


class ScanState(StrEnum):
    """Of one attempt to scan a version."""

    NONE = "none"
    RUNNING = "running"
    ENDED = "ended"


def waiting_versions(s3: "S3Client", bucket: str) -> Iterator[tuple[ObjectVersion, datetime]]:
    """Every version in intake and when it was put there: the gate removes those it settles."""
    with aws_call("Listing what waits in intake"):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for entry in page.get("Versions", []):
                if entry["Key"] != MALWARE_PLAN_PROBE:
                    yield ObjectVersion(bucket, entry["Key"], entry["VersionId"]), entry["LastModified"]


def scan_state(stepfunctions: "SFNClient", machine: str, version: ObjectVersion, attempt: int) -> ScanState:
    """How far an attempt is, by the execution that has its name."""
    with aws_call("Reading a scan's state"):
        try:
            status = stepfunctions.describe_execution(executionArn=_execution(machine, version, attempt))["status"]
        except ClientError as error:
            if error_code(error) == "ExecutionDoesNotExist":
                return ScanState.NONE
            raise
    return ScanState.RUNNING if status in {"RUNNING", "PENDING_REDRIVE"} else ScanState.ENDED


def told_of(stepfunctions: "SFNClient", machine: str, version: ObjectVersion) -> datetime | None:
    """When S3's event of a version arrived, by the execution it started; None where the event was lost."""
    with aws_call("Reading a scan's state"):
        try:
            return stepfunctions.describe_execution(executionArn=_execution(machine, version))["startDate"]
        except ClientError as error:
            if error_code(error) == "ExecutionDoesNotExist":
                return None
            raise


def next_attempt(stepfunctions: "SFNClient", machine: str, version: ObjectVersion) -> int | None:
    """The attempt to make: None while one runs, and once too many have ended without a verdict."""
    for attempt in range(MOST_ATTEMPTS):
        state = scan_state(stepfunctions, machine, version, attempt)
        if state is ScanState.NONE:
            return attempt
        if state is ScanState.RUNNING:
            return None
    return None


def _execution(machine: str, version: ObjectVersion, attempt: int = 0) -> str:
    return f"{machine.replace(':stateMachine:', ':execution:')}:{scan_name(version, attempt)}"


@dataclass(frozen=True, slots=True)
class RunningModelScans:
    """The model scans that run, by what each is to settle. An execution's input never changes, so it is read once."""

    stepfunctions: "SFNClient"
    machine: str
    _inputs: dict[str, frozenset[ObjectVersion]] = field(default_factory=dict)

    def versions(self) -> frozenset[ObjectVersion]:
        """Every version that a scan running now is to settle."""
        with aws_call("Listing the model scans that run"):
            pages = self.stepfunctions.get_paginator("list_executions").paginate(
                stateMachineArn=self.machine, statusFilter="RUNNING"
            )
            running = [entry["executionArn"] for page in pages for entry in page["executions"]]
        return frozenset[ObjectVersion]().union(*map(self._of, running))

    def _of(self, execution: str) -> frozenset[ObjectVersion]:
        if execution not in self._inputs:
            with aws_call("Reading a scan's input"):
                given = self.stepfunctions.describe_execution(executionArn=execution).get("input", "")
            self._inputs[execution] = to_settle(given)
        return self._inputs[execution]


def to_settle(given: str) -> frozenset[ObjectVersion]:
    """None of what somebody started with another input: such a scan settles nothing."""
    try:
        request = ModelScanRequest.model_validate_json(given)
    except ValidationError:
        return frozenset()
    return frozenset(file.object.version() for file in (*request.files, *request.replaced))
