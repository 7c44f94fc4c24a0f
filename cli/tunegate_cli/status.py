"""`tunegate status`, `findings`, `alerts`: what was decided, why, and who was told."""

import json
import sys
import time
from itertools import islice
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError
from rich.live import Live

from tunegate.errors import error_code
from tunegate.model import Finding
from tunegate.observe.ledger import decisions_of, recent
from tunegate.rows import DecisionRow, Entity, finding_from_json, finding_to_json
from tunegate_cli.console import output, print_json, print_table, say
from tunegate_cli.errors import CommandError
from tunegate_cli.stack import DEFAULT_NAME, Stack, StackName, find_stack
from tunegate_cli.tables import alerts_table, cell, findings_table, status_table
from tunegate_cli.versions import VersionState, states

MOST_ROWS = 100
"""Rows a table shows; `--json` gives all of them."""
WATCH_SECONDS = 2.0

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document for programs, instead of a table.")]
Version = Annotated[str | None, typer.Option("--version-id", help="The uploaded version meant, if not the newest.")]


def status(
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="The key of one file; all files without it.")] = None,
    as_json: AsJson = False,
    watch: Annotated[bool, typer.Option("--watch", help="Keep looking until interrupted.")] = False,
    stack: StackName = DEFAULT_NAME,
) -> None:
    """Show where each uploaded version stands: scanning, clean, flagged, held or released.

    Example:

        tunegate status support-bot/train.jsonl
    """
    found = find_stack(stack)
    if watch:
        _watch(found, key, as_json)
    limit = None if as_json or key else MOST_ROWS
    current = states(found, key, limit)
    if as_json:
        print_json({"objects": [state.to_json() for state in current]})
        return
    print_table(
        status_table(current), f"Nothing was uploaded {'under that key' if key else 'yet'}: tunegate upload FILE"
    )
    if limit and len(current) >= limit:
        say(f"The newest {limit} are shown; --json gives all of them.")


def findings(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key of the file.")],
    version_id: Version = None,
    as_json: AsJson = False,
    stack: StackName = DEFAULT_NAME,
) -> None:
    """Show everything that was found in a file, and where: never the text itself.

    Example:

        tunegate findings support-bot/train.jsonl
    """
    found = find_stack(stack)
    row = _decision(found, key, version_id)
    listed = evidence_of(found, row)
    if as_json:
        print_json(_findings_json(row, listed))
        return
    decision = row.decision
    print_table(findings_table(listed), "Nothing was found.")
    output().print(cell(decision.verdict), cell(f"{decision.subject}"), cell(decision.reason), soft_wrap=True)


def alerts(as_json: AsJson = False, stack: StackName = DEFAULT_NAME) -> None:
    """Show the alerts that were sent, newest first.

    Example:

        tunegate alerts --json
    """
    found = find_stack(stack)
    rows = recent(found.dynamodb, found.ledger, Entity.ALERT)
    if as_json:
        print_json({"alerts": [_alert_json(row) for row in rows]})
        return
    print_table(alerts_table(islice(rows, MOST_ROWS)), "No alert was sent.")


def evidence_of(stack: Stack, row: DecisionRow) -> tuple[Finding, ...]:
    """All findings of a decision; the ledger's own, which are the first hundred, where the evidence cannot be read."""
    if not row.evidence:
        return row.decision.findings
    try:
        body = stack.s3.get_object(Bucket=stack.evidence, Key=row.evidence)["Body"].read()
    except ClientError as error:
        code = error_code(error)
        say(f"The full findings cannot be read ({code}); these are the ones in the ledger.")
        return row.decision.findings
    return tuple(finding_from_json(finding) for finding in json.loads(body)["findings"])


def _decision(stack: Stack, key: str, version_id: str | None) -> DecisionRow:
    rows = decisions_of(stack.dynamodb, stack.ledger, key)
    for row in rows:
        if version_id in (None, row.decision.subject.version_id):
            return row
    of_version = f" for version {version_id}" if version_id else ""
    raise CommandError(f"No decision on {key}{of_version} yet: `tunegate status` lists what there is.")


def _findings_json(row: DecisionRow, listed: tuple[Finding, ...]) -> dict[str, Any]:
    decision = row.decision
    return {
        "key": decision.subject.key,
        "version_id": decision.subject.version_id,
        "verdict": decision.verdict.value,
        "reason": decision.reason,
        "policy_digest": decision.policy_digest,
        "totals": dict(decision.totals),
        "findings": [finding_to_json(finding) for finding in listed],
    }


def _alert_json(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {"pk", "sk", "entity"}}


def _watch(stack: Stack, key: str | None, as_json: bool) -> None:
    """Look again and again, until interrupted: a live table on a terminal, else a line for each change."""
    if as_json or not sys.stdout.isatty():
        _watch_lines(stack, key, as_json)
    with Live(console=output(), auto_refresh=False) as live:
        while True:
            live.update(status_table(states(stack, key, MOST_ROWS)), refresh=True)
            time.sleep(WATCH_SECONDS)


def _watch_lines(stack: Stack, key: str | None, as_json: bool) -> None:
    known: dict[tuple[str, str], str] = {}
    while True:
        for state in reversed(states(stack, key, MOST_ROWS)):
            name = (state.key, state.version_id)
            if known.get(name) != state.state:
                known[name] = state.state
                _print_change(state, as_json)
        sys.stdout.flush()
        time.sleep(WATCH_SECONDS)


def _print_change(state: VersionState, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(state.to_json()) + "\n")
    else:
        output().print(cell(f"{state.at} {state.state} {state.key} {state.version_id} {state.reason}"), soft_wrap=True)
