"""The search for planted values: none may be anywhere but in the files themselves."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunegate_cli.demo.evidence import Run, executions_of, history
from tunegate_cli.report import Check, Report, render

LOG_GROUPS = "/aws/lambda/"
SEARCHED = ("the log of", "the ledger", "the evidence", "the history", "the alerts", "the report", "the results")


def check_leaks(run: Run, report: Report, state_dir: Path) -> Check:
    """Search everything a run wrote, apart from the data itself. A problem names the file, never the value."""
    what = "No planted value is in logs, ledger, evidence, alerts, execution history or this report."
    return Check("No leaks", what, tuple(_leaks(run, list(written(run, report, state_dir)))))


def _leaks(run: Run, texts: list[tuple[str, str]]) -> Iterator[str]:
    for upload in run.uploads:
        for where, text in texts:
            if any(holds(text, value) for value in upload.sample.planted):
                yield f"A value planted in {upload.sample.path} stands in {where}"
    for kind in SEARCHED:
        # A search that was given nothing to search would find nothing, and prove nothing.
        if not any(text for where, text in texts if where.startswith(kind)):
            yield f"There was nothing to search in {kind}"


def holds(text: str, value: str) -> bool:
    """Whether a value is in a text, also in JSON's spelling or without the spaces and dashes it was written with."""
    spelled = json.dumps(value)[1:-1]
    bare = value.replace(" ", "").replace("-", "")
    return any(form in text for form in {value, spelled, bare, json.dumps(spelled)[1:-1]})


def written(run: Run, report: Report, state_dir: Path) -> Iterator[tuple[str, str]]:
    """(where, text) of everything a run wrote."""
    yield from _logs(run)
    for log in sorted(state_dir.glob("*.log")):
        yield f"the log {log.name}", log.read_text(encoding="utf-8", errors="replace")
    yield from _ledger(run)
    yield from _evidence(run)
    yield from _executions(run)
    yield "the alerts", json.dumps([alert.envelope for alert in run.alerts], ensure_ascii=False)
    yield "the report", render(report)
    yield "the results", json.dumps(report.to_json(), ensure_ascii=False)


def _logs(run: Run) -> Iterator[tuple[str, str]]:
    logs = run.stack.session.client("logs")
    for groups in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=LOG_GROUPS):
        for group in groups["logGroups"]:
            name = group["logGroupName"]
            events = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
            messages = (event["message"] for page in events for event in page["events"])
            yield f"the log of {name.removeprefix(LOG_GROUPS)}", "\n".join(messages)


def _ledger(run: Run) -> Iterator[tuple[str, str]]:
    for page in run.stack.dynamodb.get_paginator("scan").paginate(TableName=run.stack.ledger):
        yield "the ledger", _dump(page["Items"])


def _evidence(run: Run) -> Iterator[tuple[str, str]]:
    s3, bucket = run.stack.s3, run.stack.evidence
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            yield f"the evidence {entry['Key']}", s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().decode()


def _executions(run: Run) -> Iterator[tuple[str, str]]:
    for file in run.files:
        for execution in executions_of(run.stack, file.scan_id) if file.scan_id else ():
            yield f"the history of the scan of {file.key}", _dump(history(run.stack, execution))
            described = run.stack.stepfunctions.describe_execution(executionArn=execution)
            yield f"the history's input and output of the scan of {file.key}", _dump(described)


def _dump(document: Any) -> str:
    return json.dumps(document, default=str, ensure_ascii=False)
