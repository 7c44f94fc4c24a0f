"""The model scan's state machine keeps within Step Functions' limits whatever an upload's size, and whatever fails.

The definition is the deployed one, and what passes between its states are the real payloads at their largest.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunegate.judge.uploads import upload_decision
from tunegate.model import Decision, ObjectVersion, Verdict
from tunegate.model_gathering import MOST_BYTES
from tunegate.model_rules import ModelRules
from tunegate.rows import MOST_FINDINGS
from tunegate.steps import (
    HoldTask,
    Judgement,
    ModelScanned,
    ModelScanRequest,
    ModelScanTask,
    ObjectRef,
    RecordTask,
    SettleTask,
    UploadedRef,
)
from tunegate_local.states import HISTORY_EVENTS, PAYLOAD_BYTES, TaskError, Trace, execute
from unit.test_scan_machine import FINDING, OURS, TOTALS

MACHINE = yaml.safe_load((Path(__file__).parents[2] / "statemachines/scan_model.asl.yaml").read_text("utf-8"))
MOST_FILES = next(rule.le for rule in ModelRules.model_fields["files"].metadata if hasattr(rule, "le"))
SUBJECT = ObjectVersion("b" * 63, "models/" + "k" * 500, "d" * 64)


def references(number: int) -> tuple[UploadedRef, ...]:
    """So many files, with keys as long as all of them together may be."""
    bare = UploadedRef(object=ObjectRef(bucket="b" * 63, key="", version_id="v" * 32), order="0" * 32)
    length = MOST_BYTES // number - len(bare.model_dump_json())
    named = (f"{index:0>{length}}"[:length] for index in range(number))
    return tuple(bare.model_copy(update={"object": bare.object.model_copy(update={"key": name})}) for name in named)


class Functions:
    """The functions' answers, each read and written by the models the real ones use; every state in `failing` fails."""

    def __init__(self, verdict: Verdict, *failing: str, changed: bool = False) -> None:
        decision = Decision(SUBJECT, verdict, "d" * 64, (FINDING,) * MOST_FINDINGS, "r" * 500, TOTALS)
        self.scanned = ModelScanned(
            changed=changed, judgement=None if changed else Judgement.of(decision, "findings/" + "s" * 80)
        )
        self.failing = failing
        self.held: list[HoldTask] = []
        self.recorded: RecordTask | None = None

    def __call__(self, state: str, payload: Any) -> Any:
        if state in self.failing:
            raise TaskError("PermanentError", OURS)
        match state:
            case "ScanModel":
                ModelScanTask.model_validate(payload)
                return self.scanned.model_dump(mode="json")
            case "SettleFile":
                SettleTask.model_validate(payload)
                return {"bucket": "b" * 63, "version_id": "v" * 32}
            case "HoldJudged" | "HoldFile" | "HoldReplaced" | "HoldEach":
                self.held.append(HoldTask.model_validate(payload))
                return {"reason": "r" * 500}
            case "Record" | "RecordHeld":
                self.recorded = RecordTask.model_validate(payload)
                return {"verdict": upload_decision(self.recorded).verdict}
        pytest.fail(f"no function for {state}")


def run(functions: Functions, files: int = MOST_FILES, replaced: int = 0) -> Trace:
    every = references(files + replaced)
    request = ModelScanRequest(
        object=ObjectRef.of(SUBJECT),
        order="0" * 32,
        scan_id="s" * 80,
        files=every[:files],
        replaced=every[files:],
        waits=(),
    )
    trace = execute(MACHINE, json.loads(request.model_dump_json()), functions, retried=True)
    assert max(trace.payloads.values()) <= PAYLOAD_BYTES
    assert trace.events < HISTORY_EVENTS
    assert trace.child_events < HISTORY_EVENTS
    return trace


@pytest.mark.parametrize("verdict", [Verdict.CLEAN, Verdict.FLAGGED, Verdict.HELD])
def test_the_largest_upload_is_settled_and_recorded_within_the_limits(verdict: Verdict) -> None:
    functions = Functions(verdict)
    assert run(functions).ended_in == "Record"
    assert functions.recorded is not None
    assert upload_decision(functions.recorded).verdict is verdict


def test_an_upload_none_of_whose_files_can_be_moved_is_held_however_many_they_are() -> None:
    functions = Functions(Verdict.CLEAN, "SettleFile")
    assert run(functions).ended_in == "Record"
    assert len(functions.held) == MOST_FILES
    assert functions.recorded is not None
    decision = upload_decision(functions.recorded)
    assert decision.verdict is Verdict.HELD
    assert f"{MOST_FILES} of its files could not be moved" in decision.reason


def test_an_upload_that_cannot_be_scanned_is_held_file_by_file_and_recorded() -> None:
    functions = Functions(Verdict.CLEAN, "ScanModel")
    assert run(functions).ended_in == "RecordHeld"
    assert len(functions.held) == MOST_FILES
    assert functions.recorded is not None
    assert "AccessDenied" in upload_decision(functions.recorded).reason


def test_versions_that_were_replaced_are_held_however_many_they_are() -> None:
    functions = Functions(Verdict.CLEAN)
    assert run(functions, 1, MOST_FILES - 1).ended_in == "Record"
    assert len(functions.held) == MOST_FILES - 1
    assert len({task.scan_id for task in functions.held}) == MOST_FILES - 1


def test_an_upload_that_changed_meanwhile_is_left_to_the_scan_of_what_is_there_now() -> None:
    functions = Functions(Verdict.CLEAN, changed=True)
    assert run(functions).ended_in == "Changed"
    assert functions.recorded is None
