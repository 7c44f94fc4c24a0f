"""What the documents promise, a test holds: each names tests that are there, and says what every alarm means."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
import typer

from tunegate_cli.main import app

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
DOCUMENTS = ("docs/operations.md",)
"""Documents whose promises are held by the tests they name."""
_NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
_COMMAND = re.compile(r"`?tunegate ([a-z]+)(?: ([a-z]+))?")
_ALARM = re.compile(r"AlarmName: !Sub \$\{Prefix\}-(\S+)")
_OPERATIONS = "docs/operations.md"


def promises() -> list[tuple[str, str, str]]:
    """(document, file, test) of every test that a document names."""
    return [(document, *named) for document in DOCUMENTS for named in _NAMED.findall((ROOT / document).read_text())]


@cache
def functions_in(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("document", "file", "test"), promises())
def test_each_test_a_document_names_is_there(document: str, file: str, test: str) -> None:
    path = TESTS / file
    assert path.is_file(), f"{document} names {file}"
    assert test.startswith("test_"), f"{document} names {test}, which is no test"
    assert test in functions_in(path), f"{document} names {test} of {file}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_section_that_promises_names_what_holds_it(document: str) -> None:
    text = (ROOT / document).read_text()
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        assert _NAMED.search(section), section.splitlines()[0]
    for row in re.findall(r"^\| .*\|$", text, re.MULTILINE):
        if not re.match(r"\| (alert|alarm|what|---) ", row):
            assert _NAMED.search(row), row


def test_every_alarm_is_explained_and_no_other() -> None:
    alarms = set(_ALARM.findall((ROOT / "stacks/watch.yaml").read_text()))
    section = (ROOT / _OPERATIONS).read_text().partition("## What an alarm asks of you")[2].partition("\n## ")[0]
    rows = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    explained = [name for row in rows for name in re.findall(r"`([a-z-]+)`", row)]
    assert len(alarms) > 20
    assert sorted(explained) == sorted(alarms)


@pytest.mark.parametrize("document", [*DOCUMENTS, "stacks/watch.yaml"])
def test_each_command_that_people_are_told_to_run_exists(document: str) -> None:
    told = set(_COMMAND.findall((ROOT / document).read_text()))
    assert told
    top = typer.main.get_command(app)
    assert isinstance(top, typer.core.TyperGroup)
    for name, after in told:
        command = top.commands.get(name)
        assert command is not None, f"{document}: tunegate {name}"
        if isinstance(command, typer.core.TyperGroup):
            assert after in command.commands, f"{document}: tunegate {name} {after}"
