"""`tunegate quarantine list` and `tunegate release`: what was kept back, and bringing it back after review."""

import json
from typing import Annotated, Any

import typer

from tunegate.model import Verdict
from tunegate_cli.console import output, print_json, print_table
from tunegate_cli.errors import CommandError
from tunegate_cli.stack import DEFAULT_NAME, Stack, StackName, find_stack
from tunegate_cli.status import AsJson, Version
from tunegate_cli.tables import cell, status_table
from tunegate_cli.versions import VersionState, newest_of_each, recent_decisions, state_of, versions_in

app = typer.Typer(help="What was flagged and kept back from training.", rich_markup_mode="rich")


@app.callback()
def _group() -> None:
    """Keeps `list` a command of its own: Typer would fold a single one into the group."""


@app.command("list")
def list_(as_json: AsJson = False, stack: StackName = DEFAULT_NAME) -> None:
    """Show the flagged files in quarantine that nobody has released.

    Example:

        tunegate quarantine list
    """
    kept = quarantined(find_stack(stack))
    if as_json:
        print_json({"objects": [state.to_json() for state in kept]})
        return
    print_table(status_table(kept), "Quarantine holds nothing that waits for a review.")


def release(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key of the file in quarantine.")],
    reason: Annotated[
        str, typer.Option(help="Why it may be used after all. It stays on the record, with who you are.")
    ],
    version_id: Version = None,
    as_json: AsJson = False,
    stack: StackName = DEFAULT_NAME,
) -> None:
    """Send a quarantined file to approved after review.

    Example:

        tunegate release support-bot/train.jsonl --reason "The card numbers are the bank's published test numbers"
    """
    if not reason.strip():
        raise CommandError("--reason is empty: say why the file may be used after all.")
    found = find_stack(stack)
    request = {"key": key, "reason": reason.strip(), "actor": found.sts.get_caller_identity()["Arn"]}
    if version_id:
        request["version_id"] = version_id
    answer = _invoke(found, request)
    if as_json:
        print_json(answer)
        return
    destination = answer["destination"]
    place = f"s3://{destination['bucket']}/{key}, version {destination['version_id']}"
    line = f"Released to {place}. On the record: {request['actor']}, and your reason."
    output().print(cell(line), soft_wrap=True)


def quarantined(stack: Stack) -> list[VersionState]:
    """Flagged uploads, newest first, whose copies are in the quarantine bucket and which nobody released."""
    stored = {version for version, _ in versions_in(stack.s3, stack.quarantine)}
    newest = newest_of_each(recent_decisions(stack))
    flagged = (row for row in newest if row.decision.verdict is Verdict.FLAGGED and row.destination in stored)
    return [state_of(row) for row in flagged]


def _invoke(stack: Stack, request: dict[str, str]) -> dict[str, Any]:
    answer = stack.lambda_.invoke(
        FunctionName=stack.output("ReleaseFunctionName"), Payload=json.dumps(request).encode()
    )
    body: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise CommandError(f"Not released: {body.get('errorMessage') or 'the release function failed; see its log.'}")
    return body
