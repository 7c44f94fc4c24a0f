"""A decision is one row, a row that needs a person is one alert."""

import json
import time
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from functional.conftest import TABLE, Account
from tunegate.act.accept import accept_policy
from tunegate.act.release import ReleaseRequest, release
from tunegate.act.settle import Scanned, hold_scan, settle_scan
from tunegate.errors import PermanentError, RetryableError
from tunegate.judge.verdict import held
from tunegate.model import Category, Decision, Finding, ObjectVersion, Severity, Verdict
from tunegate.observe.ledger import decisions_of, plain
from tunegate.observe.policies import current_policy, policy_by_digest
from tunegate.policy import default_policy
from tunegate.report.deliver import deliver
from tunegate.rows import Action

FINDING = Finding(Category.PII, "SSN", Severity.HIGH, True, 3, "/prompt", 2, 1.0, ("screen",), ((4, 15),))


def flagged(account: Account, key: str = "a.jsonl") -> Scanned:
    upload = account.upload(key, b"bytes")
    decision = Decision(upload.version, Verdict.FLAGGED, "digest", (FINDING,), "pii/SSN (2)", {"pii/SSN": 2})
    return Scanned(decision, "01", upload.version.digest, "findings/x.json")


def settle(account: Account, scanned: Scanned) -> ObjectVersion:
    destinations = {Verdict.CLEAN: account.approved, Verdict.FLAGGED: account.quarantine}
    return settle_scan(account.s3, account.ledger, scanned, destinations)


def inbox(account: Account) -> tuple[str, Any, str]:
    topic = account.sns.create_topic(Name="alerts")["TopicArn"]
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    account.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return topic, sqs, queue


def test_a_flagged_upload_is_quarantined_and_recorded_once_however_often_it_is_settled(account: Account) -> None:
    scanned = flagged(account)
    settled = settle(account, scanned)
    assert settle(account, scanned) == settled
    [row] = decisions_of(account.dynamodb, TABLE, "a.jsonl")
    assert row.decision == scanned.decision
    assert row.destination == settled
    assert account.bodies("quarantine", "a.jsonl") == [b"bytes"]


def test_a_held_upload_stays_in_intake_and_any_half_made_copy_is_withdrawn(account: Account) -> None:
    upload = account.upload("a.jsonl", b"bytes")
    clean = Decision(upload.version, Verdict.CLEAN, "digest")
    settle(account, Scanned(clean, "01", "scan-1", ""))
    hold_scan(account.s3, account.ledger, Scanned(held(upload.version, "why"), "01", "scan-2", ""), ["approved"])
    copy = account.s3.list_object_versions(Bucket="approved")["Versions"][0]
    assert account.tags(ObjectVersion("approved", "a.jsonl", copy["VersionId"]))["tunegate-verdict"] == "held"
    assert {row.decision.verdict for row in decisions_of(account.dynamodb, TABLE, "a.jsonl")} == {"clean", "held"}


def test_one_decision_is_one_alert_however_often_its_row_is_streamed(account: Account) -> None:
    topic, sqs, queue = inbox(account)
    settle(account, flagged(account))
    [item] = [plain(row) for row in account.rows()]
    for _ in range(5):
        deliver(account.sns, account.dynamodb, topic, TABLE, item)
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert len(messages) == 1
    body = json.loads(json.loads(messages[0]["Body"])["Message"])
    assert (body["verdict"], body["severity"], body["object"]["key"]) == ("flagged", "high", "a.jsonl")


def test_an_alert_sns_refuses_is_tried_again_and_not_noted_as_sent(account: Account) -> None:
    settle(account, flagged(account))
    [item] = [plain(row) for row in account.rows()]
    with Stubber(account.sns) as sns:
        sns.add_client_error("publish", "InternalError", http_status_code=500)
        with pytest.raises(RetryableError):
            deliver(account.sns, account.dynamodb, "arn:aws:sns:us-east-1:123456789012:t", TABLE, item)
    topic, sqs, queue = inbox(account)
    deliver(account.sns, account.dynamodb, topic, TABLE, item)
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1


