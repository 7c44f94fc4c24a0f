"""The scan state machine keeps within Step Functions' limits whatever the size of the file: planned, nothing scanned.

The definition is the deployed one, and what passes between its states are the real payloads at their largest.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunegate.act.settle import Scanned
from tunegate.facts import Content, Encryption
from tunegate.judge.reasons import reason_of
from tunegate.model import Category, Decision, Finding, ObjectVersion, Severity, Verdict
from tunegate.policy import Limits, default_policy
from tunegate.scan.plan import MOST_SHARDS, plan
from tunegate.steps import (
    HoldTask,
    InspectedFile,
    Inspection,
    Judgement,
    JudgeTask,
    ObjectRef,
    ScanRequest,
    SettleTask,
    ShardResult,
    ShardTask,
)
from tunegate_local.states import HISTORY_EVENTS, MOST_CHILDREN, PAYLOAD_BYTES, TaskError, Trace, execute

MACHINE = yaml.safe_load((Path(__file__).parents[2] / "statemachines/scan.asl.yaml").read_text("utf-8"))
LARGEST = next(rule.le for rule in Limits.model_fields["object_bytes"].metadata if hasattr(rule, "le"))
SIZES = [10**10, default_policy().limits.object_bytes, LARGEST]

KEY = "arn:aws:kms:us-gov-west-1:111122223333:key/0dc5079d-7542-477a-93b9-14c91008c7f8"
SUBJECT = ObjectVersion("b" * 63, "k" * 1024, "v" * 40)
REQUEST = ScanRequest(object=ObjectRef.of(SUBJECT), order="0" * 32, scan_id="s" * 80)
FINDING = Finding(
    Category.PII, "T" * 40, Severity.HIGH, True, 10**9, "/p" * 60, 10, 0.5, ("screen", "comprehend"), ((1, 2),) * 10
)
OURS = json.dumps(
    {
        "errorMessage": "Looking for sensitive data: ContainsPiiEntities answered AccessDeniedException",
        "errorType": "PermanentError",
        "requestId": "0dc5079d-7542-477a-93b9-14c91008c7f8",
        "stackTrace": [
            '  File "/opt/python/tunegate/handler.py", line 48, in run\n    _reraise(type(error), str(error))'
        ]
        * 4,
    }
)
"""A failure of ours as Lambda hands it to Step Functions."""


class Functions:
    """The functions' answers for a file of `size` bytes, each read and written by the models the real ones use."""

    def __init__(self, size: int, shard_bytes: int, verdict: Verdict = Verdict.FLAGGED) -> None:
        self.size = size
        self.shards = plan(size, gzipped=False, shard_bytes=shard_bytes)
        self.decision = Decision(
            SUBJECT, verdict, "d" * 64, (FINDING,) * 500, "r" * 500, {"pii/" + "T" * 40: 1} | TOTALS
        )
        self.failing = ""
        self.held: HoldTask | None = None

    def __call__(self, state: str, payload: Any) -> Any:
        if state == self.failing:
            raise TaskError("PermanentError", OURS)
        match state:
            case "Inspect":
                ScanRequest.model_validate(payload)
                return self._inspection().model_dump(mode="json")
            case "ScanText":
                return ShardResult(index=ShardTask.model_validate(payload).shard.index).model_dump(mode="json")
            case "Judge":
                assert len(JudgeTask.model_validate(payload).results) == len(self.shards)
                return Judgement.of(self.decision, "findings/" + "s" * 80).model_dump(mode="json")
            case "Settle":
                task = SettleTask.model_validate(payload)
                Scanned(task.judgement.decision(SUBJECT), task.order, task.scan_id, task.judgement.evidence)
                return {"bucket": "b" * 63, "version_id": "v" * 40}
            case "Hold":
                self.held = HoldTask.model_validate(payload)
                return {"reason": "r" * 500}
        pytest.fail(f"no function for {state}")

    def _inspection(self) -> Inspection:
        file = InspectedFile(
            size=self.size,
            content=Content.JSONL,
            gzipped=False,
            encryption=Encryption("aws:kms:dsse", KEY),
            policy_digest="d" * 64,
        )
        return Inspection(file=file, shards=self.shards)


TOTALS = {f"pii/TYPE_{number}": 10**9 for number in range(100)}


def run(functions: Functions, *, retried: bool = False) -> Trace:
    return execute(MACHINE, json.loads(REQUEST.model_dump_json()), functions, retried=retried)


@pytest.mark.parametrize("shard_bytes", [1, 1024**2, 512 * 1024**2])
@pytest.mark.parametrize("size", SIZES)
def test_the_largest_file_passes_every_state_within_the_limits_even_if_every_task_is_retried(
    size: int, shard_bytes: int
) -> None:
    functions = Functions(size, shard_bytes)
    trace = run(functions, retried=True)
    assert trace.ended_in == "Settle"
    assert max(trace.payloads.values()) <= PAYLOAD_BYTES
    assert trace.events < HISTORY_EVENTS
    assert trace.child_events < HISTORY_EVENTS
    assert trace.children == len(functions.shards) <= MOST_SHARDS <= MOST_CHILDREN


@pytest.mark.parametrize("size", [*SIZES, 50 * 1024**4])
def test_the_number_of_shards_is_bounded_and_they_cover_the_file(size: int) -> None:
    shards = plan(size, gzipped=False, shard_bytes=1)
    assert len(shards) <= MOST_SHARDS
    assert (shards[0].start, shards[-1].end) == (0, None)
    assert shards[-1].start < size


@pytest.mark.parametrize("state", ["Inspect", "Judge", "Settle"])
def test_a_step_that_fails_for_good_ends_in_hold_with_its_reason(state: str) -> None:
    functions = Functions(LARGEST, 1)
    functions.failing = state
    assert run(functions).ended_in == "Hold"
    assert functions.held is not None
    assert functions.held.error is not None
    assert "AccessDenied" in reason_of(functions.held.error.Error, functions.held.error.Cause)


def test_every_task_waits_for_its_turn_when_the_accounts_concurrency_is_used_up() -> None:
    waits = {name: least_wait(state) for name, state in tasks(MACHINE) if not name.startswith("Hold")}
    assert min(waits.values()) > 45 * 60


def tasks(machine: Any) -> Iterator[tuple[str, Any]]:
    for name, state in machine["States"].items():
        if state["Type"] == "Task":
            yield name, state
        if "ItemProcessor" in state:
            yield from tasks(state["ItemProcessor"])


def least_wait(task: Any) -> float:
    """Seconds that a throttled task waits in the mean: full jitter takes half of each interval."""
    error = "Lambda.TooManyRequestsException"
    retrier = next(one for one in task["Retry"] if error in one["ErrorEquals"])
    intervals = (retrier["IntervalSeconds"] * retrier["BackoffRate"] ** at for at in range(retrier["MaxAttempts"]))
    return float(sum(min(interval, retrier["MaxDelaySeconds"]) for interval in intervals)) / 2


def test_a_held_judgement_goes_to_hold() -> None:
    assert run(Functions(LARGEST, 1, Verdict.HELD)).ended_in == "Hold"


@pytest.mark.parametrize("size", [10**6, 10**8, 10**9, LARGEST])
def test_a_file_all_of_whose_shards_fail_is_held_however_many_they_are(size: int) -> None:
    functions = Functions(size, 1024**2, Verdict.HELD)
    functions.failing = "ScanText"
    assert run(functions).ended_in == "Hold"
