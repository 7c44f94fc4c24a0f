"""What happens after a verdict: a person releases a flagged file, or mends what held one and has it scanned again."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from e2e.conftest import Deployment, wait_for
from e2e.test_iam import as_service_role, s3_endpoint
from tunegate.model import ObjectVersion
from tunegate_cli.main import app
from tunegate_local.emulator import HOST
from tunegate_local.origin import through

CLEAN = b'{"prompt": "What is the capital of France?", "completion": "Paris is the capital of France."}\n'
FLAGGED = b'{"prompt": "My social security number is 536-22-8127.", "completion": "Thank you."}\n'


@pytest.fixture
def command(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`tunegate`, with the environment that `tunegate up` tells people to export."""
    for name, value in deployment.cloud.environment().items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def failing_comprehend(deployment: Deployment) -> Iterator[str]:
    """Comprehend refuses every look for sensitive data, until the test ends or says so."""
    url = f"http://{HOST}:{deployment.cloud.ports.comprehend}/_faults"
    fault = {"operation": "ContainsPiiEntities", "error": "AccessDeniedException", "times": 1000}
    _ask(url, "PUT", fault)
    yield url
    _ask(url, "DELETE")


def _ask(url: str, method: str, body: object = None) -> None:
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(urllib.request.Request(url, data, method=method)) as answer:
        assert answer.status < 300


def test_a_released_file_is_what_bedrock_then_reads_and_the_ledger_says_who_and_why(
    deployment: Deployment, command: Any
) -> None:
    upload = deployment.put("review/release.jsonl", FLAGGED)
    assert deployment.settled(upload).decision.verdict == "flagged"
    role = deployment.outputs["ModelCustomizationRoleArn"]
    bedrock = through(as_service_role(deployment, "s3", role), s3_endpoint(deployment))
    approved = {"Bucket": deployment.outputs["ApprovedBucket"], "Key": upload.key}
    assert deployment.versions("ApprovedBucket", upload.key) == []

    assert command("release", upload.key).exit_code != 0, "a release without a reason is refused"
    released = command("release", upload.key, "--reason", "made-up test data")
    assert released.exit_code == 0, released.output
    assert bedrock.get_object(**approved)["Body"].read() == FLAGGED
    row = next(row for row in deployment.decisions(upload.key) if row.action == "release")
    assert (row.decision.reason, row.decision.verdict) == ("made-up test data", "clean")
    assert row.actor.startswith("arn:aws:iam::")
    assert len(deployment.versions("QuarantineBucket", upload.key)) == 1


def test_a_file_no_service_answered_for_is_held_and_clean_when_scanned_again(
    deployment: Deployment, command: Any, failing_comprehend: str
) -> None:
    upload = deployment.put("review/held.jsonl", CLEAN)
    held = deployment.settled(upload)
    assert held.decision.verdict == "held"
    assert "ContainsPiiEntities answered AccessDeniedException" in held.decision.reason
    assert deployment.versions("ApprovedBucket", upload.key) == []
    [alert] = wait_for("the alert", lambda: deployment.alerts(upload.key) or None)
    assert "AccessDeniedException" in alert["text"]

    _ask(failing_comprehend, "DELETE")
    again = command("rescan", upload.key)
    assert again.exit_code == 0, again.output
    wait_for("the second verdict", lambda: _clean(deployment, upload))
    assert len(deployment.versions("ApprovedBucket", upload.key)) == 1
    assert deployment.versions("IntakeBucket", upload.key) == []
    assert len(deployment.alerts(upload.key)) == 1


def test_a_service_that_is_throttled_slows_the_scan_down_and_does_not_hold_the_file(deployment: Deployment) -> None:
    url = f"http://{HOST}:{deployment.cloud.ports.bedrock_runtime}/_faults"
    # More than the SDK's own six tries, so that the state machine has to try again.
    _ask(url, "PUT", {"operation": "InvokeGuardrailChecks", "error": "ThrottlingException", "times": 8})
    row = deployment.settled(deployment.put("review/throttled.jsonl", CLEAN))
    assert row.decision.verdict == "clean"


def _clean(deployment: Deployment, upload: ObjectVersion) -> bool | None:
    rows = [row for row in deployment.decisions(upload.key) if row.decision.subject == upload]
    return any(row.decision.verdict == "clean" for row in rows) or None
