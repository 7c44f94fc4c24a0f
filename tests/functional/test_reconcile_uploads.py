"""Uploads that no event told of, or whose scan ended without a verdict, are scanned at the next reconcile."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from functional.conftest import TABLE, Account
from tunegate.act.ledger import write_once
from tunegate.model import Decision, ObjectVersion, Verdict
from tunegate.model_rules import ModelRules
from tunegate.reconcile import Intake, Known, rescue_uploads
from tunegate.rows import Action, DecisionRow

MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:tunegate-scan"
LATER = timedelta(hours=1)


@dataclass
class Executions:
    """Step Functions, as far as the names and states of executions go."""

    statuses: dict[str, str] = field(default_factory=dict)

    def describe_execution(self, executionArn: str) -> dict[str, str]:
        name = executionArn.rpartition(":")[2]
        if name not in self.statuses:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist", "Message": ""}}, "DescribeExecution")
        return {"status": self.statuses[name]}

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> None:
        self.statuses[name] = "RUNNING"


def rescued(account: Account, executions: Any, after: timedelta = LATER) -> int:
    intake = Intake(account.s3, executions, "intake", MACHINE, timedelta(minutes=30))
    return rescue_uploads(intake, Known(account.dynamodb, TABLE), ModelRules(), datetime.now(UTC) + after)


def put(account: Account, key: str) -> ObjectVersion:
    return account.upload(key, b"{}").version


def test_an_upload_without_a_scan_gets_one_once_it_has_waited(account: Account) -> None:
    version, executions = put(account, "a.jsonl"), Executions()
    assert rescued(account, executions, after=timedelta()) == 0
    assert rescued(account, executions) == 1
    assert executions.statuses == {version.digest: "RUNNING"}
    assert rescued(account, executions) == 0, "one scan at a time"


def test_a_scan_that_ended_without_a_verdict_is_made_again_a_few_times(account: Account) -> None:
    version, executions = put(account, "a.jsonl"), Executions()
    for _ in range(8):
        rescued(account, executions)
        executions.statuses = dict.fromkeys(executions.statuses, "FAILED")
    assert list(executions.statuses) == [version.digest, *(f"{version.digest}-{attempt}" for attempt in range(1, 5))]


def test_what_is_held_waits_for_a_person_and_a_model_for_its_other_files(account: Account) -> None:
    held = put(account, "held.jsonl")
    row = DecisionRow(Decision(held, Verdict.HELD, "digest"), Action.SCAN, "id", "2026-11-22T10:00:00.000Z", "01")
    write_once(account.dynamodb, TABLE, row.to_item())
    put(account, "models/llama/config.json")
    assert rescued(account, Executions()) == 0