def test_a_release_sends_the_quarantined_bytes_to_approved_and_says_who_and_why(account: Account) -> None:
    scanned = flagged(account)
    settle(account, scanned)
    request = ReleaseRequest(
        "a.jsonl", scanned.decision.subject.version_id, "reviewed: test data", "arn:aws:iam::1:user/ann"
    )
    for _ in range(2):
        release(account.s3, account.ledger, request, "quarantine", account.approved)
    assert account.bodies("approved", "a.jsonl") == [b"bytes"]
    assert account.bodies("quarantine", "a.jsonl") == [b"bytes"]
    [row] = [row for row in decisions_of(account.dynamodb, TABLE, "a.jsonl") if row.action is Action.RELEASE]
    assert (row.actor, row.decision.reason, row.decision.verdict) == (request.actor, request.reason, "clean")


def test_a_release_of_an_older_upload_leaves_a_newer_clean_one_current(account: Account) -> None:
    older, newer = flagged(account), account.upload("a.jsonl", b"newer", order="02")
    settle(account, Scanned(Decision(newer.version, Verdict.CLEAN, "digest"), "02", "scan-2", ""))
    time.sleep(2.2)  # the older upload's scan ends well after the newer one's copy was made
    settle(account, older)
    request = ReleaseRequest("a.jsonl", None, "reviewed", "ann")
    released = release(account.s3, account.ledger, request, "quarantine", account.approved)
    assert account.s3.get_object(Bucket="approved", Key="a.jsonl")["Body"].read() == b"newer"
    assert account.tags(released)["tunegate-source"] == older.decision.subject.version_id


@pytest.mark.parametrize(("reason", "actor"), [("  ", "ann"), ("because", "")])
def test_a_release_without_reason_or_person_is_refused(account: Account, reason: str, actor: str) -> None:
    settle(account, flagged(account))
    with pytest.raises(PermanentError, match="reason"):
        release(
            account.s3, account.ledger, ReleaseRequest("a.jsonl", None, reason, actor), "quarantine", account.approved
        )


def test_what_is_not_in_quarantine_cannot_be_released(account: Account) -> None:
    with pytest.raises(PermanentError, match="quarantine"):
        release(account.s3, account.ledger, ReleaseRequest("a.jsonl", None, "r", "ann"), "quarantine", account.approved)


def propose(account: Account, document: str) -> ObjectVersion:
    version = account.s3.put_object(Bucket="policy", Key="proposed/policy.json", Body=document)["VersionId"]
    return ObjectVersion("policy", "proposed/policy.json", version)


def test_before_any_proposal_the_shipped_policy_is_in_force(account: Account) -> None:
    assert current_policy(account.s3, "policy") == default_policy()


def test_a_valid_proposal_comes_into_force_and_stays_readable_by_its_digest(account: Account) -> None:
    document = json.loads(default_policy().canonical())
    document["categories"]["toxicity"]["flags"] = True
    accepted = accept_policy(account.s3, account.ledger, propose(account, json.dumps(document)))
    assert accepted is not None
    assert current_policy(account.s3, "policy") == accepted
    assert policy_by_digest(account.s3, "policy", accepted.digest) == accepted


def test_a_broken_proposal_is_refused_on_the_record_and_the_last_good_one_stays(account: Account) -> None:
    before = current_policy(account.s3, "policy")
    assert accept_policy(account.s3, account.ledger, propose(account, '{"limits": {"shard_bytes": -1}}')) is None
    assert current_policy(account.s3, "policy") == before
    [row] = [plain(item) for item in account.rows()]
    assert "limits.shard_bytes" in row["reason"]


def test_a_policy_document_tampered_with_in_storage_holds_the_scan(account: Account) -> None:
    account.s3.put_object(Bucket="policy", Key="accepted/" + "0" * 64 + ".json", Body=default_policy().canonical())
    with pytest.raises(PermanentError, match="not the one"):
        policy_by_digest(account.s3, "policy", "0" * 64)
