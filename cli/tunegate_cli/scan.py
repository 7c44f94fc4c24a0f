"""`tunegate scan`: the pre-flight, on this machine alone."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunegate.model import Decision, ObjectVersion, Verdict
from tunegate.rows import finding_to_json
from tunegate_cli.console import TransferBar, output, print_json, print_table, printable, say
from tunegate_cli.errors import NO_TELLING, CommandError
from tunegate_cli.estimate import show_estimate
from tunegate_cli.policy import read_policy
from tunegate_cli.tables import add_row, findings_table, table_of

if TYPE_CHECKING:
    from tunegate.policy import Policy

EXIT_FLAGGED = 1
MOST_ROWS = 20
"""Findings of a file that a table shows, the most severe first."""
NOTE = "Names and postal addresses are only found by Amazon Comprehend, after the upload."


def scan(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="Files, or directories taken with all below them.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document for programs, instead of tables.")] = False,
    policy: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="The policy to judge by, if not the shipped one."
        ),
    ] = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="What scanning them in the cloud would cost; judges nothing.")
    ] = False,
    gate_bucket: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A bucket the records may refer to; may be given again.")
    ] = None,
) -> None:
    """Judge local files as the gate would, before any upload. Needs no AWS account.

    Exit code 0: all clean. 1: at least one flagged. 2: none flagged, but of at least one it could not be told.

    Example:

        tunegate scan train.jsonl --gate-bucket tunegate-approved-111122223333-us-east-1
    """
    files = list(files_of(paths))
    judged = read_policy(policy) if policy else None
    if estimate:
        show_estimate(files, judged, as_json)
        return
    decisions = _scan_all(files, judged, frozenset(gate_bucket) if gate_bucket else None)
    if as_json:
        print_json({"objects": [_to_json(decision) for decision in decisions]})
    else:
        _print(decisions)
    raise typer.Exit(exit_code(decisions))


def files_of(paths: Iterable[Path]) -> Iterator[Path]:
    """The files named, and every file below the directories named. Raises `CommandError` for one that is not there."""
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.is_file())
        elif path.exists():
            yield path
        else:
            raise CommandError(f"No such file: {path}")


def exit_code(decisions: Iterable[Decision]) -> int:
    verdicts = {decision.verdict for decision in decisions}
    if Verdict.FLAGGED in verdicts:
        return EXIT_FLAGGED
    return NO_TELLING if Verdict.HELD in verdicts else 0


def _scan_all(files: list[Path], policy: "Policy | None", buckets: frozenset[str] | None) -> list[Decision]:
    # The screen's tables take a moment to load, which `tunegate --help` should not wait for.
    from tunegate.preflight import UnreadableError, scan_file

    decisions = []
    with TransferBar(sum(file.stat().st_size for file in files)) as bar:
        for file in files:
            bar.describe(file.name)
            try:
                decision = scan_file(file, policy, buckets, bar.advance)
            except UnreadableError as error:
                decision = Decision(ObjectVersion("", str(file), ""), Verdict.HELD, "", reason=str(error))
            decisions.append(decision)
    return decisions


def _to_json(decision: Decision) -> dict[str, Any]:
    return {
        "key": decision.subject.key,
        "verdict": decision.verdict.value,
        "reason": decision.reason,
        "policy_digest": decision.policy_digest,
        "findings": [finding_to_json(finding) for finding in decision.findings],
    }


def _print(decisions: list[Decision]) -> None:
    for decision in decisions:
        if decision.findings:
            table = findings_table(decision.findings[:MOST_ROWS])
            table.title, table.title_justify = printable(decision.subject.key), "left"
            print_table(table, "")
            if len(decision.findings) > MOST_ROWS:
                output().print(f"... and {len(decision.findings) - MOST_ROWS} more: --json gives all of them.")
    summary = table_of("file", "verdict", "why")
    for decision in decisions:
        add_row(summary, decision.subject.key, decision.verdict, decision.reason)
    print_table(summary, "There is no file to scan.")
    say(NOTE)
