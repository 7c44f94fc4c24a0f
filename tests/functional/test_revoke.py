"""What Macie finds in an approved file takes it back at once, keeps it, tells who read it, and does so only once."""

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest

from functional.conftest import TABLE, Account
from tunegate.act import revoke as revoking
from tunegate.act.promote import Destination, Upload, copies_in
from tunegate.act.release import ReleaseRequest, release
from tunegate.act.revoke import Revocation, revoke
from tunegate.act.settle import Scanned, settle_scan
from tunegate.act.subjects import record_subject
from tunegate.act.tags import Tag
from tunegate.errors import PermanentError
from tunegate.job_facts import State
from tunegate.job_rules import Mode
from tunegate.model import Category, Decision, Severity, Verdict
from tunegate.observe.ledger import decisions_of
from tunegate.observe.macie import ObjectResult
from tunegate.observe.subjects import manifest_key
from tunegate.policy import Rule, default_policy
from tunegate.report.alerts import alert_of
from tunegate.rows import Action, DecisionRow
from tunegate.service_answers import Seen
from tunegate.subject import Approval, subject_of
from tunegate.subject_rows import SubjectRow

KEY = "team/train.jsonl"
SEEN = (Seen(category=Category.PII, type="USA_SOCIAL_SECURITY_NUMBER", count=2, lines=(1, 7)),)
JOB = "arn:aws:bedrock:us-east-1:111122223333:model-customization-job/amazon.nova-micro-v1:0/{}"


@pytest.fixture
def revocation(account: Account) -> Revocation:
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    quarantine = Destination("quarantine", account.key, ranked=False)
    return Revocation(account.s3, sqs, account.ledger, default_policy(), "approved", quarantine, "evidence", queue)


def approve(account: Account, body: bytes = b"{}\n", order: str = "01") -> Upload:
    upload = account.upload(KEY, body, order)
    scanned = Scanned(Decision(upload.version, Verdict.CLEAN, "digest"), order, upload.version.digest, "")
    settle_scan(account.s3, account.ledger, scanned, {Verdict.CLEAN: account.approved})
    return upload


def found_in(account: Account, **changed: Any) -> ObjectResult:
    """What Macie says of the current object in `approved`."""
    head = account.s3.head_object(Bucket="approved", Key=KEY)
    result = ObjectResult(KEY, head["VersionId"], head["ETag"].strip('"'), "COMPLETE", SEEN)
    return replace(result, **changed)


def rows(account: Account, action: Action) -> list[DecisionRow]:
    return [row for row in decisions_of(account.dynamodb, TABLE, KEY) if row.action is action]


def asked_again(revocation: Revocation) -> list[str]:
    """The subjects on the jobs queue."""
    answer = revocation.sqs.receive_message(QueueUrl=revocation.queue, MaxNumberOfMessages=10)
    return [json.loads(message["Body"])["subject"] for message in answer.get("Messages", [])]


def ran(account: Account, name: str, reads: list[str] | None) -> str:
    """A job the gate knows of; its manifest names these versions of the file, and None is no manifest."""
    arn = JOB.format(name)
    row = SubjectRow(
        subject_of(arn), name, Approval.ADMITTED, "", "2026", "2026", Mode.ENFORCE, "digest", state=State.RUNNING
    )
    record_subject(account.ledger, row)
    if reads is not None:
        inputs = [{"bucket": "approved", "key": KEY, "version_id": one, "checksum": "e"} for one in reads]
        account.s3.put_object(Bucket="evidence", Key=manifest_key(arn), Body=json.dumps({"inputs": inputs}).encode())
    return arn


def test_the_file_is_unreadable_kept_and_recorded(account: Account, revocation: Revocation) -> None:
    upload = approve(account, b"mine")
    decision = revoke(revocation, found_in(account))
    assert decision is not None
    assert [copy.tags[Tag.VERDICT] for copy in copies_in(account.s3, "approved", KEY)] == ["flagged"]
    [kept] = copies_in(account.s3, "quarantine", KEY)
    assert (kept.tags[Tag.VERDICT], kept.tags[Tag.SOURCE]) == ("flagged", upload.version.version_id)
    assert account.bodies("quarantine", KEY) == [b"mine"]
    [row] = rows(account, Action.REVOKE)
    assert (row.decision.subject, row.destination) == (upload.version, kept.version)
    assert row.decision.reason == "pii/USA_SOCIAL_SECURITY_NUMBER (2)"
    evidence = json.loads(account.s3.get_object(Bucket="evidence", Key=row.evidence)["Body"].read())
    assert [one["line"] for one in evidence["findings"]] == [1, 7]


