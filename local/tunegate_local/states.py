"""An execution of a state machine on paper: what passes between its states, and the events it would leave.

Follows the part of the Amazon States Language (JSONPath) that our scans use, and refuses any other. Quotas are those of
Standard workflows (Step Functions, service quotas); what an event is called is in GetExecutionHistory's reference.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

PAYLOAD_BYTES = 256 * 1024
HISTORY_EVENTS = 25_000
MOST_CHILDREN = 10_000
"""Child executions of a distributed map that may run at the same time."""
ENVELOPE = {
    "ExecutedVersion": "$LATEST",
    "SdkHttpMetadata": {
        "AllHttpHeaders": {"X-Amz-Executed-Version": ["$LATEST"], "x-amzn-Remapped-Content-Length": ["0"]},
        "HttpHeaders": {"Content-Type": "application/json", "X-Amzn-Trace-Id": "root=1-" + "0" * 60},
        "HttpStatusCode": 200,
    },
    "SdkResponseMetadata": {"RequestId": "0" * 36},
    "StatusCode": 200,
}
"""What the Lambda integration puts round a function's answer; it counts towards the payload."""
_INVOKE = "arn:aws:states:::lambda:invoke"
_FORMAT = re.compile(r"States\.Format\('([^']*)'((?:, \$[$.\w]+)+)\)")
_CONTEXT = {"Task": {"Token": "T" * 1024}}
"""Of a task that waits: as long as a token may be (Step Functions API reference, SendTaskSuccess)."""

type Answer = Callable[[str, Any], Any]
"""A function in place of a task's: its state's name and payload in, its answer out, or `TaskError`."""


class TaskError(Exception):
    """A task that failed and, where its retries cover the error, failed again each time."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.cause = cause


class UnknownStateError(Exception):
    """The definition uses a part of the language that is not followed here."""


@dataclass(slots=True)
class Trace:
    """An execution: the states it came through, the largest payload at each, and its counts.

    `transitions` are what is billed: each state entered, each retry, and the end. `children` are those of all maps;
    `child_events` is the longest history among them.
    """

    path: list[str] = field(default_factory=list)
    payloads: dict[str, int] = field(default_factory=dict)
    events: int = 2
    transitions: int = 1
    children: int = 0
    child_events: int = 0
    child_transitions: int = 0
    output: Any = None

    @property
    def ended_in(self) -> str:
        return self.path[-1]

    def passes(self, where: str, value: Any) -> None:
        """Take note of a payload. Raises `States.DataLimitExceeded` over the quota, as Step Functions does."""
        size = len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
        self.payloads[where] = max(self.payloads.get(where, 0), size)
        if size > PAYLOAD_BYTES:
            raise TaskError("States.DataLimitExceeded", where)


def execute(definition: Mapping[str, Any], given: Any, answer: Answer, *, retried: bool = False) -> Trace:
    """Run a definition on `given`. With `retried`, every task needs all its retries.

    Raises `TaskError` where the execution would fail.
    """
    return _run(definition, given, _CONTEXT, answer, Trace(), retried)


def _run(machine: Mapping[str, Any], given: Any, context: Any, answer: Answer, trace: Trace, retried: bool) -> Trace:
    name, value = str(machine["StartAt"]), given
    while name:
        state = machine["States"][name]
        trace.path.append(name)
        trace.transitions += 1
        trace.events += 2
        trace.passes(f"{name} in", value)
        try:
            value, follows = _step(name, state, value, context, answer, trace, retried)
            trace.passes(f"{name} out", value)
        except TaskError as error:
            catcher = _handler(state.get("Catch", ()), error)
            if catcher is None:
                raise
            value = _put(value, catcher.get("ResultPath", "$"), {"Error": error.error, "Cause": error.cause})
            follows = catcher["Next"]
        name = follows
    trace.output = value
    return trace


def _step(
    name: str, state: Mapping[str, Any], value: Any, context: Any, answer: Answer, trace: Trace, retried: bool
) -> tuple[Any, str]:
    follows = state.get("Next", "")
    match state["Type"]:
        case "Task":
            result = _task(name, state, value, context, answer, trace, retried)
        case "Map":
            result = _map(name, state, value, answer, trace, retried)
        case "Succeed":
            return value, ""
        case "Pass":
            result = _filled(state.get("Parameters", value), value, context)
        case "Choice":
            return value, _chosen(state, value)
        case other:
            raise UnknownStateError(f"{name}: {other}")
    if "ResultSelector" in state:
        result = _filled(state["ResultSelector"], result, context)
    return _put(value, state.get("ResultPath", "$"), result), follows


def _task(
    name: str, state: Mapping[str, Any], value: Any, context: Any, answer: Answer, trace: Trace, retried: bool
) -> Any:
    waits = state["Resource"] == f"{_INVOKE}.waitForTaskToken"
    if state["Resource"] != _INVOKE and not waits:
        raise UnknownStateError(f"{name}: {state['Resource']}")
    payload = _filled(state["Parameters"]["Payload"], value, context) if "Payload" in state["Parameters"] else None
    if "Payload.$" in state["Parameters"]:
        payload = _read(state["Parameters"]["Payload.$"], value, context)
    trace.passes(f"{name} payload", payload)
    # TaskScheduled, TaskStarted, and TaskSucceeded or TaskFailed.
    trace.events += 3
    failure: TaskError | None = None
    result: Any = None
    try:
        answered = answer(name, payload)
        result = answered if waits else {"Payload": answered, **ENVELOPE}
    except TaskError as error:
        failure = error
    retries = _retries(state, failure, retried)
    trace.events += 3 * retries
    trace.transitions += retries
    if failure is not None:
        raise failure
    trace.passes(f"{name} answer", result)
    return result


def _retries(state: Mapping[str, Any], failure: TaskError | None, retried: bool) -> int:
    """How often a task is tried again: all its retriers' attempts, or those of the one that takes the failure."""
    if retried:
        return sum(retrier["MaxAttempts"] for retrier in state.get("Retry", ()))
    retrier = _handler(state.get("Retry", ()), failure) if failure else None
    return retrier["MaxAttempts"] if retrier else 0


