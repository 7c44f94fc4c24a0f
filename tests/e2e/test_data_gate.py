"""What a user sees: an upload is scanned, moved and recorded, and on-call hears of it once."""

import json
import time

import pytest

from e2e.conftest import Deployment, wait_for
from tunegate.act.tags import Tag
from tunegate.model import ObjectVersion

CLEAN = b'{"prompt": "What is the capital of France?", "completion": "Paris is the capital of France."}\n'
SSN = "536-22-8127"
FLAGGED = json.dumps({"prompt": f"My social security number is {SSN}.", "completion": "Thank you."}).encode() + b"\n"
UNREADABLE = bytes(range(256)) * 8


def test_a_clean_file_put_with_plain_boto3_arrives_in_approved_and_nobody_is_told(deployment: Deployment) -> None:
    upload = deployment.put("plain/clean.jsonl", CLEAN)
    row = deployment.settled(upload)
    assert (row.decision.verdict, row.decision.findings) == ("clean", ())
    assert row.destination is not None
    assert deployment.body(row.destination) == CLEAN
    assert deployment.versions("IntakeBucket", upload.key) == []
    assert deployment.alerts(upload.key) == []


def test_a_flagged_file_arrives_in_quarantine_with_one_alert_that_quotes_nothing(deployment: Deployment) -> None:
    upload = deployment.put("plain/ssn.jsonl", FLAGGED)
    row = deployment.settled(upload)
    assert row.decision.verdict == "flagged"
    assert ("pii", "SSN", 1, "/prompt") in {(f.category, f.type, f.line, f.pointer) for f in row.decision.findings}
    assert row.destination is not None
    assert row.destination.bucket == deployment.outputs["QuarantineBucket"]
    assert deployment.body(row.destination) == FLAGGED
    assert deployment.versions("IntakeBucket", upload.key) == []
    assert deployment.versions("ApprovedBucket", upload.key) == []
    [alert] = wait_for("the alert", lambda: deployment.alerts(upload.key) or None)
    assert (alert["verdict"], alert["category"], alert["severity"]) == ("flagged", "pii", "high")
    assert SSN not in json.dumps(alert)


def test_what_cannot_be_read_is_held_in_intake_with_an_alert(deployment: Deployment) -> None:
    upload = deployment.put("plain/junk.bin", UNREADABLE)
    row = deployment.settled(upload)
    assert (row.decision.verdict, row.destination) == ("held", None)
    assert deployment.body(upload) == UNREADABLE
    [alert] = wait_for("the alert", lambda: deployment.alerts(upload.key) or None)
    assert "tunegate rescan" in alert["text"]


def test_ten_uploads_of_one_key_in_quick_succession_are_ten_settled_versions(deployment: Deployment) -> None:
    uploads = [deployment.put("ten/same.jsonl", CLEAN) for _ in range(10)]
    for upload in uploads:
        assert deployment.settled(upload).decision.verdict == "clean"
    versions = deployment.versions("ApprovedBucket", "ten/same.jsonl")
    sources = [_tags(deployment, version["VersionId"])[Tag.SOURCE] for version in versions]
    assert set(sources) == {upload.version_id for upload in uploads}
    assert deployment.versions("IntakeBucket", "ten/same.jsonl") == []
    latest = next(version for version in versions if version["IsLatest"])
    assert _tags(deployment, latest["VersionId"])[Tag.SOURCE] == uploads[-1].version_id


def _tags(deployment: Deployment, version_id: str) -> dict[str, str]:
    answer = deployment.client("s3").get_object_tagging(
        Bucket=deployment.outputs["ApprovedBucket"], Key="ten/same.jsonl", VersionId=version_id
    )
    return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}


