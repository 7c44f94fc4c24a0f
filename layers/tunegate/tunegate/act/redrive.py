"""Giving back what failed: messages to the queue they came from, events to the function that should have had them.

Every reader may be told twice, so a message is taken out only after it was given back.
"""

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunegate.errors import PermanentError, aws_call
from tunegate.observe.dead_letters import Call, DeadLetterQueue, call_of, sources_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

MOVING_SECONDS = 60.0
"""How long a move is followed; SQS goes on by itself after that."""
_HIDDEN_SECONDS = 120
_ENDED = {"COMPLETED", "FAILED", "CANCELLED"}


@dataclass(frozen=True, slots=True)
class Redriven:
    """`left` says of each message that stayed why it did; `moving` is whether SQS is not done yet."""

    queue: str
    given_back: int
    left: tuple[str, ...] = ()
    moving: bool = False


def redrive(sqs: "SQSClient", lambda_: "LambdaClient", queue: DeadLetterQueue) -> Redriven:
    """Give back every message of the queue that was in it when this began."""
    sources = list(sources_of(sqs, queue))
    if len(sources) > 1:
        raise PermanentError(f"{queue.name} keeps the failures of {len(sources)} queues")
    return _move(sqs, queue, sources[0]) if sources else _give_back(sqs, lambda_, queue)


def _move(sqs: "SQSClient", queue: DeadLetterQueue, source: str) -> Redriven:
    arn = _arn(sqs, queue.url)
    with aws_call("Moving the messages"):
        # Named, for what a rule put here has never been in the queue it should go to, and SQS could not tell which.
        sqs.start_message_move_task(SourceArn=arn, DestinationArn=_arn(sqs, source))
        task = _followed(sqs, arn)
    if task.get("Status") == "FAILED":
        raise PermanentError(f"SQS could not move the messages of {queue.name}: {task.get('FailureReason', '')}")
    moved = int(task.get("ApproximateNumberOfMessagesMoved", 0))
    return Redriven(queue.name, moved, moving=task.get("Status") not in _ENDED)


def _followed(sqs: "SQSClient", arn: str) -> "Mapping[str, Any]":
    """The newest move out of the queue, once it has ended or was followed long enough."""
    deadline = time.monotonic() + MOVING_SECONDS
    while True:
        # Newest first, as SQS lists them.
        task = sqs.list_message_move_tasks(SourceArn=arn, MaxResults=1)["Results"][0]
        if task.get("Status") in _ENDED or time.monotonic() > deadline:
            return task
        time.sleep(0.5)


def _arn(sqs: "SQSClient", url: str) -> str:
    with aws_call("Reading the queue"):
        return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _give_back(sqs: "SQSClient", lambda_: "LambdaClient", queue: DeadLetterQueue) -> Redriven:
    began = time.time() * 1000
    given, left, seen = 0, [], set()
    while True:
        with aws_call("Reading the queue"):
            messages = sqs.receive_message(
                QueueUrl=queue.url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=_HIDDEN_SECONDS,
                MessageSystemAttributeNames=["SentTimestamp"],
                MessageAttributeNames=["TARGET_ARN"],
            ).get("Messages", [])
        # What failed again, or was left before, is not taken up twice.
        fresh = [one for one in messages if one["MessageId"] not in seen and _sent(one) <= began]
        for message in fresh:
            seen.add(message["MessageId"])
            try:
                _invoke(lambda_, call_of(message))
            except PermanentError as error:
                left.append(f"{message['MessageId']}: {error}")
                continue
            with aws_call("Reading the queue"):
                sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
            given += 1
        if not fresh:
            return Redriven(queue.name, given, tuple(left))


def _sent(message: "Mapping[str, Any]") -> float:
    return float(message["Attributes"]["SentTimestamp"])


def _invoke(lambda_: "LambdaClient", call: Call) -> None:
    with aws_call("Giving the event back"):
        answer = lambda_.invoke(
            FunctionName=call.function,
            InvocationType="RequestResponse" if call.waits else "Event",
            Payload=json.dumps(call.payload).encode(),
        )
    if "FunctionError" in answer:
        # Its message is our own; handlers let no other leave.
        raise PermanentError(f"{call.function.rpartition(':')[2]} failed again; its log says why")
