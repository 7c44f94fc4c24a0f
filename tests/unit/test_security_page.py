"""docs/security.md promises what a test holds, and lists the attacks that are tried."""

import ast
import json
import re
from pathlib import Path

import pytest

from attacks.table import ATTACKS

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
PAGE = (ROOT / "docs/security.md").read_text()
NAMED = re.compile(r"`([\w/]+\.py)::([\w:]+)`")
RESULTS = ROOT / "build/attacks.json"


def section(title: str) -> list[list[str]]:
    """The cells of the rows of a section's table, below its head."""
    text = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


def defined(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMED.findall(PAGE))))
def test_the_test_that_holds_a_promise_is_there(file: str, name: str) -> None:
    assert set(name.split("::")) <= defined(TESTS / file)


def test_every_promise_names_the_test_that_holds_it() -> None:
    promises = section("Promises")
    assert len(promises) > 10
    assert [promise for promise, held_by in promises if not NAMED.search(held_by)] == []


def test_the_page_lists_the_attacks_that_are_tried_and_no_others() -> None:
    assert [row[0] for row in section("Attacks")] == [attack.name for attack in ATTACKS]
    assert all(any(cell for cell in row[1:]) for row in section("Attacks"))


@pytest.mark.skipif(not RESULTS.exists(), reason="make attacks has not run here")
def test_what_the_last_run_wrote_is_of_these_attacks_and_none_got_away() -> None:
    rows = json.loads(RESULTS.read_text())["attacks"]
    assert {row["name"] for row in rows} <= {attack.name for attack in ATTACKS}
    assert [row for row in rows if row["outcome"] not in ("prevented", "detected")] == []
