"""`tunegate jobs`: what the gate decided about jobs, models and what serves them, and why."""

import sys
from collections.abc import Iterable
from itertools import islice
from typing import Annotated, Any

import typer

from tunegate.act.follow_up import enqueue
from tunegate.errors import PermanentError
from tunegate.job_facts import InputObject
from tunegate.observe.ledger import recent
from tunegate.observe.subjects import open_rows, read_manifest, subject_row
from tunegate.rows import Entity
from tunegate.subject import Kind, subject_of
from tunegate.subject_rows import SubjectRow
from tunegate_cli.console import output, print_json, print_table, say
from tunegate_cli.errors import CommandError
from tunegate_cli.stack import DEFAULT_NAME, Stack, StackName, find_stack
from tunegate_cli.status import MOST_ROWS, AsJson
from tunegate_cli.tables import add_row, cell, seconds, table_of


def jobs(
    arn: Annotated[
        str | None, typer.Argument(metavar="ARN", help="One job, model, deployment or throughput; all without it.")
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Have the gate look at it again, now.")] = False,
    as_json: AsJson = False,
    stack: StackName = DEFAULT_NAME,
) -> None:
    """Show what was decided about each job, model and deployment; of one, also what it breaks and what it read.

    Example:

        tunegate jobs arn:aws:bedrock:us-east-1:111122223333:model-customization-job/amazon.nova-micro-v1:0:128k/abc
    """
    if verify and arn is None:
        raise CommandError("--verify takes the ARN of what to look at: `tunegate jobs` lists those that are known.")
    found = find_stack(stack)
    if arn is None:
        _list(found, as_json)
    elif verify:
        _verify(found, subject_of(arn).arn, as_json)
    else:
        _one(found, subject_of(arn).arn, as_json)


def _list(stack: Stack, as_json: bool) -> None:
    items = recent(stack.dynamodb, stack.ledger, Entity.SUBJECT)
    rows = (SubjectRow.from_item(item) for item in items if item["kind"] != Kind.ESTATE)
    if as_json:
        print_json({"subjects": [_to_json(row) for row in rows]})
        return
    shown = list(islice(rows, MOST_ROWS + 1))
    table = table_of("since", "name", "verdict", "why", "arn")
    # Where a program or a log reads it, an ARN stays in one piece.
    table.columns[-1].no_wrap = not sys.stdout.isatty()
    for row in shown[:MOST_ROWS]:
        add_row(table, seconds(row.at), row.name, row.approval, ", ".join((*row.breaches, *row.gaps)), row.subject.arn)
    print_table(table, "The gate has seen no job yet: tunegate train, tunegate import")
    if len(shown) > MOST_ROWS:
        say(f"The newest {MOST_ROWS} are shown; --json gives all of them.")


def _verify(stack: Stack, arn: str, as_json: bool) -> None:
    enqueue(stack.sqs, stack.output("JobsQueueUrl"), arn)
    if as_json:
        print_json({"subject": arn, "asked": True})
        return
    output().print(cell(f"The gate looks at it again; what it finds: tunegate jobs {arn}"), soft_wrap=True)


def _one(stack: Stack, arn: str, as_json: bool) -> None:
    row = subject_row(stack.dynamodb, stack.ledger, arn)
    if row is None:
        raise CommandError(f"The gate has not seen {arn} yet: `tunegate jobs {arn} --verify` has it look.")
    still_open = sorted(open_rows(stack.dynamodb, stack.ledger, arn), key=lambda item: str(item["sk"]))
    breaches = [item for item in still_open if item["entity"] == Entity.BREACH]
    gaps = [item for item in still_open if item["entity"] == Entity.GAP]
    manifest = _manifest(stack, row)
    if as_json:
        document = {"subject": _to_json(row), "breaches": _plain(breaches), "gaps": _plain(gaps)}
        print_json(document | {"manifest": None if manifest is None else [_object(item) for item in manifest]})
        return
    _print_row(row)
    _print_findings(breaches, gaps)
    if manifest is not None:
        table = table_of("it reads", "version", "checksum")
        for item in manifest:
            add_row(table, f"s3://{item.bucket}/{item.key}", item.version_id, item.checksum)
        print_table(table, "It reads nothing.")


def _manifest(stack: Stack, row: SubjectRow) -> tuple[InputObject, ...] | None:
    if not row.manifest:
        return None
    try:
        return read_manifest(stack.s3, stack.evidence, row.subject.arn)
    except PermanentError as error:
        say(f"What it reads cannot be shown: {error}.")
        return None


def _print_row(row: SubjectRow) -> None:
    lines = [
        f"{row.name}: {row.approval}, since {seconds(row.at)}",
        f"{row.subject.arn} ({row.status or row.state})",
        f"Done about it: {row.done or 'nothing'}; the policy's mode is {row.mode}.",
        *([f"Marked: {row.marked}"] if row.marked else []),
        *([f"Makes: {row.makes}"] if row.makes else []),
    ]
    for line in lines:
        output().print(cell(line), soft_wrap=True)


def _print_findings(breaches: list[dict[str, Any]], gaps: list[dict[str, Any]]) -> None:
    if breaches:
        table = table_of("breaks", "severity", "blocks", "since", "in this way")
        for item in breaches:
            blocks = "yes" if item["blocking"] else "no"
            add_row(table, item["control"], item["severity"], blocks, seconds(item["at"]), _details(item))
        print_table(table, "")
    if gaps:
        table = table_of("may not", "on", "answered", "so unknown are")
        for item in gaps:
            add_row(table, item["action"], item["resource"], item["error"], ", ".join(item["controls"]))
        print_table(table, "")
    if breaches:
        say("What to do about one: tunegate explain CONTROL")


def _details(item: dict[str, Any]) -> str:
    more = int(item["details_total"]) - len(item["details"])
    return "; ".join([*item["details"], *([f"and {more} more"] if more > 0 else [])])


def _to_json(row: SubjectRow) -> dict[str, Any]:
    return _without_keys(row.to_item())


def _plain(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [_without_keys(item) for item in items]


def _without_keys(item: dict[str, Any]) -> dict[str, Any]:
    numbers = {name: int(item[name]) for name in ("details_total",) if name in item}
    return {name: value for name, value in item.items() if name not in {"pk", "sk", "entity"}} | numbers


def _object(item: InputObject) -> dict[str, str]:
    return {"bucket": item.bucket, "key": item.key, "version_id": item.version_id, "checksum": item.checksum}
