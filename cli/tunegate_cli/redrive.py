"""`tunegate redrive`: messages that failed for good, and bringing them back once the cause is mended."""

import json
from typing import Annotated, Any

import typer

from tunegate_cli.console import output, print_json, print_table
from tunegate_cli.errors import CommandError
from tunegate_cli.stack import DEFAULT_NAME, Stack, StackName, find_stack
from tunegate_cli.status import AsJson
from tunegate_cli.tables import add_row, cell, table_of

QueueName = Annotated[
    str | None,
    typer.Argument(metavar="[QUEUE]", help="The queue to bring back, as the list names it; none for the list."),
]
All = Annotated[bool, typer.Option("--all", help="Bring back what every queue holds.")]


def redrive(
    queue: QueueName = None, all_: All = False, as_json: AsJson = False, stack: StackName = DEFAULT_NAME
) -> None:
    """Show the dead letters and what they mean, or give them back to what failed on them.

    Mend the cause first: a message that fails again comes back to its queue, and its alarm rises again.

    Example:

        tunegate redrive uploads-dead-letters
    """
    if queue and all_:
        raise CommandError("Name a queue or say --all, not both.")
    found = find_stack(stack)
    queues = _ask(found, {})["queues"]
    if not queue and not all_:
        _show(queues, as_json)
        return
    names = [one["name"] for one in queues if one["messages"]] if all_ else [_named(queues, queue or "")]
    done = [_ask(found, {"queue": name}) for name in names]
    if as_json:
        print_json({"queues": done})
    else:
        for one in done:
            output().print(cell(_told(one)), soft_wrap=True)
        if not done:
            output().print(cell("Every dead-letter queue is empty."))
    left = [f"{one['queue']}: {why}" for one in done for why in one["left"]]
    if left:
        raise CommandError(f"Left where they are, for nobody knows whose they were: {'; '.join(left)}")


def _show(queues: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json({"queues": queues})
        return
    table = table_of("queue", "messages", "alarm", "what it means")
    for queue in sorted(queues, key=lambda queue: (-queue["messages"], queue["name"])):
        add_row(table, queue["name"], queue["messages"], queue["state"].lower(), queue["meaning"])
    print_table(table, "This stack has no alarms on dead-letter queues.")


def _named(queues: list[dict[str, Any]], name: str) -> str:
    """The queue of that name, with or without the prefix all names of the stack begin with."""
    for queue in queues:
        if queue["name"] == name or queue["name"].endswith(f"-{name}"):
            return str(queue["name"])
    raise CommandError(f"No dead-letter queue named {name}: `tunegate redrive` lists them.")


def _told(done: dict[str, Any]) -> str:
    more = ", and SQS goes on moving the rest" if done["moving"] else ""
    return f"{done['queue']}: {done['given_back']} given back{more}."


def _ask(stack: Stack, request: dict[str, str]) -> dict[str, Any]:
    answer = stack.lambda_.invoke(FunctionName=stack.output("RedriveFunction"), Payload=json.dumps(request).encode())
    body: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise CommandError(f"Not redriven: {body.get('errorMessage') or 'the function failed; see its log.'}")
    return body
