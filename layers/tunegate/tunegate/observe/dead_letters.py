"""Dead letters: which queues hold messages that failed, what each means, and what a message has to say for itself.

The queues are those that this stack's alarms watch, so there is no second list of them. Sources of the forms below:
Amazon EventBridge user guide, "Using dead-letter queues"; AWS Lambda developer guide, "Capturing records of
asynchronous invocations" and "Retain discarded records for a DynamoDB event source".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tunegate.errors import PermanentError, aws_call
from tunegate.observe.events import message_in

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_sqs import SQSClient

DEPTH = ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
_FUNCTION_PARTS = 7
"""`arn:aws:lambda:region:account:function:name`; a version or alias may follow."""


@dataclass(frozen=True, slots=True)
class DeadLetterQueue:
    """`messages` is approximate, as SQS counts; `meaning` is what the alarm on it says."""

    name: str
    url: str
    messages: int
    alarm: str
    state: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Call:
    """An invocation that would have happened. `waits` is whether its outcome matters before the message may go."""

    function: str
    payload: Mapping[str, Any]
    waits: bool = False


def dead_letter_queues(
    cloudwatch: "CloudWatchClient", sqs: "SQSClient", prefix: str, topic: str
) -> list[DeadLetterQueue]:
    """Every queue on whose depth an alarm of this stack stands: one that tells `topic`."""
    with aws_call("Reading the alarms"):
        pages = cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=f"{prefix}-", AlarmTypes=["MetricAlarm"]
        )
        alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
        return [
            _queue(sqs, alarm["Dimensions"][0]["Value"], alarm)
            for alarm in alarms
            if (alarm.get("Namespace"), alarm.get("MetricName")) == DEPTH and topic in alarm["AlarmActions"]
        ]


def _queue(sqs: "SQSClient", name: str, alarm: Mapping[str, Any]) -> DeadLetterQueue:
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    count = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    meaning = " ".join(alarm.get("AlarmDescription", "").split())
    return DeadLetterQueue(
        name, url, int(count["ApproximateNumberOfMessages"]), alarm["AlarmName"], alarm.get("StateValue", ""), meaning
    )


def sources_of(sqs: "SQSClient", queue: DeadLetterQueue) -> Iterator[str]:
    """The URLs of the queues whose failed messages come here; none where functions and rules leave theirs."""
    with aws_call("Reading the queue"):
        for page in sqs.get_paginator("list_dead_letter_source_queues").paginate(QueueUrl=queue.url):
            yield from page.get("queueUrls", [])


def call_of(message: Mapping[str, Any]) -> Call:
    """What a message of a rule, a function or a stream stands for. Raises `PermanentError` for any other message."""
    body = message_in(message.get("Body"))
    target = _attribute(message, "TARGET_ARN")
    if target:
        return Call(_function(target), body)
    function = _function(_of(body, "requestContext").get("functionArn"))
    if "DDBStreamBatchInfo" in body:
        return Call(function, {"untold": _window(_of(body, "DDBStreamBatchInfo"))}, waits=True)
    return Call(function, _of(body, "requestPayload"))


def _of(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    member = body.get(name)
    if not isinstance(member, dict):
        raise PermanentError(f"the message has no {name}: neither a rule, a function nor a stream left it")
    return member


def _attribute(message: Mapping[str, Any], name: str) -> Any:
    attributes = message.get("MessageAttributes")
    found = attributes.get(name) if isinstance(attributes, dict) else None
    return found.get("StringValue") if isinstance(found, dict) else None


def _function(arn: Any) -> str:
    """The function's ARN without a version."""
    parts = arn.split(":") if isinstance(arn, str) else []
    if len(parts) < _FUNCTION_PARTS or parts[2] != "lambda" or parts[5] != "function":
        raise PermanentError("the message names no function")
    return ":".join(parts[:_FUNCTION_PARTS])


def _window(batch: Mapping[str, Any]) -> dict[str, str]:
    """When the records came that a stream gave up on: the records themselves are forgotten by then."""
    ends = {"begin": batch.get("approximateArrivalOfFirstRecord"), "end": batch.get("approximateArrivalOfLastRecord")}
    window = {}
    for name, at in ends.items():
        try:
            aware = datetime.fromisoformat(at).utcoffset() is not None  # type: ignore[arg-type]
        except (TypeError, ValueError):
            aware = False
        if not aware:
            raise PermanentError("the message does not say when its records came")
        window[name] = str(at)
    return window
