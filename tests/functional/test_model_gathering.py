"""One scan of a model at a time: what a running one has yet to move, or an ended one has left, is no upload."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functional.conftest import TABLE, Account
from tunegate.act.ledger import write_once
from tunegate.model import Decision, ObjectVersion, Verdict
from tunegate.model_gathering import Gathering, gather
from tunegate.policy import default_policy
from tunegate.rows import Action, DecisionRow
from tunegate.steps import ModelScanRequest

PREFIX = "models/llama/"
MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:tunegate-scan-model"
QUIET = timedelta(hours=1)


@dataclass
class Executions:
    """Step Functions, as far as the names, states and inputs of executions go."""

    inputs: dict[str, str] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    described: list[str] = field(default_factory=list)

    def describe_execution(self, executionArn: str) -> dict[str, str]:
        self.described.append(executionArn)
        name = executionArn.rpartition(":")[2]
        if name not in self.inputs:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist", "Message": ""}}, "DescribeExecution")
        return {"status": "SUCCEEDED" if name in self.ended else "RUNNING", "input": self.inputs[name]}

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> None:
        self.inputs[name] = input

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_executions"
        return self

    def paginate(self, stateMachineArn: str, statusFilter: str) -> Iterator[dict[str, Any]]:
        assert (stateMachineArn, statusFilter) == (MACHINE, "RUNNING")
        for name in self.inputs.keys() - self.ended:
            arn = f"{MACHINE.replace(':stateMachine:', ':execution:')}:{name}"
            yield {"executions": [{"executionArn": arn}]}


@dataclass
class Schedule:
    """`gather_models` as its schedule runs it, once nothing was added for an hour."""

    account: Account
    executions: Executions

    def run(self) -> list[ObjectVersion]:
        policy = default_policy()
        gathering = Gathering(
            self.account.s3, self.executions, self.account.dynamodb, TABLE, "intake", MACHINE, policy  # type: ignore[arg-type]
        )  # fmt: skip
        return list(gather(gathering, datetime.now(UTC) + QUIET))

    def scanned(self, upload: ObjectVersion) -> set[ObjectVersion]:
        """The versions that the scan of an upload is to settle."""
        request = ModelScanRequest.model_validate_json(self.executions.inputs[upload.digest])
        return {file.object.version() for file in request.files}


@pytest.fixture
def schedule(account: Account) -> Schedule:
    return Schedule(account, Executions())


def put(account: Account, *names: str) -> list[ObjectVersion]:
    return [account.upload(PREFIX + name, b"{}").version for name in names]


def moved(account: Account, version: ObjectVersion) -> None:
    """As settling ends, which takes a version out of intake."""
    account.s3.delete_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)


def held(account: Account, version: ObjectVersion, upload: str = PREFIX) -> None:
    decision = Decision(version, Verdict.HELD, "digest")
    row = DecisionRow(decision, Action.SCAN, "id", "2026-11-22T10:00:00.000Z", "01", upload=upload)
    write_once(account.dynamodb, TABLE, row.to_item())


def test_what_a_running_scan_has_yet_to_move_is_left_to_it(account: Account, schedule: Schedule) -> None:
    first, second = put(account, "config.json", "model.safetensors")
    [upload] = schedule.run()
    moved(account, first)
    assert schedule.run() == []
    schedule.executions.ended.add(upload.digest)
    [rest] = schedule.run()
    assert schedule.scanned(rest) == {second}, "what no scan settles is not forgotten"


def test_a_file_added_while_a_scan_runs_is_scanned_once_that_has_ended(account: Account, schedule: Schedule) -> None:
    old = put(account, "config.json")
    [upload] = schedule.run()
    new = put(account, "model.safetensors")
    assert schedule.run() == []
    schedule.executions.ended.add(upload.digest)
    [whole] = schedule.run()
    assert schedule.scanned(whole) == {*old, *new}


def test_a_running_scan_holds_back_no_other_upload(account: Account, schedule: Schedule) -> None:
    put(account, "config.json")
    assert len(schedule.run()) == 1
    account.upload("models/other/config.json", b"{}")
    [other] = schedule.run()
    assert other.key == "models/other/"


def test_each_running_scan_is_read_once_a_round(account: Account, schedule: Schedule) -> None:
    put(account, "config.json")
    [running] = schedule.run()
    for number in range(5):
        account.upload(f"models/m{number}/config.json", b"{}")
    schedule.executions.described.clear()
    assert len(schedule.run()) == 5
    read = [arn for arn in schedule.executions.described if arn.endswith(running.digest)]
    assert len(read) == 1


@pytest.mark.parametrize("rubbish", ["", "[]", "{", '{"object": 1}', '{"files": [{"object": "models/llama/"}]}'])
def test_an_execution_somebody_started_with_rubbish_stops_no_scan(
    account: Account, schedule: Schedule, rubbish: str
) -> None:
    schedule.executions.inputs["by-hand"] = rubbish
    put(account, "config.json")
    assert len(schedule.run()) == 1


def test_a_version_that_was_replaced_is_no_upload_once_its_successor_is_settled(
    account: Account, schedule: Schedule
) -> None:
    old, new = put(account, "config.json", "config.json")
    [upload] = schedule.run()
    moved(account, new)
    held(account, old)
    schedule.executions.ended.add(upload.digest)
    assert schedule.run() == []


def test_a_file_that_could_not_be_moved_is_no_upload_and_is_scanned_with_what_is_added(
    account: Account, schedule: Schedule
) -> None:
    first, stuck = put(account, "config.json", "model.safetensors")
    [upload] = schedule.run()
    moved(account, first)
    held(account, stuck)
    schedule.executions.ended.add(upload.digest)
    assert schedule.run() == []
    [added] = put(account, "config.json")
    [whole] = schedule.run()
    assert schedule.scanned(whole) == {stuck, added}


def test_what_was_held_as_a_training_file_is_scanned_as_a_model(account: Account, schedule: Schedule) -> None:
    [version] = put(account, "config.json")
    held(account, version, upload="")
    [upload] = schedule.run()
    assert schedule.scanned(upload) == {version}
