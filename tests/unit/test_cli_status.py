"""`status`, `findings`, `alerts`: what a person or a program is told of the ledger."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tunegate.act.ledger import write_once
from tunegate.model import Verdict
from tunegate.rows import Action, finding_to_json
from unit.cli_world import SSN, World, refused, world


@pytest.fixture
def account() -> Iterator[World]:
    with world() as made:
        yield made


def objects(account: World, *arguments: str) -> list[dict[str, Any]]:
    result = account.run("status", "--json", *arguments)
    assert result.exit_code == 0, result.output
    listed: list[dict[str, Any]] = json.loads(result.stdout)["objects"]
    return listed


def test_a_version_without_a_decision_is_scanning(account: World) -> None:
    version = account.put("a.jsonl")
    (state,) = objects(account)
    assert (state["key"], state["version_id"], state["state"]) == ("a.jsonl", version.version_id, "scanning")


def test_a_settled_version_shows_its_verdict_and_where_it_is(account: World) -> None:
    account.quarantine("a.jsonl")
    (state,) = objects(account)
    assert (state["state"], state["where"], state["reason"]) == ("flagged", "quarantine", "a reason")


def test_the_newest_decision_on_a_version_counts(account: World) -> None:
    version = account.put("a.jsonl")
    account.decide(version, Verdict.HELD, at="2026-11-22T10:00:00.000Z")
    account.decide(version, Verdict.CLEAN, at="2026-11-22T11:00:00.000Z", scan_id=f"{version.digest}-1")
    (state,) = objects(account, "a.jsonl")
    assert state["verdict"] == "clean"


def test_a_released_version_says_so_and_who_did_it(account: World) -> None:
    version = account.quarantine("a.jsonl")
    account.decide(
        version,
        Verdict.CLEAN,
        at="2026-11-23T00:00:00.000Z",
        action=Action.RELEASE,
        destination=account.put("a.jsonl", "approved"),
        actor="arn:kim",
        scan_id=f"{version.digest}-release",
    )
    (state,) = objects(account)
    assert (state["state"], state["where"], state["actor"]) == ("released", "approved", "arn:kim")


def test_two_versions_of_one_key_are_two_lines(account: World) -> None:
    account.decide(account.put("a.jsonl"), Verdict.HELD)
    account.put("a.jsonl")
    account.put("a.jsonl.bak")
    assert sorted(state["state"] for state in objects(account, "a.jsonl")) == ["held", "scanning"]


def test_a_held_version_older_than_what_the_table_reads_is_not_called_scanning(account: World) -> None:
    account.decide(account.put("old.jsonl"), Verdict.HELD, at="2026-01-01T00:00:00.000Z")
    for i in range(100):
        version = account.put(f"new-{i}.jsonl")
        account.decide(version, Verdict.CLEAN)
        account.take_out(version)
    assert "scanning" not in account.run("status").stdout


def test_a_piped_table_has_neither_colour_nor_cut_keys(account: World) -> None:
    key = "projects/support-bot/2026/november/" + "x" * 40 + ".jsonl"
    account.decide(account.put(key), Verdict.HELD)
    result = account.run("status")
    assert key in result.stdout
    assert "\x1b" not in result.stdout


def test_a_key_cannot_command_the_terminal(account: World) -> None:
    account.decide(account.put("a\u202eb[red].jsonl"), Verdict.HELD)
    result = account.run("status")
    assert "a\\u202eb[red].jsonl" in result.stdout


def test_findings_come_from_the_evidence_in_full(account: World) -> None:
    listed = [SSN, SSN.__class__(**{**_fields(SSN), "line": 9})]
    document = {"findings": [finding_to_json(finding) for finding in listed]}
    account.s3.put_object(Bucket="evidence", Key="findings/s.json", Body=json.dumps(document).encode())
    account.decide(account.put("a.jsonl"), Verdict.FLAGGED, evidence="findings/s.json")
    result = account.run("findings", "a.jsonl", "--json")
    assert [finding["line"] for finding in json.loads(result.stdout)["findings"]] == [8, 9]


def test_findings_of_a_model_name_the_file_and_what_is_wrong(account: World) -> None:
    calls = {
        "category": "unsafe_model",
        "type": "pickle_call",
        "file": "model.bin",
        "detail": "it would call os.system",
    }
    document = {"findings": [finding_to_json(SSN) | calls]}
    account.s3.put_object(Bucket="evidence", Key="findings/s.json", Body=json.dumps(document).encode())
    account.decide(account.put("models/a/"), Verdict.FLAGGED, evidence="findings/s.json")
    result = account.run("findings", "models/a/")
    assert "model.bin" in result.stdout
    assert "os.system" in result.stdout


def test_findings_fall_back_to_the_ledger_and_say_so(account: World) -> None:
    account.decide(account.put("a.jsonl"), Verdict.FLAGGED, evidence="findings/gone.json")
    result = account.run("findings", "a.jsonl", "--json")
    assert [finding["type"] for finding in json.loads(result.stdout)["findings"]] == ["SSN"]
    assert "NoSuchKey" in result.stderr


def test_findings_of_an_undecided_file_is_an_error_of_one_line(account: World) -> None:
    account.put("a.jsonl")
    result = account.run("findings", "a.jsonl")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "No decision on a.jsonl yet" in result.stderr


def test_alerts_are_listed_newest_first(account: World) -> None:
    for at in ("2026-11-22T10:00:00.000Z", "2026-11-22T12:00:00.000Z"):
        row = {"pk": f"alert#{at}", "sk": "alert", "entity": "alert", "at": at, "severity": "high", "title": f"T {at}"}
        write_once(account.dynamodb, "ledger", row)
    alerts = json.loads(account.run("alerts", "--json").stdout)["alerts"]
    assert [alert["at"][11:13] for alert in alerts] == ["12", "10"]
    assert "pk" not in alerts[0]
    assert account.run("alerts").stdout.index("T 2026-11-22T12") < account.run("alerts").stdout.index("T 2026-11-22T10")


def test_an_absent_stack_is_an_error_that_says_what_to_do(account: World) -> None:
    result = account.run("status", "--stack", "elsewhere")
    assert result.exit_code == 2
    assert result.stderr.startswith("tunegate: No stack named elsewhere")
    assert "tunegate up" in result.stderr


def test_a_refusal_by_aws_is_one_line_without_a_traceback(account: World) -> None:
    def describe_stacks(StackName: str) -> None:
        raise refused("DescribeStacks", "AccessDenied", StackName)

    account.fakes["cloudformation"].describe_stacks = describe_stacks
    result = account.run("status")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "AWS refused DescribeStacks" in result.stderr


def _fields(finding: Any) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in finding.__slots__}
