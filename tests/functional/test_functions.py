"""The functions, fed the sample events as Lambda would feed them."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from functional.conftest import TABLE, Account
from functional.lambdas import Context, function
from tunegate.observe.policies import current_policy
from tunegate.policy import default_policy

ROOT = Path(__file__).parents[2]


def event(name: str) -> Any:
    return json.loads((ROOT / f"events/{name}.json").read_text())


@pytest.fixture(autouse=True)
def settings(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "tunegate")
    monkeypatch.setenv("LEDGER_TABLE", TABLE)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, account: Account) -> str:
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    role = "arn:aws:iam::111122223333:role/scan"
    arn = boto3.client("stepfunctions").create_state_machine(name="scan", definition=definition, roleArn=role)
    monkeypatch.setenv("SCAN_STATE_MACHINE_ARN", arn["stateMachineArn"])
    return arn["stateMachineArn"]


def executions(machine: str) -> list[Any]:
    return boto3.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]


def test_start_scan_starts_one_execution_for_an_upload_however_often_it_is_told(machine: str) -> None:
    start = function("start_scan")
    for _ in range(3):
        assert start.handler(event("uploads_queue_batch"), Context()) == {"batchItemFailures": []}
    [execution] = executions(machine)
    assert len(execution["name"]) == 64


def test_start_scan_gives_back_only_the_message_it_cannot_read(machine: str) -> None:
    batch = event("uploads_queue_batch")
    poison = batch["Records"][0] | {"messageId": "poison", "body": '{"detail": {}}'}
    batch["Records"].append(poison)
    answer = function("start_scan").handler(batch, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "poison"}]}
    assert len(executions(machine)) == 1


def test_send_alert_publishes_a_streamed_decision_once(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = account.sns.create_topic(Name="alerts")["TopicArn"]
    queue = boto3.client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    account.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:inbox")
    monkeypatch.setenv("ALERTS_TOPIC_ARN", topic)
    send = function("send_alert")
    for _ in range(2):
        assert send.handler(event("ledger_stream_batch"), Context()) == {"batchItemFailures": []}
    messages = boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert len(messages) == 1


def test_send_alert_gives_back_the_record_sns_did_not_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTS_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:absent")
    answer = function("send_alert").handler(event("ledger_stream_batch"), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "13021600000000001596893679"}]}


def test_accept_policy_puts_the_proposal_of_the_event_in_force(account: Account) -> None:
    proposed = event("policy_proposed")
    bucket = proposed["detail"]["bucket"]["name"]
    account.s3.create_bucket(Bucket=bucket)
    account.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    document = default_policy().canonical().encode()
    version = account.s3.put_object(Bucket=bucket, Key="proposed/policy.json", Body=document)["VersionId"]
    proposed["detail"]["object"]["version-id"] = version
    assert function("accept_policy").handler(proposed, Context()) == {"accepted": True}
    assert current_policy(account.s3, bucket) == default_policy()


def test_release_asks_for_what_the_sample_request_holds() -> None:
    asked = function("release_object").Release.model_validate(event("release_request"))
    assert (asked.key, asked.reason) == ("team-a/train.jsonl", "Reviewed: made-up test data")
