"""`controls`, `explain`, and the page that is written from the same table."""

import json
import re
from pathlib import Path

import pytest

from tunegate.job_rules import JobRules
from tunegate.judge.controls.reads import reads_of
from tunegate.judge.controls.table import BY_ID, CONTROLS
from tunegate_cli.controls_page import PAGE, page
from tunegate_cli.requirements import REQUIREMENTS
from unit.cli_world import run

REQUIREMENTS_PAGE = Path(__file__).parents[2] / "docs" / "requirements.md"


def test_the_table_names_every_control() -> None:
    told = run("controls").stdout
    assert all(control.id in told for control in CONTROLS)
    assert "\x1b" not in told


def test_programs_get_a_list_with_exactly_the_members_agreed_on() -> None:
    listed = json.loads(run("controls", "--json").stdout)
    assert [item["id"] for item in listed] == [control.id for control in CONTROLS]
    assert listed[0] == {
        "id": "encryption.job_model_key",
        "title": "A job encrypts the model it makes with a customer managed key",
        "severity": "critical",
        "blocking": True,
        "requirement": ["R2", "R10"],
        "remedy": "Start the job again with customModelKmsKeyId; `tunegate train` sets it.",
    }


@pytest.mark.parametrize("control", BY_ID)
def test_each_control_is_explained_with_its_requirements_words(control: str) -> None:
    result = run("explain", control)
    assert result.exit_code == 0
    found = BY_ID[control]
    assert found.title in result.stdout
    assert found.remedy in result.stdout
    assert all(REQUIREMENTS[requirement] in result.stdout for requirement in found.requirement)
    assert all(action in result.stdout for action in reads_of(found))


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("network.job_in_vcp", "network.job_in_vpc"),
        ("macie", "estate.macie"),
        ("identity.wildcards", "identity.no_wildcards"),
    ],
)
def test_an_unknown_control_is_one_line_with_the_nearest_names(asked: str, near: str) -> None:
    result = run("explain", asked)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert near in result.stderr
    assert "tunegate controls" in result.stderr


def test_a_name_like_none_gets_no_guess() -> None:
    assert "is it" not in run("explain", "zzz").stderr
    assert run("explain", "").exit_code == 2


def test_the_page_is_what_the_table_gives() -> None:
    assert PAGE.read_text() == page(), "make docs"


def test_the_page_ties_every_control_to_its_requirements_words() -> None:
    sections = page().split("\n## ")[1:]
    for control in CONTROLS:
        section = next(section for section in sections if f"`{control.id}`" in section)
        for requirement in control.requirement:
            assert f"**{requirement}**" in section
            assert REQUIREMENTS[requirement] in section


def test_the_requirements_page_and_the_command_say_the_same() -> None:
    rows = dict(re.findall(r"^\| (R\d+) \| (.*) \|$", REQUIREMENTS_PAGE.read_text(), re.MULTILINE))
    assert rows == REQUIREMENTS
    assert list(rows) == [f"R{number}" for number in range(1, 26)]


def test_the_policy_page_names_every_field_of_the_jobs_section() -> None:
    section = (PAGE.parent / "policy.md").read_text().split("## The section `jobs`")[1]
    for name in JobRules.model_fields:
        assert f"`{name}" in section