def _map(name: str, state: Mapping[str, Any], value: Any, answer: Answer, trace: Trace, retried: bool) -> list[Any]:
    inline = state["ItemProcessor"]["ProcessorConfig"] == {"Mode": "INLINE"}
    if not inline and state["ItemProcessor"]["ProcessorConfig"] != {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}:
        raise UnknownStateError(f"{name}: {state['ItemProcessor']['ProcessorConfig']}")
    # MapRunStarted, and MapRunSucceeded or MapRunFailed; the children have histories of their own. Inline:
    # MapStateStarted and MapStateSucceeded, and the same of each iteration, whose states are in this history.
    trace.events += 2
    results: list[Any] = []
    for item in _read(state["ItemsPath"], value, {}):
        context = {**_CONTEXT, "Map": {"Item": {"Index": len(results), "Value": item}}}
        try:
            child = _run(
                state["ItemProcessor"],
                _filled(state["ItemSelector"], value, context),
                context,
                answer,
                Trace(payloads=trace.payloads),
                retried,
            )
        except TaskError as error:
            if inline:
                raise
            # Tolerated failures are none in our scans.
            raise TaskError("States.ExceedToleratedFailureThreshold", error.error) from None
        _count(trace, child, inline=inline)
        results.append(child.output)
    trace.passes(f"{name} results", results)
    return results


def _count(trace: Trace, child: Trace, *, inline: bool) -> None:
    if inline:
        trace.events += child.events
        trace.transitions += child.transitions - 1
    else:
        trace.children += 1
        trace.child_events = max(trace.child_events, child.events)
        trace.child_transitions += child.transitions


def _chosen(state: Mapping[str, Any], value: Any) -> str:
    for rule in state["Choices"]:
        [compares] = set(rule) - {"Variable", "Next"}
        if compares not in _COMPARED:
            raise UnknownStateError(f"a choice by {compares}")
        found = _read(rule["Variable"], value, {})
        if isinstance(found, _COMPARED[compares]) and found == rule[compares]:
            return str(rule["Next"])
    return str(state["Default"])


_COMPARED = {"StringEquals": str, "BooleanEquals": bool}


def _handler(handlers: Any, error: TaskError) -> Any:
    """The first retrier or catcher that takes the error. `States.ALL` takes all but `States.DataLimitExceeded`
    (Step Functions, "Handling errors in Step Functions workflows")."""
    for handler in handlers:
        names = handler["ErrorEquals"]
        if error.error in names or ("States.ALL" in names and error.error != "States.DataLimitExceeded"):
            return handler
    return None


def _filled(template: Any, value: Any, context: Any) -> Any:
    if isinstance(template, Mapping):
        return dict(_field(key, part, value, context) for key, part in template.items())
    return template


def _field(key: str, part: Any, value: Any, context: Any) -> tuple[str, Any]:
    if key.endswith(".$"):
        formatted = _FORMAT.fullmatch(part)
        if formatted is None:
            return key.removesuffix(".$"), _read(part, value, context)
        arguments = (_read(path, value, context) for path in formatted[2].split(", ")[1:])
        return key.removesuffix(".$"), formatted[1].format(*arguments)
    return key, _filled(part, value, context)


def _read(path: str, value: Any, context: Any) -> Any:
    root, *names = path.split(".")
    if root not in ("$", "$$"):
        raise UnknownStateError(path)
    found = context if root == "$$" else value
    for name in names:
        found = found[name]
    return found


def _put(value: Any, path: str, result: Any) -> Any:
    root, *names = path.split(".")
    if root != "$" or len(names) > 1:
        raise UnknownStateError(path)
    return {**value, names[0]: result} if names else result
