"""Verdicts that wait for GuardDuty: whatever the order in which its results come, each upload gets the right one."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from e2e.conftest import Deployment, wait_for
from e2e.model_world import decided, put_model
from e2e.world import control
from tunegate.model import ObjectVersion
from tunegate_local.services.guardduty import RESULT
from tunegate_local.services.malware import SIGNATURES
from unit.weights_world import MODEL

CLEAN = b'{"prompt": "What is the capital of France?", "completion": "Paris is the capital of France."}\n'
# Found by the scanner of that name only: the built-in screen does not know it.
INFECTED = b'{"prompt": "hello", "completion": "%s"}\n' % list(SIGNATURES)[1]
LIMIT = 40
"""Seconds that a verdict waits."""
LATE = 10.0
"""Seconds after an upload by which its scan has long been waiting."""

ORDERS: dict[str, dict[str, Any]] = {
    "first": {"seconds": 0},
    "first-thrice": {"seconds": 0, "copies": 3},
    "late": {"seconds": LATE},
    "late-thrice": {"seconds": LATE, "copies": 3},
}
UNSCANNED = ("UNSUPPORTED", "ACCESS_DENIED", "FAILED")


@pytest.fixture(scope="module")
def uploads(deployment: Deployment) -> Iterator[Mapping[str, ObjectVersion]]:
    """All of them at once, by name, each answered on in its own way."""
    with deployment.policy(services={"malware": "guardduty", "malware_seconds": LIMIT}):
        for name, answering in ORDERS.items():
            control(deployment, "malware", {"prefix": f"malware/{name}/", **answering})
        for status in UNSCANNED:
            control(deployment, "malware", {"prefix": f"malware/{status}/", "seconds": 0, "status": status})
        for name in ("never", "again"):
            control(deployment, "malware", {"prefix": f"malware/{name}/", "copies": 0})
        bodies = {f"{name}/{body}": data for name in ORDERS for body, data in BODIES.items()}
        bodies |= {f"{name}/clean": CLEAN for name in UNSCANNED} | {"never/clean": CLEAN, "again/infected": INFECTED}
        put = {name: deployment.put(f"malware/{name}.jsonl", data) for name, data in bodies.items()}
        put_model(deployment, "models/infected/", {**MODEL, "README.md": b"# A model " + list(SIGNATURES)[1]})
        yield put


BODIES = {"clean": CLEAN, "infected": INFECTED}


def waits(deployment: Deployment, upload: ObjectVersion) -> bool:
    """Whether a scan waits for an answer on the upload."""
    key = {"pk": {"S": f"wait#{upload.digest}"}, "sk": {"S": "malware"}}
    row = deployment.client("dynamodb").get_item(TableName=deployment.outputs["LedgerTable"], Key=key).get("Item", {})
    return "tokens" in row


def test_a_lost_result_that_is_sent_again_resumes_the_scan(
    deployment: Deployment, uploads: Mapping[str, ObjectVersion]
) -> None:
    upload = uploads["again/infected"]
    wait_for("a waiting scan", lambda: waits(deployment, upload) or None, LIMIT)
    detail = {
        "schemaVersion": "1.0",
        "scanStatus": "COMPLETED",
        "resourceType": "S3_OBJECT",
        "s3ObjectDetails": {
            "bucketName": upload.bucket,
            "objectKey": upload.key,
            "eTag": "e",
            "versionId": upload.version_id,
            "s3Throttled": False,
        },
        "scanResultDetails": {"scanResultStatus": "THREATS_FOUND", "threats": [{"name": "Some.Threat"}]},
    }
    event = {"source": "aws.guardduty", "detail-type": RESULT, "detail": detail, "resources": []}
    control(deployment, "events", event, "POST")
    row = deployment.settled(upload)
    assert (row.decision.verdict, row.decision.reason) == ("flagged", "malware/Some_Threat (1)")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("body", "verdict"), [("clean", "clean"), ("infected", "flagged")])
def test_a_result_may_come_before_its_waiter_or_after_once_or_more(
    deployment: Deployment, uploads: Mapping[str, ObjectVersion], order: str, body: str, verdict: str
) -> None:
    upload = uploads[f"{order}/{body}"]
    assert deployment.settled(upload).decision.verdict == verdict
    [row] = deployment.decisions(upload.key)
    found = {(finding.category, finding.type, finding.detectors) for finding in row.decision.findings}
    assert (("malware", "Clamav_Test_File_6", ("guardduty",)) in found) is (verdict == "flagged")


@pytest.mark.parametrize("status", UNSCANNED)
def test_what_guardduty_could_not_scan_is_held_and_says_so(
    deployment: Deployment, uploads: Mapping[str, ObjectVersion], status: str
) -> None:
    row = deployment.settled(uploads[f"{status}/clean"])
    assert (row.decision.verdict, row.decision.reason) == ("held", f"GuardDuty could not tell: {status}")


def test_a_model_waits_for_every_one_of_its_files(deployment: Deployment, uploads: Mapping[str, ObjectVersion]) -> None:
    row = decided(deployment, "models/infected/")
    assert row.decision.verdict == "flagged"
    assert {finding.file for finding in row.decision.findings if finding.category == "malware"} == {"README.md"}


def test_a_result_that_never_comes_holds_the_upload(
    deployment: Deployment, uploads: Mapping[str, ObjectVersion]
) -> None:
    upload = uploads["never/clean"]
    row = deployment.settled(upload)
    assert (row.decision.verdict, row.decision.reason) == ("held", f"GuardDuty did not answer within {LIMIT} seconds")
    [alert] = wait_for("the alert", lambda: deployment.alerts(upload.key) or None)
    assert "did not answer" in alert["text"]
