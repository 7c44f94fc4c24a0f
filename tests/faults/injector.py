"""One AWS call of a flow made to fail, in one of several ways. Which calls there are, a first undisturbed run tells."""

import copy
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import boto3
import botocore.session
from botocore.exceptions import ReadTimeoutError
from botocore.model import OperationModel

type Params = Mapping[str, Any]
type Reply = Callable[[Params], Any]
type Operation = tuple[str, str]
"""A service and the name of one of its operations, as botocore has them."""


class Way(StrEnum):
    """How a call fails. The SDK's own retries are used up: what is tried again is the function."""

    REFUSED = "error before it takes effect"
    LOST = "error after it took effect"
    THROTTLED = "throttled, then fine"
    KILLED_BEFORE = "process killed before the call"
    KILLED_AFTER = "process killed after the call"
    DENIED = "access denied, for good as the caller knows"
    REPEATED = "answer lost, asked again by the SDK: it takes effect twice"


_OF_A_READ = frozenset({Way.REFUSED, Way.THROTTLED, Way.KILLED_BEFORE, Way.DENIED})
_READS = re.compile("(Get|List|Head|Describe|Query|Scan|BatchGet|Contains|Detect|InvokeGuardrail)")


@dataclass(frozen=True)
class Call:
    """One call of a flow: the function that made it, the service and the operation."""

    function: str
    service: str
    operation: str

    @property
    def ways(self) -> frozenset[Way]:
        """A read has no effect: with its answer lost, or the process killed after it, all is as if before it."""
        return _OF_A_READ if _READS.match(self.operation) else frozenset(Way)

    def __str__(self) -> str:
        return f"{self.function}: {self.service}:{self.operation}"


class Killed(Exception):  # noqa: N818 - nobody raises it but the harness
    """The process is gone: whatever it still tries has no effect."""


@dataclass(frozen=True)
class Refusal(Exception):  # noqa: N818
    """An error of the service, in place of an answer."""

    code: str
    status: int = 400


@dataclass(frozen=True)
class Point:
    """A call of a flow, counted from 0, and the way it fails."""

    number: int
    way: Way


@dataclass
class Injector:
    """Counts the calls of functions, and makes one fail. What `replies` holds is answered by it, all else by moto."""

    replies: Mapping[Operation, Reply] = field(default_factory=dict)
    point: Point | None = None
    calls: list[Call] = field(default_factory=list)
    running: str = ""
    dead: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def session(self) -> None:
        """Have every client that is made from now on pass by here."""
        session: Any = botocore.session.Session()
        session.register("before-parameter-build", _keep_parameters)
        session.register("before-call", self._before)
        session.register("after-call", self._after)
        session.register("needs-retry", _ask_again)
        boto3.setup_default_session(botocore_session=session, region_name="us-east-1")

    def reset(self, point: Point | None) -> None:
        self.point, self.calls, self.running, self.dead = point, [], "", False

    def _before(self, model: OperationModel, context: dict[str, Any], **_: Any) -> Any:
        operation = (model.service_model.service_name, model.name)
        if self.running:
            way = self._counted(operation)
            if way is Way.KILLED_BEFORE:
                self.dead = True
                raise Killed
            if way is Way.REFUSED:
                return _error("ServiceUnavailable", 503)
            if way is Way.THROTTLED:
                return _error("ThrottlingException", 400)
            if way is Way.DENIED:
                return _error("AccessDenied", 403)
            context["fails"] = way
        if operation in self.replies:
            try:
                if context.get("fails") is Way.REPEATED:
                    self.replies[operation](context["asked"])
                return _Status(200), copy.deepcopy(self.replies[operation](context["asked"]))
            except Refusal as refusal:
                return _error(refusal.code, refusal.status)
        return None

    def _after(self, context: dict[str, Any], **_: Any) -> None:
        way = context.get("fails")
        if way is Way.LOST:
            raise ReadTimeoutError(endpoint_url="https://aws")
        if way is Way.KILLED_AFTER:
            self.dead = True
            raise Killed

    def _counted(self, operation: Operation) -> Way | None:
        # Copies of large objects are made from threads.
        with self._lock:
            if self.dead:
                raise Killed
            number = len(self.calls)
            self.calls.append(Call(self.running, *operation))
        return self.point.way if self.point and self.point.number == number else None


@dataclass(frozen=True)
class _Status:
    status_code: int


def _error(code: str, status: int) -> Any:
    return _Status(status), {
        "Error": {"Code": code, "Message": "said the test"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }


def _ask_again(attempts: int, request_dict: dict[str, Any], **_: Any) -> int | None:
    """The seconds after which botocore is to ask once more; None for not at all."""
    return 0 if attempts == 1 and request_dict["context"].get("fails") is Way.REPEATED else None


def _keep_parameters(params: Params, context: dict[str, Any], **_: Any) -> None:
    context["asked"] = dict(params)