def test_jobs_that_read_it_are_judged_again_and_named(account: Account, revocation: Revocation) -> None:
    approve(account)
    result = found_in(account)
    read, other = ran(account, "aaaaaaaaaaaa", [result.version_id]), ran(account, "bbbbbbbbbbbb", ["another"])
    unknown = ran(account, "cccccccccccc", None)
    revoke(revocation, result)
    assert set(asked_again(revocation)) == {read, unknown}
    [row] = rows(account, Action.REVOKE)
    assert row.readers == (read,)
    alert = alert_of(row.to_item())
    assert alert is not None
    assert read in alert.text
    assert other not in alert.text


def test_a_finding_told_again_or_another_on_the_same_upload_is_one_row(
    account: Account, revocation: Revocation
) -> None:
    approve(account)
    result = found_in(account)
    for again in (result, result, replace(result, seen=(Seen(category=Category.SECRET, type="AWS_CREDENTIALS"),))):
        revoke(revocation, again)
    assert len(rows(account, Action.REVOKE)) == 1
    assert len(account.bodies("quarantine", KEY)) == 1


@pytest.mark.parametrize("step", ["place", "jobs_that_read", "enqueue"])
def test_a_revocation_cut_short_is_completed_by_the_next_and_never_readable_between(
    account: Account, revocation: Revocation, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    approve(account, b"mine")
    result = found_in(account)
    read = ran(account, "aaaaaaaaaaaa", [result.version_id])
    with monkeypatch.context() as broken:
        broken.setattr(revoking, step, lambda *_: (_ for _ in ()).throw(ConnectionError()))
        with pytest.raises(ConnectionError):
            revoke(revocation, result)
    assert [copy.tags[Tag.VERDICT] for copy in copies_in(account.s3, "approved", KEY)] == ["flagged"]
    revoke(revocation, result)
    assert account.bodies("quarantine", KEY) == [b"mine"]
    assert len(rows(account, Action.REVOKE)) == 1
    assert asked_again(revocation) == [read]


@pytest.mark.parametrize("changed", [{"version_id": "another"}, {"etag": "another"}, {"version_id": "", "etag": "x"}])
def test_a_finding_on_a_version_that_is_not_there_is_an_error(
    account: Account, revocation: Revocation, changed: dict[str, str]
) -> None:
    approve(account)
    with pytest.raises(PermanentError, match="not in the approved bucket"):
        revoke(revocation, found_in(account, **changed))
    assert [copy.tags[Tag.VERDICT] for copy in copies_in(account.s3, "approved", KEY)] == ["clean"]


def test_only_the_version_macie_read_is_taken_back(account: Account, revocation: Revocation) -> None:
    older = approve(account, b"older", "01")
    result = found_in(account)
    newer = approve(account, b"newer", "02")
    revoke(revocation, result)
    verdicts = {copy.tags[Tag.SOURCE]: copy.tags[Tag.VERDICT] for copy in copies_in(account.s3, "approved", KEY)}
    assert verdicts == {older.version.version_id: "flagged", newer.version.version_id: "clean"}


def test_what_the_policy_only_reports_revokes_nothing(account: Account, revocation: Revocation) -> None:
    approve(account)
    lenient = default_policy().model_copy(
        update={"types": {"pii/USA_SOCIAL_SECURITY_NUMBER": Rule(severity=Severity.LOW, flags=False)}}
    )
    assert revoke(replace(revocation, policy=lenient), found_in(account)) is None
    assert [copy.tags[Tag.VERDICT] for copy in copies_in(account.s3, "approved", KEY)] == ["clean"]
    assert rows(account, Action.REVOKE) == []


def test_a_person_may_release_it_knowing_of_the_finding_and_macie_finds_it_again_in_vain(
    account: Account, revocation: Revocation
) -> None:
    approve(account)
    result = found_in(account)
    revoke(revocation, result)
    asked = ReleaseRequest(KEY, None, "test data, not people", "arn:aws:iam::111122223333:role/operator")
    released = release(account.s3, account.ledger, asked, "quarantine", account.approved)
    assert account.tags(released)[Tag.VERDICT] == "clean"
    again = found_in(account, version_id=released.version_id)
    assert revoke(revocation, again) is None
    assert account.tags(released)[Tag.VERDICT] == "clean"
    other = replace(again, seen=(Seen(category=Category.SECRET, type="AWS_CREDENTIALS"),))
    assert revoke(revocation, other) is not None, "of this nobody knew when it was released"
    assert account.tags(released)[Tag.VERDICT] == "flagged"
    assert len(rows(account, Action.REVOKE)) == 2
