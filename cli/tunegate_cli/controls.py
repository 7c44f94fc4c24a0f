"""`tunegate controls` and `explain`: what the job gate asks of jobs, models and the account, and why."""

from difflib import get_close_matches
from typing import Annotated, Any

import typer

from tunegate.estate_facts import EstateFacts
from tunegate.job_facts import JobFacts
from tunegate.judge.controls.control import Control
from tunegate.judge.controls.reads import reads_of
from tunegate.judge.controls.table import BY_ID, CONTROLS
from tunegate.judge.controls.why import why
from tunegate.subject import Kind
from tunegate_cli.console import output, print_json, print_table
from tunegate_cli.errors import CommandError
from tunegate_cli.requirements import asked_by
from tunegate_cli.status import AsJson
from tunegate_cli.tables import add_row, cell, table_of

MOST_NAMED = 3


def controls(as_json: AsJson = False) -> None:
    """List every control: what each asks, how severe a breach is, and whether it blocks. Needs no AWS account.

    Example:

        tunegate controls
    """
    if as_json:
        print_json([_to_json(control) for control in CONTROLS])
        return
    table = table_of("control", "asks that", "severity", "blocks", "answers")
    for control in CONTROLS:
        add_row(table, control.id, control.title, control.severity, _yes(control.blocking), _answers(control))
    print_table(table, "")


def explain(
    control: Annotated[str, typer.Argument(metavar="CONTROL", help="A control's id, e.g. `network.job_in_vpc`.")],
) -> None:
    """Tell what a control asks and why, which requirement it answers, what to do, and what it reads of AWS.

    Example:

        tunegate explain network.job_in_vpc
    """
    found = BY_ID.get(control)
    if found is None:
        raise CommandError(f"There is no control {control}{_near(control)}: `tunegate controls` lists all of them.")
    lines = [
        f"{found.id}: {found.title}.",
        f"Severity {found.severity}. {_consequence(found)}",
        f"Of: {', '.join(sorted(_words(kind) for kind in found.applies))}.",
        f"Why: {why(found.id)}",
        "Answers:",
        *(f"  {asked_by(requirement)}." for requirement in found.requirement),
        f"What to do: {found.remedy}",
        "Reads, and is unknown without:",
        *(f"  {action}" for action in reads_of(found)),
    ]
    for line in lines:
        output().print(cell(line), soft_wrap=True)


def _consequence(control: Control[JobFacts] | Control[EstateFacts]) -> str:
    if Kind.ESTATE in control.applies:
        return "It reports: there is no job to block."
    return f"It {'blocks' if control.blocking else 'reports and does not block'}, unless the policy says otherwise."


def _to_json(control: Control[JobFacts] | Control[EstateFacts]) -> dict[str, Any]:
    return {
        "id": control.id,
        "title": control.title,
        "severity": control.severity.value,
        "blocking": control.blocking,
        "requirement": list(control.requirement),
        "remedy": control.remedy,
    }


def _near(control: str) -> str:
    near = get_close_matches(control, BY_ID, n=MOST_NAMED, cutoff=0.6)
    near = near or [name for name in BY_ID if control and control.lower() in name][:MOST_NAMED]
    return f" (is it {' or '.join(near)}?)" if near else ""


def _answers(control: Control[JobFacts] | Control[EstateFacts]) -> str:
    return ", ".join(control.requirement)


def _words(kind: Kind) -> str:
    return kind.value.replace("-", " ")


def _yes(value: bool) -> str:
    return "yes" if value else "no"
