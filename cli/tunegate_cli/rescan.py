"""`tunegate rescan`: another scan of a version that is held."""

from typing import Annotated

import typer

from tunegate.act.start import start_scan
from tunegate.model import ObjectVersion, Verdict
from tunegate.observe.ledger import decisions_of
from tunegate.rows import DecisionRow
from tunegate.steps import scan_name
from tunegate_cli.console import output, print_json
from tunegate_cli.errors import CommandError
from tunegate_cli.stack import DEFAULT_NAME, Stack, StackName, find_stack
from tunegate_cli.status import AsJson, Version
from tunegate_cli.tables import cell
from tunegate_cli.versions import newest_of_each, versions_in


def rescan(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key of the held file.")],
    version_id: Version = None,
    as_json: AsJson = False,
    stack: StackName = DEFAULT_NAME,
) -> None:
    """Scan a held version again, once what held it is mended.

    Example:

        tunegate rescan support-bot/train.jsonl
    """
    found = find_stack(stack)
    rows = decisions_of(found.dynamodb, found.ledger, key)
    row = _held(found, rows, key, version_id)
    version = row.decision.subject
    attempt = next_attempt(rows, version)
    scan_id = scan_name(version, attempt)
    if not start_scan(found.stepfunctions, found.output("ScanStateMachineArn"), version, row.order, attempt):
        raise CommandError(
            f"A new scan of {key} was started before and has not ended: `tunegate status` tells when it has."
        )
    if as_json:
        print_json({"key": key, "version_id": version.version_id, "scan_id": scan_id})
        return
    output().print(cell(f"Scanning version {version.version_id} of {key} again, as {scan_id}."), soft_wrap=True)


def next_attempt(rows: list[DecisionRow], version: ObjectVersion) -> int:
    """One more than the attempts the ledger knows: the first scan is attempt 0."""
    begins = f"{version.digest}-"
    tails = (row.scan_id.removeprefix(begins) for row in rows if row.scan_id.startswith(begins))
    return max((int(tail) for tail in tails if tail.isdecimal()), default=0) + 1


def _held(stack: Stack, rows: list[DecisionRow], key: str, version_id: str | None) -> DecisionRow:
    """The newest held version that is still in intake, or the one that is named."""
    waiting = {version for version, _ in versions_in(stack.s3, stack.intake, key)}
    for row in newest_of_each(rows):
        subject = row.decision.subject
        if version_id in (None, subject.version_id) and row.decision.verdict is Verdict.HELD and subject in waiting:
            return row
    raise CommandError(f"No held version of {key} waits in intake: `tunegate status` shows what was decided.")
