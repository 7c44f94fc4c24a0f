"""`quarantine list`, `release`, `rescan`: bringing a file back, on the record."""

import json
from collections.abc import Iterator

import pytest

from tunegate.model import Verdict
from tunegate.rows import Action
from unit.cli_world import ACTOR, World, world


@pytest.fixture
def account() -> Iterator[World]:
    with world() as made:
        yield made


def listed(account: World) -> list[str]:
    return [state["key"] for state in json.loads(account.run("quarantine", "list", "--json").stdout)["objects"]]


def test_flagged_files_are_listed_and_others_are_not(account: World) -> None:
    account.quarantine("flagged.jsonl")
    account.decide(account.put("held.jsonl"), Verdict.HELD)
    assert listed(account) == ["flagged.jsonl"]


def test_a_released_file_is_not_listed_any_more(account: World) -> None:
    version = account.quarantine("a.jsonl")
    account.decide(version, Verdict.CLEAN, at="2027-01-01T00:00:00.000Z", action=Action.RELEASE, scan_id="r")
    assert listed(account) == []


def test_a_file_no_longer_in_the_bucket_is_not_listed(account: World) -> None:
    account.decide(account.put("a.jsonl"), Verdict.FLAGGED, destination=None)
    assert listed(account) == []


def test_a_release_carries_the_reason_and_who_asks(account: World) -> None:
    result = account.run("release", "a.jsonl", "--reason", " test numbers ", "--version-id", "v1")
    assert result.exit_code == 0, result.output
    assert account.release.payloads == [
        {"key": "a.jsonl", "reason": "test numbers", "actor": ACTOR, "version_id": "v1"}
    ]
    assert "s3://approved/a.jsonl" in result.stdout


@pytest.mark.parametrize("arguments", [(), ("--reason", ""), ("--reason", "  ")])
def test_a_release_without_a_reason_asks_nothing_of_aws(account: World, arguments: tuple[str, ...]) -> None:
    result = account.run("release", "a.jsonl", *arguments)
    assert result.exit_code == 2
    assert "--reason" in result.stderr
    assert account.release.payloads == []


def test_a_release_the_function_refuses_says_why(account: World) -> None:
    account.release.answer = {"errorMessage": "no such upload is in quarantine", "errorType": "PermanentError"}
    account.release.failed = True
    result = account.run("release", "a.jsonl", "--reason", "reviewed")
    assert result.exit_code == 2
    assert result.stderr == "tunegate: Not released: no such upload is in quarantine\n"


def test_a_rescan_starts_a_scan_of_the_held_version(account: World) -> None:
    version = account.put("a.jsonl")
    account.decide(version, Verdict.HELD)
    account.put("a.jsonl")  # a newer upload that is still being scanned
    assert account.run("rescan", "a.jsonl").exit_code == 0
    assert account.stepfunctions.started == {
        f"{version.digest}-1": {
            "object": {"bucket": "intake", "key": "a.jsonl", "version_id": version.version_id},
            "order": "0A",
            "scan_id": f"{version.digest}-1",
        }
    }


def test_each_rescan_has_the_next_number(account: World) -> None:
    version = account.put("a.jsonl")
    account.decide(version, Verdict.HELD)
    account.decide(version, Verdict.HELD, at="2026-11-23T10:00:00.000Z", scan_id=f"{version.digest}-9")
    account.decide(version, Verdict.HELD, at="2026-11-22T11:00:00.000Z", scan_id=f"{version.digest}-10")
    account.run("rescan", "a.jsonl")
    assert list(account.stepfunctions.started) == [f"{version.digest}-11"]


def test_a_rescan_under_way_is_not_started_twice(account: World) -> None:
    account.decide(account.put("a.jsonl"), Verdict.HELD)
    assert account.run("rescan", "a.jsonl").exit_code == 0
    result = account.run("rescan", "a.jsonl")
    assert (result.exit_code, len(account.stepfunctions.started)) == (2, 1)


@pytest.mark.parametrize("verdict", [Verdict.CLEAN, Verdict.FLAGGED])
def test_only_held_versions_are_scanned_again(account: World, verdict: Verdict) -> None:
    account.decide(account.put("a.jsonl"), verdict)
    result = account.run("rescan", "a.jsonl")
    assert result.exit_code == 2
    assert "No version of a.jsonl" in result.stderr


def test_a_version_whose_scan_ended_without_a_verdict_is_scanned_again(account: World) -> None:
    version = account.put("a.jsonl")
    account.stepfunctions.statuses = {version.digest: "FAILED", f"{version.digest}-1": "TIMED_OUT"}
    assert account.run("rescan", "a.jsonl").exit_code == 0
    [(name, asked)] = account.stepfunctions.started.items()
    assert name == f"{version.digest}-2"
    assert asked["object"]["version_id"] == version.version_id


def test_a_version_that_is_being_scanned_is_left_alone(account: World) -> None:
    version = account.put("a.jsonl")
    account.stepfunctions.statuses = {version.digest: "RUNNING"}
    result = account.run("rescan", "a.jsonl")
    assert (result.exit_code, account.stepfunctions.started) == (2, {})
    assert "has not ended" in result.stderr


def test_a_file_of_a_model_is_not_scanned_without_the_others(account: World) -> None:
    account.put("models/llama/config.json")
    result = account.run("rescan", "models/llama/config.json")
    assert (result.exit_code, account.stepfunctions.started) == (2, {})
    assert "models/llama/" in result.stderr
