"""Verdicts that wait for GuardDuty: whatever the order in which its results come, each upload gets the right one."""

import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.conftest import Deployment, wait_for
from e2e.model_world import decided, put_model
from tunegate.model import ObjectVersion
from tunegate_local.services.guardduty import RESULT
from tunegate_local.services.malware import SIGNATURES
from unit.weights_world import MODEL

CLEAN = b'{"prompt": "What is the capital of France?", "completion": "Paris is the capital of France."}\n'
# Found by the scanner of that name only: the built-in screen does not know it.
INFECTED = b'{"prompt": "hello", "completion": "%s"}\n' % list(SIGNATURES)[1]


@pytest.fixture(autouse=True)
def waiting(deployment: Deployment) -> Iterator[None]:
    with deployment.policy(services={"malware": "guardduty", "malware_seconds": 120}):
        yield
    control(deployment, "malware", {})
    control(deployment, "events", {"drop": []})


def control(deployment: Deployment, what: str, asked: dict[str, Any], method: str = "PUT") -> None:
    url = f"{deployment.cloud.environment()['AWS_ENDPOINT_URL']}/_tunegate/{what}"
    request = urllib.request.Request(url, json.dumps(asked).encode(), method=method)
    with urllib.request.urlopen(request):
        pass


def asked(deployment: Deployment, upload: ObjectVersion) -> bool:
    """Whether a scan waits for an answer on the upload."""
    key = {"pk": {"S": f"wait#{upload.digest}"}, "sk": {"S": "malware"}}
    row = deployment.client("dynamodb").get_item(TableName=deployment.outputs["LedgerTable"], Key=key).get("Item", {})
    return "tokens" in row


@pytest.mark.parametrize(("seconds", "copies"), [(0, 1), (20, 1), (0, 3), (20, 3)], ids=str)
@pytest.mark.parametrize(("body", "verdict"), [(CLEAN, "clean"), (INFECTED, "flagged")], ids=["clean", "infected"])
def test_a_result_may_come_before_its_waiter_or_after_once_or_more(
    deployment: Deployment, seconds: int, copies: int, body: bytes, verdict: str
) -> None:
    control(deployment, "malware", {"seconds": seconds, "copies": copies})
    upload = deployment.put(f"malware/{seconds}-{copies}-{verdict}.jsonl", body)
    row = deployment.settled(upload)
    assert row.decision.verdict == verdict
    found = {(finding.category, finding.type, finding.detectors) for finding in row.decision.findings}
    assert (("malware", "Clamav_Test_File_6", ("guardduty",)) in found) is (verdict == "flagged")
    time.sleep(2)
    assert len(deployment.decisions(upload.key)) == 1


@pytest.mark.parametrize("status", ["UNSUPPORTED", "ACCESS_DENIED", "FAILED"])
def test_what_guardduty_could_not_scan_is_held_and_says_so(deployment: Deployment, status: str) -> None:
    control(deployment, "malware", {"seconds": 0, "status": status})
    row = deployment.settled(deployment.put(f"malware/{status}.jsonl", CLEAN))
    assert (row.decision.verdict, row.decision.reason) == ("held", f"GuardDuty could not tell: {status}")


def test_a_result_that_never_comes_holds_the_upload(deployment: Deployment) -> None:
    control(deployment, "events", {"drop": [RESULT]})
    with deployment.policy(services={"malware": "guardduty", "malware_seconds": 3}):
        upload = deployment.put("malware/never.jsonl", CLEAN)
        row = deployment.settled(upload)
    assert (row.decision.verdict, row.decision.reason) == ("held", "GuardDuty did not answer within 3 seconds")
    [alert] = wait_for("the alert", lambda: deployment.alerts(upload.key) or None)
    assert "did not answer" in alert["text"]


def test_a_lost_result_that_is_sent_again_resumes_the_scan(deployment: Deployment) -> None:
    control(deployment, "events", {"drop": [RESULT]})
    upload = deployment.put("malware/again.jsonl", INFECTED)
    wait_for("a waiting scan", lambda: asked(deployment, upload) or None)
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


def test_a_model_waits_for_every_one_of_its_files(deployment: Deployment) -> None:
    control(deployment, "malware", {"seconds": 0})
    put_model(deployment, "models/infected/", {**MODEL, "README.md": b"# A model " + list(SIGNATURES)[1]})
    row = decided(deployment, "models/infected/")
    assert row.decision.verdict == "flagged"
    assert {finding.file for finding in row.decision.findings if finding.category == "malware"} == {"README.md"}
