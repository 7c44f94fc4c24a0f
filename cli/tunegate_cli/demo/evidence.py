"""What a run left behind, read back from the services themselves: states, histories, findings and alerts."""

import json
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunegate_cli.report import FileStory, Place, ReceivedAlert, Step
from tunegate_cli.samples import Sample
from tunegate_cli.stack import Stack
from tunegate_cli.status import evidence_of
from tunegate_cli.versions import SCANNING, VersionState, iso

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.type_defs import HistoryEventTypeDef

STEPS = {
    "Inspect": ("It is inspected: what it is, and how it is encrypted", "inspect"),
    "Scan": ("Its text is scanned", "scan"),
    "Judge": ("What was seen is judged", "judge"),
    "Settle": ("The verdict is carried out", "settle"),
    "Hold": ("It stays in intake, unreadable to Bedrock", "settle"),
}
"""The states of the scan's state machine that a reader of the report hears of."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A sample that was put, at a time (ISO 8601): the version it became, or S3's reason to refuse it."""

    sample: Sample
    at: str
    version_id: str | None
    refusal: str = ""

    @property
    def name(self) -> tuple[str, str]:
        return self.sample.path, self.version_id or ""


@dataclass(frozen=True, slots=True)
class Run:
    """Everything the checks look at. Uploads and files are in the same order."""

    stack: Stack
    uploads: Sequence[Uploaded]
    files: Sequence[FileStory]
    alerts: Sequence[ReceivedAlert]


def stories(
    stack: Stack,
    uploads: Sequence[Uploaded],
    states: Mapping[tuple[str, str], VersionState],
    alerts: Sequence[ReceivedAlert],
) -> list[FileStory]:
    return [_story(stack, upload, states.get(upload.name), alerts) for upload in uploads]


def received_alerts(oncall_url: str) -> list[ReceivedAlert]:
    """What the on-call endpoint received from SNS, oldest first."""
    with urllib.request.urlopen(f"{oncall_url}/alerts", timeout=10) as answer:  # noqa: S310  (a loopback address of ours)
        return [_received(envelope) for envelope in json.load(answer)]


def history(stack: Stack, execution: str) -> "list[HistoryEventTypeDef]":
    """Every event of an execution, inputs and outputs included."""
    pages = stack.stepfunctions.get_paginator("get_execution_history").paginate(
        executionArn=execution, includeExecutionData=True
    )
    return [event for page in pages for event in page["events"]]


def executions_of(stack: Stack, scan_id: str) -> list[str]:
    """The execution of a scan, and those of its shards, which keep histories of their own."""
    scan = execution_arn(stack, scan_id)
    client = stack.stepfunctions
    runs = [
        r["mapRunArn"] for p in client.get_paginator("list_map_runs").paginate(executionArn=scan) for r in p["mapRuns"]
    ]
    pages = (page for run in runs for page in client.get_paginator("list_executions").paginate(mapRunArn=run))
    return [scan, *(execution["executionArn"] for page in pages for execution in page["executions"])]


def execution_arn(stack: Stack, scan_id: str) -> str:
    return f"{stack.output('ScanStateMachineArn').replace(':stateMachine:', ':execution:', 1)}:{scan_id}"


def _story(stack: Stack, upload: Uploaded, state: VersionState | None, alerts: Sequence[ReceivedAlert]) -> FileStory:
    sample = upload.sample
    row = state.row if state else None
    place = row.destination or row.decision.subject if row else None
    return FileStory(
        key=sample.path,
        what=sample.what,
        size=len(sample.content),
        expected=sample.expected.value,
        state="refused" if upload.version_id is None else state.state if state else SCANNING,
        reason=f"S3 answered {upload.refusal}" if upload.refusal else state.reason if state else "",
        version_id=upload.version_id or "",
        place=Place(place.bucket, place.version_id) if place else Place(),
        steps=tuple(_steps(stack, upload, state, alerts)),
        findings=evidence_of(stack, row) if row else (),
        policy_digest=row.decision.policy_digest if row else "",
        scan_id=row.scan_id if row else "",
    )


def _steps(stack: Stack, upload: Uploaded, state: VersionState | None, alerts: Sequence[ReceivedAlert]) -> list[Step]:
    if upload.version_id is None:
        return [Step("S3 refused the upload: the bucket's policy allows no encryption but the gate's key", upload.at)]
    steps = [Step("Put into intake by the uploader's role", upload.at, "waiting")]
    row = state.row if state else None
    if row is None:
        return steps
    for event in history(stack, execution_arn(stack, row.scan_id)):
        name = event.get("stateEnteredEventDetails", {}).get("name", "")
        if name in STEPS:
            steps.append(Step(STEPS[name][0], iso(event["timestamp"]), STEPS[name][1]))
    told = [alert for alert in alerts if (alert.key, alert.version_id) == upload.name]
    steps.append(Step(f"Settled: {row.decision.verdict}", row.at, "alert" if told else ""))
    # SNS may stamp whole seconds, which would put an alert before the decision that caused it.
    steps.extend(Step("On call was told", max(alert.at, row.at)) for alert in told)
    return sorted(steps, key=lambda step: step.at)


def _received(envelope: dict[str, Any]) -> ReceivedAlert:
    message = json.loads(envelope["Message"])
    subject = message.get("object") or {"key": message["subject"]["arn"], "version_id": ""}
    return ReceivedAlert(
        key=subject["key"],
        version_id=subject["version_id"],
        severity=message["severity"],
        category=message["category"],
        verdict=message["verdict"],
        subject=envelope.get("Subject", message["title"]),
        text=message["text"],
        at=envelope["Timestamp"],
        envelope=envelope,
        control=message.get("control", ""),
    )
