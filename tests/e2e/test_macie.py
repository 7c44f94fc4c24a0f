"""Verdicts that wait for Macie: only a complete job's own result on the very version passes a file."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from e2e.conftest import SETTLE_SECONDS, Deployment
from e2e.world import control
from tunegate.model import ObjectVersion

CLEAN = b'{"prompt": "What is the capital of France?", "completion": "Paris is the capital of France."}\n'
# The second line: the built-in screen and Comprehend see it as well, so what counts is that Macie is named.
SENSITIVE = CLEAN + b'{"prompt": "Who are you?", "completion": "My social security number is 536-90-4399."}\n'
ENDS: dict[str, tuple[dict[str, Any], str]] = {
    "PAUSED": ({"status": "PAUSED"}, "its job is PAUSED"),
    "CANCELLED": ({"status": "CANCELLED"}, "its job is CANCELLED"),
    "error": ({"status": "COMPLETE", "error": True}, "its job ended with an error"),
}


@pytest.fixture(scope="module", autouse=True)
def gate(deployment: Deployment) -> Iterator[None]:
    with deployment.policy(services={"macie": "gate"}):
        yield
    control(deployment, "macie", {})


def settled(deployment: Deployment, uploads: Mapping[str, ObjectVersion]) -> None:
    """Wait for all verdicts, doing meanwhile what the schedule does every minute."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while not all(deployment.decisions(upload.key) for upload in uploads.values()):
        assert time.monotonic() < deadline, "not all uploads got a verdict"
        answer = deployment.client("lambda").invoke(FunctionName=deployment.outputs["AskMacieFunction"])
        assert "FunctionError" not in answer, json.load(answer["Payload"])
        time.sleep(1)


def test_uploads_are_judged_by_macies_own_results_on_them(deployment: Deployment) -> None:
    bodies = {"one/clean.jsonl": CLEAN, "two/clean.jsonl": CLEAN, "two/sensitive.jsonl": SENSITIVE, "data.npz": CLEAN}
    uploads = {name: deployment.put(f"macie-{name}", body) for name, body in bodies.items()}
    settled(deployment, uploads)
    decisions = {name: deployment.settled(upload).decision for name, upload in uploads.items()}
    assert {name: decision.verdict for name, decision in decisions.items()} == {
        "one/clean.jsonl": "clean",
        "two/clean.jsonl": "clean",
        "two/sensitive.jsonl": "flagged",
        "data.npz": "held",
    }
    found = {(one.type, one.line) for one in decisions["two/sensitive.jsonl"].findings if "macie" in one.detectors}
    assert found == {("USA_SOCIAL_SECURITY_NUMBER", 2)}
    assert decisions["data.npz"].reason == "Macie could not tell: SKIPPED UNSUPPORTED_FILE_TYPE_EXCEPTION"


def test_the_stacks_own_identifier_flags_and_its_allow_list_lets_pass(deployment: Deployment) -> None:
    own = CLEAN + b'{"prompt": "Whose file is it?", "completion": "The file of TG-20261123."}\n'
    sample = (
        CLEAN + b'{"prompt": "What is a sample?", "completion": "A sample social security number is 219-09-9999."}\n'
    )
    uploads = {"own": deployment.put("macie-own/own.jsonl", own), "sample": deployment.put("macie-own/s.jsonl", sample)}
    settled(deployment, uploads)
    found = {name: deployment.settled(upload).decision.findings for name, upload in uploads.items()}
    by_macie = {name: [(f.type, f.line) for f in of if "macie" in f.detectors] for name, of in found.items()}
    assert by_macie == {"own": [("tunegate_identifier", 2)], "sample": []}


@pytest.mark.parametrize("end", ENDS)
def test_a_job_that_does_not_end_well_holds_its_uploads_and_says_why(deployment: Deployment, end: str) -> None:
    ending, reason = ENDS[end]
    control(deployment, "macie", ending)
    upload = deployment.put(f"macie-{end}/clean.jsonl", CLEAN)
    settled(deployment, {end: upload})
    decision = deployment.settled(upload).decision
    assert (decision.verdict, decision.reason) == ("held", f"Macie could not tell: {reason}")
