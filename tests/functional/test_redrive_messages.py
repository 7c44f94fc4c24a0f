"""Giving dead letters back: what is taken out was given back, and what is nobody's stays."""

import json
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from functional.conftest import Account
from functional.lambdas import Context, function
from functional.test_functions import event
from functional.test_functions import settings as settings
from tunegate.act.redrive import redrive
from tunegate.observe.dead_letters import DeadLetterQueue, dead_letter_queues

TOPIC = "arn:aws:sns:us-east-1:123456789012:tunegate-alerts"


@dataclass
class FakeLambda:
    failing: bool = False
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    def invoke(self, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:
        self.asked.append((FunctionName.rpartition(":")[2], InvocationType, json.loads(Payload)))
        return {"FunctionError": "Unhandled"} if self.failing else {}


@dataclass
class OfNoQueue:
    """Moto's SQS, which does not know of a queue's sources; this one's messages come from rules and functions."""

    sqs: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sqs, name)

    def get_paginator(self, name: str) -> Any:
        assert name == "list_dead_letter_source_queues"
        return self

    def paginate(self, QueueUrl: str) -> list[dict[str, Any]]:
        return [{"queueUrls": []}]


@pytest.fixture
def sqs(account: Account) -> Any:
    return OfNoQueue(boto3.client("sqs"))


def queue_of(sqs: Any, *letters: dict[str, Any]) -> DeadLetterQueue:
    url = sqs.create_queue(QueueName="letters")["QueueUrl"]
    for letter in letters:
        sqs.send_message(
            QueueUrl=url, MessageBody=letter["Body"], MessageAttributes=letter.get("MessageAttributes", {})
        )
    return DeadLetterQueue("letters", url, len(letters), "letters", "ALARM", "")


def kept(sqs: Any, queue: DeadLetterQueue) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=names)["Attributes"]
    return sum(map(int, answer.values()))


def test_each_event_goes_to_its_function_and_leaves_the_queue(sqs: Any) -> None:
    letters = [event(f"dead_letter_of_a_{kind}") for kind in ("rule", "function", "stream")]
    queue, functions = queue_of(sqs, *letters), FakeLambda()
    done = redrive(sqs, functions, queue)  # type: ignore[arg-type]
    assert (done.given_back, done.left, kept(sqs, queue)) == (3, (), 0)
    assert {(name, kind) for name, kind, _ in functions.asked} == {
        ("tunegate-take-answer", "Event"),
        ("tunegate-accept-policy", "Event"),
        ("tunegate-send-alert", "RequestResponse"),
    }


def test_what_is_nobodys_stays_and_is_told(sqs: Any) -> None:
    queue = queue_of(sqs, {"Body": "rubbish"}, event("dead_letter_of_a_rule"))
    done = redrive(sqs, FakeLambda(), queue)  # type: ignore[arg-type]
    assert (done.given_back, kept(sqs, queue)) == (1, 1)
    [why] = done.left
    assert "not JSON" in why
    assert "rubbish" not in why


def test_what_fails_again_stays(sqs: Any) -> None:
    queue = queue_of(sqs, event("dead_letter_of_a_stream"))
    done = redrive(sqs, FakeLambda(failing=True), queue)  # type: ignore[arg-type]
    assert (done.given_back, len(done.left), kept(sqs, queue)) == (0, 1, 1)


def test_the_queues_are_those_this_stacks_alarms_watch(account: Account) -> None:
    cloudwatch, sqs = boto3.client("cloudwatch"), boto3.client("sqs")
    for name, metric, topic in (
        ("tunegate-letters", "ApproximateNumberOfMessagesVisible", TOPIC),
        ("tunegate-work", "ApproximateAgeOfOldestMessage", TOPIC),
        ("tunegate-two-letters", "ApproximateNumberOfMessagesVisible", TOPIC.replace("tunegate", "tunegate-two")),
    ):
        sqs.create_queue(QueueName=name)
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            AlarmDescription="What failed.\nMend it.",
            Namespace="AWS/SQS",
            MetricName=metric,
            Dimensions=[{"Name": "QueueName", "Value": name}],
            AlarmActions=[topic],
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            EvaluationPeriods=1,
            Period=300,
            Statistic="Maximum",
            Threshold=1,
        )
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="tunegate-letters")["QueueUrl"], MessageBody="x")
    [queue] = dead_letter_queues(cloudwatch, sqs, "tunegate", TOPIC)
    assert (queue.name, queue.messages, queue.meaning) == ("tunegate-letters", 1, "What failed. Mend it.")


def test_what_a_stream_gave_up_is_told_once_from_the_ledger(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    image = event("ledger_stream_batch")["Records"][0]["dynamodb"]["NewImage"]
    account.dynamodb.put_item(TableName="ledger", Item=image)
    topic = account.sns.create_topic(Name="alerts")["TopicArn"]
    monkeypatch.setenv("ALERTS_TOPIC_ARN", topic)
    send = function("send_alert").handler
    assert send(event("untold_request"), Context()) == {"sent": 1}
    assert send(event("untold_request"), Context()) == {"sent": 0}
    long_after = {"untold": {"begin": "2026-11-22T14:00:00Z", "end": "2026-11-22T15:00:00Z"}}
    account.dynamodb.delete_item(TableName="ledger", Key={"pk": {"S": "alert#0f"}, "sk": {"S": "alert"}})
    assert send(long_after, Context()) == {"sent": 0}


@pytest.mark.parametrize("window", [None, {}, {"begin": "now", "end": "then"}, {"begin": "2026-11-22", "end": 3}])
def test_a_time_that_cannot_be_read_is_refused(window: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTS_TOPIC_ARN", TOPIC)
    with pytest.raises(Exception, match="untold"):
        function("send_alert").handler({"untold": window}, Context())