def test_the_same_event_five_times_is_one_scan_one_object_one_alert(deployment: Deployment) -> None:
    upload = deployment.put("again/ssn.jsonl", FLAGGED)
    row = deployment.settled(upload)
    queue, sqs = deployment.outputs["UploadsQueueUrl"], deployment.client("sqs")
    for _ in range(5):
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(_event(upload, row.order)))
    wait_for("an empty queue", lambda: _depth(sqs, queue) == 0 or None)
    time.sleep(2)
    executions = deployment.client("stepfunctions").list_executions(
        stateMachineArn=deployment.outputs["ScanStateMachineArn"]
    )["executions"]
    assert [e["name"] for e in executions if e["name"].startswith(upload.digest)] == [upload.digest]
    assert len(deployment.decisions(upload.key)) == 1
    assert len(deployment.versions("QuarantineBucket", upload.key)) == 1
    wait_for("the alert", lambda: deployment.alerts(upload.key) or None)
    assert len(deployment.alerts(upload.key)) == 1


def _event(upload: ObjectVersion, order: str) -> dict[str, object]:
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2021-11-12T00:00:00Z",
        "region": "us-east-1",
        "resources": [f"arn:aws:s3:::{upload.bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": upload.bucket},
            "object": {"key": upload.key, "size": 5, "etag": "e", "version-id": upload.version_id, "sequencer": order},
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "111122223333",
            "reason": "PutObject",
        },
    }


def _depth(sqs: object, queue: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]  # type: ignore[attr-defined]
    return sum(int(value) for value in attributes.values())


@pytest.mark.parametrize(
    "key", ["strange/sp ace+plus%25é日😀.jsonl", "strange/../..%2F..'quote\".jsonl", "strange/" + "n" * 1010 + ".jsonl"]
)
def test_any_key_s3_takes_is_settled_under_that_very_key(deployment: Deployment, key: str) -> None:
    row = deployment.settled(deployment.put(key, CLEAN))
    assert row.destination is not None
    assert row.destination.key == key
    assert deployment.body(row.destination) == CLEAN


def test_a_policy_put_in_force_changes_the_next_verdict_and_a_broken_one_changes_nothing(
    deployment: Deployment,
) -> None:
    from tunegate.policy import default_policy, parse_policy

    bucket = deployment.outputs["PolicyBucket"]
    operator = deployment.client("s3", deployment.outputs["OperatorRoleArn"])
    document = json.loads(default_policy().canonical())
    document["categories"]["format"]["flags"] = False
    broken = b"this is no JSON\n" + CLEAN
    assert deployment.settled(deployment.put("policy/before.jsonl", broken)).decision.verdict == "flagged"
    before = _current(deployment)
    operator.put_object(Bucket=bucket, Key="proposed/policy.json", Body=json.dumps(document).encode())
    current = wait_for("the policy in force", lambda: now if (now := _current(deployment)) != before else None)
    digest = parse_policy(json.dumps(document)).digest
    wait_for("the alert", lambda: _told_of_policy(deployment, "accepted", digest) or None)
    after = deployment.settled(deployment.put("policy/after.jsonl", broken)).decision
    assert (after.verdict, after.policy_digest) == ("clean", digest)
    operator.put_object(Bucket=bucket, Key="proposed/policy.json", Body=b'{"limits": {"shard_bytes": -1}}')
    refused = wait_for("the refusal", lambda: _refusal(deployment))
    assert "limits.shard_bytes" in refused
    wait_for("the alert", lambda: _told_of_policy(deployment, "refused", refused) or None)
    assert _current(deployment) == current
    operator.put_object(Bucket=bucket, Key="proposed/policy.json", Body=default_policy().canonical().encode())
    wait_for("the shipped policy", lambda: _current(deployment) != current or None)


def _current(deployment: Deployment) -> bytes | None:
    s3 = deployment.client("s3")
    try:
        return bytes(
            s3.get_object(Bucket=deployment.outputs["PolicyBucket"], Key="accepted/current.json")["Body"].read()
        )
    except s3.exceptions.NoSuchKey:
        return None


def _told_of_policy(deployment: Deployment, verdict: str, reason: str) -> bool:
    told = [(alert["verdict"], alert["reason"]) for alert in deployment.alerts("proposed/policy.json")]
    return (verdict, reason) in told


def _refusal(deployment: Deployment) -> str | None:
    rows = deployment.client("dynamodb").scan(TableName=deployment.outputs["LedgerTable"])["Items"]
    found = [row["reason"]["S"] for row in rows if row["entity"]["S"] == "policy" and row["verdict"]["S"] == "refused"]
    return found[0] if found else None
