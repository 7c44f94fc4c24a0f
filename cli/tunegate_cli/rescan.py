"""`tunegate rescan`: another scan of a version that is held, or whose scan ended without any verdict."""

from itertools import count
from typing import Annotated

import typer

from tunegate.act.start import start_scan
from tunegate.model import ObjectVersion, Verdict
from tunegate.observe.ledger import decisions_of
from tunegate.observe.policies import current_policy
from tunegate.observe.scans import ScanState, scan_state
from tunegate.rows import DecisionRow
from tunegate.steps import scan_name
from tunegate.upload_order import order_of
from tunegate_cli.console import output, print_json
from tunegate_cli.errors import CommandError
from tunegate_cli.stack import DEFAULT_NAME, Stack, StackName, find_stack
from tunegate_cli.status import AsJson, Version
from tunegate_cli.tables import cell
from tunegate_cli.versions import newest_of_each, versions_in


def rescan(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key of the file that waits.")],
    version_id: Version = None,
    as_json: AsJson = False,
    stack: StackName = DEFAULT_NAME,
) -> None:
    """Scan a version again that is held or got no verdict, once the cause is mended.

    Example:

        tunegate rescan support-bot/train.jsonl
    """
    found = find_stack(stack)
    rows = decisions_of(found.dynamodb, found.ledger, key)
    version, order, attempt = _waiting(found, rows, key, version_id)
    scan_id = scan_name(version, attempt)
    if not start_scan(found.stepfunctions, found.output("ScanStateMachineArn"), version, order, attempt):
        raise _runs(key)
    if as_json:
        print_json({"key": key, "version_id": version.version_id, "scan_id": scan_id})
        return
    output().print(cell(f"Scanning version {version.version_id} of {key} again, as {scan_id}."), soft_wrap=True)


def next_attempt(rows: list[DecisionRow], version: ObjectVersion) -> int:
    """One more than the attempts the ledger knows: the first scan is attempt 0."""
    begins = f"{version.digest}-"
    tails = (row.scan_id.removeprefix(begins) for row in rows if row.scan_id.startswith(begins))
    return max((int(tail) for tail in tails if tail.isdecimal()), default=0) + 1


def _waiting(stack: Stack, rows: list[DecisionRow], key: str, version_id: str | None) -> tuple[ObjectVersion, str, int]:
    """The newest version in intake to scan again, or the one that is named; its order and the attempt to make."""
    uploaded = {
        version: at
        for version, at in versions_in(stack.s3, stack.intake, key)
        if version_id in (None, version.version_id)
    }
    for row in newest_of_each(rows):
        version = row.decision.subject
        if row.decision.verdict is Verdict.HELD and version in uploaded:
            return version, row.order, next_attempt(rows, version)
    decided = {row.decision.subject for row in rows}
    undecided = {version: at for version, at in uploaded.items() if version not in decided}
    if not undecided:
        raise CommandError(
            f"No version of {key} waits in intake held or without a verdict: `tunegate status` shows what was decided."
        )
    version = max(undecided, key=lambda one: undecided[one])
    return version, order_of(undecided[version], [row.order for row in rows]), _unused_attempt(stack, version)


def _unused_attempt(stack: Stack, version: ObjectVersion) -> int:
    """The first attempt on a version without a verdict that was not made; none is made beside one that runs."""
    upload = current_policy(stack.s3, stack.policies).models.upload_of(version.key)
    if upload is not None:
        raise CommandError(f"{version.key} is judged with all of {upload}: `gather_models` scans it again by itself.")
    for attempt in count():
        state = scan_state(stack.stepfunctions, stack.output("ScanStateMachineArn"), version, attempt)
        if state is ScanState.RUNNING:
            raise _runs(version.key)
        if state is ScanState.NONE:
            return attempt
    raise AssertionError("there is always another number")


def _runs(key: str) -> CommandError:
    return CommandError(f"A scan of {key} was started before and has not ended: `tunegate status` tells when it has.")
