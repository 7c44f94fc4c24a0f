"""What AWS does between the functions: queues, retries, executions, the ledger's stream; and the operator who redrives.

Each is as AWS documents it: a queue gives a message again until it was received five times, then keeps it apart; a
state's retriers and catchers are the deployed definition's; an asynchronous invocation is tried three times; a stream
gives a batch again until it is taken.
"""

import json
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import yaml

from faults.account import SCAN, SCAN_MODEL, Account
from faults.injector import Injector, Operation, Params, Refusal, Reply, Way
from functional.lambdas import Context, function
from tunegate_local.states import TaskError, execute

ROOT = Path(__file__).parents[2]
RECEIVES = 5
ASYNC_TRIES = 3
STREAM_TRIES = 10
REDRIVES = 3
FUNCTIONS = {
    "InspectFunctionArn": "inspect_object",
    "ScanTextFunctionArn": "scan_text",
    "JudgeFunctionArn": "judge_object",
    "SettleFunctionArn": "settle_object",
    "HoldFunctionArn": "hold_object",
    "AwaitFunctionArn": "await_answer",
    "ScanModelFunctionArn": "scan_model",
    "RecordFunctionArn": "record_upload",
}
"""By the name that a definition has for a function; the template says the same."""
MACHINES = {SCAN: "scan", SCAN_MODEL: "scan_model"}


CRASHED = "Runtime.ExitError"
"""What Step Functions is told of a process that is gone."""


class FailedError(Exception):
    """A function ended with an error, as Lambda tells of it."""

    def __init__(self, kind: str, cause: str) -> None:
        super().__init__(f"{kind}: {cause}")
        self.kind, self.cause = kind, cause


@dataclass
class Execution:
    machine: str
    given: dict[str, Any]
    status: str = "RUNNING"
    begun: bool = False


