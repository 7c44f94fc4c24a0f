"""Uploads that wait in intake, and how far their scans are."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tunegate.errors import aws_call, error_code
from tunegate.model import ObjectVersion
from tunegate.observe.events import MALWARE_PLAN_PROBE
from tunegate.steps import scan_name

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
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{scan_name(version, attempt)}"
    with aws_call("Reading a scan's state"):
        try:
            status = stepfunctions.describe_execution(executionArn=execution)["status"]
        except ClientError as error:
            if error_code(error) == "ExecutionDoesNotExist":
                return ScanState.NONE
            raise
    return ScanState.RUNNING if status in {"RUNNING", "PENDING_REDRIVE"} else ScanState.ENDED


def next_attempt(stepfunctions: "SFNClient", machine: str, version: ObjectVersion) -> int | None:
    """The attempt to make: None while one runs, and once too many have ended without a verdict."""
    for attempt in range(MOST_ATTEMPTS):
        state = scan_state(stepfunctions, machine, version, attempt)
        if state is ScanState.NONE:
            return attempt
        if state is ScanState.RUNNING:
            return None
    return None
