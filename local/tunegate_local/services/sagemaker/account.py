"""What all of SageMaker's resources have in common: ARNs, tags, permissions, events, and time that passes."""

import contextvars
import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from tunegate_local.detectors.wire import Call, ServiceError
from tunegate_local.services.mounting import Caller

type Answer = dict[str, Any]
type Operation = Callable[[Call, Caller], Answer]
type Publish = Callable[[str, str, dict[str, Any], list[str]], None]

NOT_FOUND = "Requested resource not found."


class Records:
    """Every resource by its ARN, as its Describe call tells it, with its tags beside it."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._by_arn: dict[str, Answer] = {}
        self._tags: dict[str, dict[str, str]] = {}
        self.lock = threading.RLock()
        self.operations: Mapping[str, Operation] = {
            "ListTags": self._list_tags,
            "AddTags": self._add_tags,
            "DeleteTags": self._delete_tags,
        }

    def add(self, caller: Caller, arn: str, described: Answer, asked: Mapping[str, Any]) -> None:
        """A new resource with the tags it was asked to have; its creator must be allowed to create and to tag it."""
        tags = {tag["Key"]: tag["Value"] for tag in asked.get("Tags", [])}
        require(caller, "Create" + _kind(arn), arn, {}, tags)
        if tags:
            require(caller, "AddTags", arn, {}, tags)
        with self.lock:
            self._by_arn[arn] = described
            self._tags[arn] = tags

    def find(self, arn: str) -> Answer:
        """The resource; SageMaker calls one that is not there invalid."""
        with self.lock:
            if arn not in self._by_arn:
                raise ServiceError("ValidationException", NOT_FOUND)
            return self._by_arn[arn]

    def has(self, arn: str) -> bool:
        """Whether there is such a resource."""
        return arn in self._by_arn

    def of(self, caller: Caller, kind: str) -> list[Answer]:
        """Every resource of a kind, such as `training-job`, in the caller's account and Region; newest last."""
        beginning = arn_of(caller, kind, "")
        with self.lock:
            return [dict(described) for arn, described in self._by_arn.items() if arn.startswith(beginning)]

    def tell(self, detail_type: str, arn: str) -> None:
        """Publishes the state of a resource: what its Describe call answers, times in milliseconds, tags beside."""
        with self.lock:
            detail = {**self._by_arn[arn], "Tags": dict(self._tags[arn])}
        plain = json.loads(json.dumps(detail, default=lambda moment: int(moment.timestamp() * 1000)))
        self._publish("aws.sagemaker", detail_type, plain, [arn])

    def _list_tags(self, call: Call, caller: Caller) -> Answer:
        arn = self._tagged(call, caller)
        return {"Tags": [{"Key": key, "Value": value} for key, value in self._tags[arn].items()]}

    def _add_tags(self, call: Call, caller: Caller) -> Answer:
        arn, tags = call.parameters["ResourceArn"], {tag["Key"]: tag["Value"] for tag in call.parameters["Tags"]}
        require(caller, "AddTags", arn, self._tags.get(arn, {}), tags)
        self.find(arn)
        self._tags[arn] |= tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in self._tags[arn].items()]}

    def _delete_tags(self, call: Call, caller: Caller) -> Answer:
        arn = self._tagged(call, caller)
        for key in call.parameters["TagKeys"]:
            self._tags[arn].pop(key, None)
        return {}

    def _tagged(self, call: Call, caller: Caller) -> str:
        arn = str(call.parameters["ResourceArn"])
        require(caller, call.operation.name, arn, self._tags.get(arn, {}))
        self.find(arn)
        return arn


def require(
    caller: Caller,
    operation: str,
    arn: str,
    carried: Mapping[str, str],
    given: Mapping[str, str] | None = None,
    context: Mapping[str, Any] | None = None,
) -> None:
    """Raises AccessDeniedException unless the caller may; `carried` are the resource's tags, `given` the request's."""
    known: dict[str, Any] = {f"aws:ResourceTag/{key}": value for key, value in carried.items()}
    for key, value in (given or {}).items():
        known[f"aws:RequestTag/{key}"] = value
    if given:
        known["aws:TagKeys"] = list(given)
    caller.require(f"sagemaker:{operation}", arn, {**known, **(context or {})}, service="sagemaker")


def arn_of(caller: Caller, kind: str, name: str) -> str:
    """`arn:aws:sagemaker:<region>:<account>:<kind>/<name>`; SageMaker writes names in lower case there."""
    return f"arn:aws:sagemaker:{caller.region}:{caller.account}:{kind}/{name.lower()}"


def now() -> datetime:
    return datetime.now(UTC)


def later(seconds: float, act: Callable[[], None]) -> None:
    """Does this after some seconds, for the account and Region at hand."""
    timer = threading.Timer(seconds, contextvars.copy_context().run, (act,))
    timer.daemon = True
    timer.start()


def _kind(arn: str) -> str:
    """`TrainingJob` of `…:training-job/…`."""
    return arn.split(":", 5)[5].split("/", 1)[0].replace("-", " ").title().replace(" ", "")