@dataclass
class Platform:
    """`watch` is called after every invocation that changed something, with whatever state that has left."""

    account: Account
    injector: Injector
    watch: Callable[[], None] = lambda: None
    executions: dict[str, Execution] = field(default_factory=dict)
    answered: dict[str, Any] = field(default_factory=dict)
    on_wait: Callable[[dict[str, Any]], None] | None = None
    """Has a service answer, given what `await_answer` was given."""
    _queue: deque[tuple[str, str]] = field(default_factory=deque)
    _told: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def replies(self) -> Mapping[Operation, Reply]:
        """Step Functions, which is this platform's."""
        return {
            ("stepfunctions", "StartExecution"): self._start,
            ("stepfunctions", "DescribeExecution"): self._describe,
            ("stepfunctions", "ListExecutions"): self._list,
            ("stepfunctions", "SendTaskSuccess"): self._resume,
        }

    # --- What happens in the account ---

    def send(self, function: str, body: Mapping[str, Any]) -> None:
        """A message for a function, in its queue."""
        self._queue.append((function, json.dumps(body)))

    def invoke(self, function: str, event: Any) -> Any:
        """Run a function once. Raises `FailedError`."""
        self.injector.running, self.injector.dead = function, False
        before = len(self.injector.calls)
        try:
            with redirect_stdout(StringIO()):
                answer = module(function).handler(event, Context())
        except Exception as error:
            kind = CRASHED if self.injector.dead else type(error).__name__
            cause = json.dumps({"errorMessage": str(error), "errorType": kind})
            raise FailedError(kind, cause) from error
        else:
            if self.injector.dead:
                raise FailedError(CRASHED, "")
            return answer
        finally:
            self.injector.running = ""
            if any(len(call.ways) == len(Way) for call in self.injector.calls[before:]):
                self.watch()

    def invoke_async(self, function: str, event: Any) -> None:
        """An event for a function: three tries, then kept apart until it is redriven."""
        for _ in range(ASYNC_TRIES * (1 + REDRIVES)):
            try:
                self.invoke(function, event)
            except FailedError:
                continue
            return
        raise AssertionError(f"{function} failed for good")

    def ask(self, function: str, event: Any) -> Any:
        """What a person asks for, who asks again when told that it failed."""
        for _ in range(RECEIVES):
            try:
                return self.invoke(function, event)
            except FailedError as error:
                last = error
        raise AssertionError(f"{function} failed for good: {last}")

    def settle(self) -> None:
        """Let everything that waits happen, and redrive what failed for good, until nothing waits."""
        for _ in range(1 + REDRIVES):
            while self._step():
                pass
            if not self._forgotten() and not self._held():
                return
            # The schedules: what ended without a verdict is found and started again, and what is held looked at again.
            for scheduled in ("reconcile", "gather_models"):
                self.invoke_async(scheduled, {})
        if self._forgotten():
            raise AssertionError(f"something waits for ever: {self._forgotten()}")

    def _step(self) -> bool:
        # One that has begun is in the midst of a step, during which others go on.
        waits = next((one for one in self.executions.values() if one.status == "RUNNING" and not one.begun), None)
        if self._queue:
            self._receive(*self._queue.popleft())
        elif waits:
            self._run(waits)
        elif not (self._take_from_jobs_queue() or self._stream()):
            return False
        return True

    def _forgotten(self) -> list[str]:
        """Executions that failed, and whose upload no later one has seen to."""
        done = {_subject(one) for one in self.executions.values() if one.status == "SUCCEEDED"}
        return [name for name, one in self.executions.items() if one.status == "FAILED" and _subject(one) not in done]

    def _held(self) -> bool:
        """Whether something is unknown of a job or a model; a held file has been told of, and waits for a person."""
        rows = self.account.rows()
        return any(row.get("entity", {}).get("S") == "subject" and row["gaps"]["L"] for row in rows)

    # --- Queues and the stream ---

    def _receive(self, function: str, body: str) -> None:
        # Twice five: it was in the dead letters, and the operator gave it back.
        for received in range(1, 2 * RECEIVES + 1):
            record = {
                "messageId": "1", "receiptHandle": "r", "body": body, "md5OfBody": "", "messageAttributes": {},
                "attributes": {"ApproximateReceiveCount": str(received)}, "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:queue", "awsRegion": "us-east-1",
            }  # fmt: skip
            try:
                answer = self.invoke(function, {"Records": [record]})
            except FailedError:
                continue
            if not answer["batchItemFailures"]:
                return
        raise AssertionError(f"{function} never took its message")

    def _take_from_jobs_queue(self) -> bool:
        sqs, queue = self.account.sqs, self.account.jobs_queue
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=1).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            self._queue.append(("verify_job", message["Body"]))
        return bool(messages)

    def _stream(self) -> bool:
        """Deliver rows that are new, and breaches and gaps that were changed, as the mapping's filter lets through."""
        delivered = False
        for row in sorted(self.account.rows(), key=lambda row: row.get("at", {}).get("S", "")):
            key = (row["pk"]["S"], row["sk"]["S"])
            before = self._told.get(key)
            if before == row:
                continue
            self._told[key] = row
            if before is None or row.get("entity", {}).get("S") in {"breach", "gap"}:
                self._deliver("MODIFY" if before else "INSERT", row)
                delivered = True
        return delivered

    def _deliver(self, name: str, row: Mapping[str, Any]) -> None:
        change = {"NewImage": row, "SequenceNumber": "1", "Keys": {"pk": row["pk"], "sk": row["sk"]}}
        record = {"eventID": "1", "eventName": name, "eventSource": "aws:dynamodb", "dynamodb": change}
        for _ in range(STREAM_TRIES):
            try:
                answer = self.invoke("send_alert", {"Records": [record]})
            except FailedError:
                continue
            if not answer["batchItemFailures"]:
                return
        raise AssertionError("send_alert never took its record")

    # --- Executions ---

    def _run(self, execution: Execution) -> None:
        execution.begun = True
        machine = definition(MACHINES[execution.machine])
        states = dict(_states(machine))
        token = f"token-{len(self.answered)}"

        def answer(name: str, payload: Any) -> Any:
            return self._task(states[name], payload, token)

        try:
            execute(machine, execution.given, answer)
        except TaskError:
            execution.status = "FAILED"
        else:
            execution.status = "SUCCEEDED"

    def _task(self, state: Mapping[str, Any], payload: Any, token: str) -> Any:
        """A task with all its retries. Raises `TaskError` once they are used up."""
        function = FUNCTIONS[state["Parameters"]["FunctionName"].strip("${}")]
        waits = state["Resource"].endswith(".waitForTaskToken")
        if waits:
            payload = {**payload, "token": token}
        left = [retrier["MaxAttempts"] for retrier in state.get("Retry", ())]
        while True:
            try:
                answer = self.invoke(function, payload)
                break
            except FailedError as failed:
                taker = _taker(state.get("Retry", ()), failed.kind)
                if taker is None or left[taker] == 0:
                    raise TaskError(failed.kind, failed.cause) from failed
                left[taker] -= 1
        if not waits:
            return answer
        if token not in self.answered and self.on_wait:
            self.on_wait(payload)
        if token not in self.answered:
            raise TaskError("States.Timeout")
        return self.answered[token]

    # --- Step Functions' operations ---

    def _start(self, asked: Params) -> Any:
        execution = Execution(asked["stateMachineArn"], json.loads(asked["input"]))
        known = self.executions.get(asked["name"])
        if known and (known.given != execution.given or known.status != "RUNNING"):
            raise Refusal("ExecutionAlreadyExists")
        self.executions.setdefault(asked["name"], execution)
        return {"executionArn": f"{asked['stateMachineArn']}:{asked['name']}"}

    def _describe(self, asked: Params) -> Any:
        known = self.executions.get(asked["executionArn"].rpartition(":")[2])
        if known is None:
            raise Refusal("ExecutionDoesNotExist")
        return {"status": known.status, "input": json.dumps(known.given)}

    def _list(self, asked: Params) -> Any:
        arn = asked["stateMachineArn"].replace(":stateMachine:", ":execution:")
        wanted = (asked["stateMachineArn"], asked["statusFilter"])
        names = [name for name, one in self.executions.items() if (one.machine, one.status) == wanted]
        return {"executions": [{"executionArn": f"{arn}:{name}"} for name in names]}

    def _resume(self, asked: Params) -> Any:
        self.answered[asked["taskToken"]] = json.loads(asked["output"])
        return {}


module = cache(function)
"""A function's own code, loaded once."""


@cache
def definition(name: str) -> Any:
    return yaml.safe_load((ROOT / f"statemachines/{name}.asl.yaml").read_text("utf-8"))


def _states(machine: Mapping[str, Any]) -> Any:
    for name, state in machine["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from _states(state["ItemProcessor"])


def _taker(retriers: Any, kind: str) -> int | None:
    for number, retrier in enumerate(retriers):
        if kind in retrier["ErrorEquals"] or "States.ALL" in retrier["ErrorEquals"]:
            return number
    return None


def _subject(execution: Execution) -> str:
    return json.dumps(execution.given["object"])
