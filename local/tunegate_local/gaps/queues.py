"""Gaps in SQS: moving dead letters back to the queues they came from."""

import json
import time
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import sqs

from tunegate_local.gaps.resources import parsed

_moves: dict[str, list[dict[str, Any]]] = {}
"""Tasks by the ARN of their source, newest first."""


def dead_letters_are_moved_back() -> None:
    """Ministack has no StartMessageMoveTask, ListMessageMoveTasks and ListDeadLetterSourceQueues.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
    """
    _ask_for_each_queue()
    sqs._HANDLERS["StartMessageMoveTask"] = _start
    sqs._HANDLERS["ListMessageMoveTasks"] = _list
    sqs._HANDLERS["ListDeadLetterSourceQueues"] = _sources


def _ask_for_each_queue() -> None:
    """Who starts a move needs leave to take from the one queue and to send to the other, besides that to start it."""
    arn_of, enforce = iam_actions.extract_resource_arn, iam_evaluator.enforce

    def extract_resource_arn(
        service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, params: Any, region: str,
        account: str,
    ) -> str:  # fmt: skip
        if service == "sqs" and headers.get("x-amz-target", "").endswith("MessageMoveTask"):
            asked = parsed(body)
            return f"{asked.get('SourceArn', '')}#{asked.get('DestinationArn', '')}"
        if service == "sqs" and headers.get("x-amz-target", "").endswith("MessageMoveTasks"):
            return str(parsed(body).get("SourceArn", ""))
        named: str = arn_of(service, method, path, headers, body, params, region, account)
        return named

    def enforce_each(
        access_key_id: str, iam_action: str, service: str, region: str, resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        source, _, destination = resource_arn.partition("#")
        checks = [(iam_action, resource_arn)]
        if iam_action == "sqs:StartMessageMoveTask":
            checks = [(iam_action, source), ("sqs:ReceiveMessage", source), ("sqs:DeleteMessage", source)]
            checks += [("sqs:SendMessage", destination)] if destination else []
        for action, arn in checks:
            denied = enforce(access_key_id, action, service, region, resource_arn=arn, service_context=service_context)
            if denied:
                return denied
        return None

    iam_actions.extract_resource_arn = extract_resource_arn
    iam_evaluator.enforce = enforce_each


def _start(asked: dict[str, Any], _url: str) -> dict[str, Any]:
    queue = _queue(asked.get("SourceArn"))
    arn = queue["attributes"]["QueueArn"]
    if not _sources_of(arn):
        raise sqs._Err("UnsupportedOperation", "Source queue must be configured as a Dead Letter Queue.")
    named = asked.get("DestinationArn")
    moved, total, failure = 0, len(queue["messages"]), ""
    with sqs._queues_lock:
        for message in list(queue["messages"]):
            destination = named or message.get("sys", {}).get("DeadLetterQueueSourceArn")
            if not destination:
                failure = "CouldNotDetermineMessageSource"
                break
            queue["messages"].remove(message)
            _queue(destination)["messages"].append(_anew(message))
            moved += 1
    task = {
        "TaskHandle": sqs.new_uuid(),
        "Status": "FAILED" if failure else "COMPLETED",
        "SourceArn": arn,
        **({"DestinationArn": named} if named else {}),
        **({"FailureReason": failure} if failure else {}),
        "ApproximateNumberOfMessagesMoved": moved,
        "ApproximateNumberOfMessagesToMove": total,
        "StartedTimestamp": int(time.time() * 1000),
    }
    _moves.setdefault(arn, []).insert(0, task)
    sqs.esm_wake.set()
    return {"TaskHandle": task["TaskHandle"]}


def _anew(message: dict[str, Any]) -> dict[str, Any]:
    """A moved message is a new one of the same body: nobody has received it yet."""
    now = time.time()
    sent = {name: value for name, value in message.get("sys", {}).items() if name != "DeadLetterQueueSourceArn"}
    fresh = {"receipt_handle": None, "visible_at": now, "sent_at": now, "receive_count": 0, "first_receive_at": None}
    return {**message, **fresh, "sys": {**sent, "SentTimestamp": str(int(now * 1000))}}


def _list(asked: dict[str, Any], _url: str) -> dict[str, Any]:
    arn = _queue(asked.get("SourceArn"))["attributes"]["QueueArn"]
    return {"Results": _moves.get(arn, [])[: int(asked.get("MaxResults") or 1)]}


def _sources(_asked: dict[str, Any], url: str) -> dict[str, Any]:
    return {"queueUrls": _sources_of(sqs._get_q(url)["attributes"]["QueueArn"])}


def _sources_of(arn: str) -> list[str]:
    return [
        url
        for url, queue in sqs._queues.items()
        if json.loads(queue["attributes"].get("RedrivePolicy") or "{}").get("deadLetterTargetArn") == arn
    ]


def _queue(arn: Any) -> dict[str, Any]:
    queue = sqs._queue_by_arn(arn or "")
    if queue is None:
        raise sqs._Err("ResourceNotFoundException", "The queue that the ARN names does not exist.")
    found: dict[str, Any] = queue
    return found
