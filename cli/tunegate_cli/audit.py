"""`tunegate audit`: whether what was deployed still stands, looked at now."""

import json
from typing import Any

import typer

from tunegate_cli.console import print_json, print_table, say
from tunegate_cli.errors import NO_TELLING, CommandError
from tunegate_cli.stack import DEFAULT_NAME, Stack, StackName, find_stack
from tunegate_cli.status import AsJson
from tunegate_cli.tables import add_row, table_of

EXIT_FAIL = 1


def audit(as_json: AsJson = False, stack: StackName = DEFAULT_NAME) -> None:
    """Look at the account's protections now: keys, buckets, roles, network, rules, trails, logging.

    Exit code 0: every control passes. 1: at least one fails. 2: none fails, but of at least one it could not be told.

    Example:

        tunegate audit
    """
    controls = _audit(find_stack(stack))
    if as_json:
        print_json({"controls": controls})
    else:
        _print(controls)
    raise typer.Exit(exit_code([control["state"] for control in controls]))


def exit_code(states: list[str]) -> int:
    """No state at all is no pass either."""
    if "fail" in states:
        return EXIT_FAIL
    return 0 if states and set(states) == {"pass"} else NO_TELLING


def _audit(stack: Stack) -> list[dict[str, Any]]:
    answer = stack.lambda_.invoke(FunctionName=stack.output("AuditFunction"), Payload=b"{}")
    body: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise CommandError(f"Not audited: {body.get('errorMessage') or 'the audit function failed; see its log.'}")
    controls: list[dict[str, Any]] = body["controls"]
    return controls


def _print(controls: list[dict[str, Any]]) -> None:
    table = table_of("state", "control", "severity", "asks that", "found")
    for control in controls:
        found = "; ".join(control["details"])
        add_row(table, control["state"], control["control"], control["severity"], control["title"], found)
    print_table(table, "The audit judged no control.")
    if any(control["state"] != "pass" for control in controls):
        say("What to do about one: tunegate explain CONTROL")
