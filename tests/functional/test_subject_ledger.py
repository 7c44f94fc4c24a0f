"""What is written about jobs and models: the newest look holds, each fault is told once, and again when it returns."""

import json
from dataclasses import replace
from typing import Any

import pytest

from functional.conftest import TABLE, Account
from tunegate.act.promote import place
from tunegate.act.settle import Scanned, record, settle_scan
from tunegate.act.subjects import put_manifest, record_findings, record_origin, record_subject
from tunegate.evidence import Evidence
from tunegate.job_facts import InputObject, State, Unknown
from tunegate.job_rules import Mode
from tunegate.judge.jobs import Breach, Conclusion, Gap
from tunegate.model import Decision, ObjectVersion, Severity, Verdict
from tunegate.observe.subjects import (
    decided,
    is_evidenced,
    open_rows,
    origin_of,
    read_manifest,
    standing_of,
    subject_row,
)
from tunegate.report.alerts import alert_of
from tunegate.rows import Action, DecisionRow
from tunegate.subject import Approval, subject_of
from tunegate.subject_rows import SubjectRow

ARN = "arn:aws:bedrock:us-east-1:111122223333:model-customization-job/amazon.nova-micro-v1:0:128k/abcdefghijkl"
SUBJECT = subject_of(ARN)
BREACH = Breach("network.job_in_vpc", Severity.CRITICAL, True, ("the job names no VPC",))
GAP = Gap(Unknown("kms:GetKeyPolicy", "arn:key", "AccessDenied"), ("encryption.key_policy_closed",))


def row(observed_at: str, approval: Approval = Approval.ADMITTED) -> SubjectRow:
    return SubjectRow(
        SUBJECT, "tune-1", approval, "digest", observed_at, observed_at, Mode.ENFORCE, "policy", State.RUNNING
    )


def concluded(*breaches: Breach, gaps: tuple[Gap, ...] = ()) -> Conclusion:
    return Conclusion(SUBJECT, Approval.REJECTED, breaches, gaps)


def alerts(account: Account) -> list[str]:
    rows = open_rows(account.dynamodb, TABLE, ARN)
    return sorted(alert.alert_id for alert in map(alert_of, rows) if alert)


def test_a_look_that_ends_late_does_not_replace_one_that_began_later(account: Account) -> None:
    assert record_subject(account.ledger, row("2026-11-23T10:00:02.000Z", Approval.REJECTED))
    assert not record_subject(account.ledger, row("2026-11-23T10:00:01.000Z"))
    held = subject_row(account.dynamodb, TABLE, ARN)
    assert held == row("2026-11-23T10:00:02.000Z", Approval.REJECTED)
    assert standing_of(account.dynamodb, TABLE, ARN).approval is Approval.REJECTED


def test_what_was_never_looked_at_has_no_standing(account: Account) -> None:
    assert subject_row(account.dynamodb, TABLE, ARN) is None
    assert standing_of(account.dynamodb, TABLE, ARN).approval is None
    assert origin_of(account.dynamodb, TABLE, ARN) == {}


def test_one_broken_control_is_one_alert_however_often_it_is_found(account: Account) -> None:
    for second in range(3):
        record_findings(account.ledger, row(f"2026-11-23T10:00:0{second}.000Z"), concluded(BREACH, gaps=(GAP,)))
    told = alerts(account)
    assert len(told) == 2
    assert all(identifier.endswith("10:00:00.000Z") for identifier in told)


def test_a_fault_that_is_mended_and_comes_again_is_told_again(account: Account) -> None:
    record_findings(account.ledger, row("2026-11-23T10:00:00.000Z"), concluded(BREACH))
    [first] = alerts(account)
    record_findings(account.ledger, row("2026-11-23T11:00:00.000Z"), concluded())
    assert alerts(account) == []
    record_findings(account.ledger, row("2026-11-23T12:00:00.000Z"), concluded(BREACH))
    [second] = alerts(account)
    assert first != second


def test_an_older_look_closes_nothing_that_a_later_one_opened(account: Account) -> None:
    record_findings(account.ledger, row("2026-11-23T11:00:00.000Z"), concluded(BREACH))
    record_findings(account.ledger, row("2026-11-23T10:00:00.000Z"), concluded())
    assert len(alerts(account)) == 1


def test_the_first_origin_noted_of_a_model_stands(account: Account) -> None:
    record_origin(account.ledger, ARN, job="arn:first")
    record_origin(account.ledger, ARN, job="arn:second")
    assert origin_of(account.dynamodb, TABLE, ARN) == {"job": "arn:first"}


def test_a_manifest_is_written_once_and_read_back_whole(account: Account) -> None:
    began = (InputObject("approved", "a", "v1", "c1"), InputObject("approved", "b", "v2", "c2"))
    put_manifest(account.s3, "evidence", ARN, began)
    put_manifest(account.s3, "evidence", ARN, (InputObject("approved", "a", "v9", "c9"),))
    assert read_manifest(account.s3, "evidence", ARN) == began
    assert read_manifest(account.s3, "evidence", "arn:other") is None


class TestStandingOfAnInput:
    def approve(self, account: Account, key: str = "a.jsonl", body: bytes = b"bytes") -> ObjectVersion:
        upload = account.upload(key, body)
        version = place(account.s3, upload, account.approved, Verdict.CLEAN, "digest")
        decision = Decision(upload.version, Verdict.CLEAN, "digest")
        record(account.ledger, Scanned(decision, "01", upload.version.digest, ""), Action.SCAN, version)
        return version

    def test_what_the_gate_put_there_has_the_gates_verdict(self, account: Account) -> None:
        version = self.approve(account)
        assert decided(account.dynamodb, TABLE, version)[:2] == ("clean", "digest")

    def test_a_later_decision_on_the_same_upload_counts_instead(self, account: Account) -> None:
        version = self.approve(account)
        [scanned] = account.rows()
        upload = ObjectVersion("intake", "a.jsonl", scanned["version_id"]["S"])
        later = Decision(upload, Verdict.HELD, "digest-2", reason="found late")
        record(account.ledger, Scanned(later, "01", "scan-2", ""), Action.SCAN)
        assert decided(account.dynamodb, TABLE, version)[:2] == ("held", "digest-2")

    def test_an_upload_brought_forward_by_a_second_copy_keeps_its_standing(self, account: Account) -> None:
        newer, older = account.upload("a.jsonl", b"newer", "02"), account.upload("a.jsonl", b"older", "01")
        for upload in (newer, older):
            scanned = Scanned(Decision(upload.version, Verdict.CLEAN, upload.order), upload.order, upload.order, "")
            settle_scan(account.s3, account.ledger, scanned, {Verdict.CLEAN: account.approved})
        current = account.s3.head_object(Bucket="approved", Key="a.jsonl")["VersionId"]
        assert account.bodies("approved", "a.jsonl")[0] == b"newer"
        version = ObjectVersion("approved", "a.jsonl", current)
        assert decided(account.dynamodb, TABLE, version)[:2] == ("clean", "02")

    def test_other_bytes_under_the_same_key_have_none(self, account: Account) -> None:
        version = self.approve(account)
        swapped = account.s3.put_object(Bucket="approved", Key="a.jsonl", Body=b"other", ChecksumAlgorithm="SHA256")
        swap = replace(version, version_id=swapped["VersionId"])
        assert decided(account.dynamodb, TABLE, swap) == ("", "", None)


def test_an_alert_about_a_job_says_what_was_done_and_how_to_mend_it(account: Account) -> None:
    stopped = replace(row("2026-11-23T10:00:00.000Z", Approval.REJECTED), done="stopped the job")
    record_findings(account.ledger, stopped, concluded(BREACH))
    [item] = open_rows(account.dynamodb, TABLE, ARN)
    alert = alert_of(item)
    assert alert is not None
    assert "network.job_in_vpc" in alert.title
    assert "The gate stopped the job." in alert.text
    assert json.loads(json.dumps(alert.to_json()))["subject"]["arn"] == ARN


class TestEvidenceBehindAVerdict:
    UPLOAD = ObjectVersion("intake", "a.jsonl", "v1")

    def row(self, account: Account, judged: Decision, **changes: Any) -> DecisionRow:
        evidence = Evidence(account.s3, "evidence").put_findings("scan", judged)
        decided = Decision(self.UPLOAD, Verdict.CLEAN, "digest")
        return replace(DecisionRow(decided, Action.SCAN, "scan", "at", "01", None, evidence), **changes)

    def test_what_was_judged_clean_is_evidenced(self, account: Account) -> None:
        assert is_evidenced(account.s3, "evidence", self.row(account, Decision(self.UPLOAD, Verdict.CLEAN, "digest")))

    @pytest.mark.parametrize("version", [replace(UPLOAD, version_id="v2"), replace(UPLOAD, key="b.jsonl")])
    def test_findings_on_something_else_prove_nothing(self, account: Account, version: ObjectVersion) -> None:
        assert not is_evidenced(account.s3, "evidence", self.row(account, Decision(version, Verdict.CLEAN, "digest")))

    def test_what_was_flagged_is_clean_by_a_release_alone(self, account: Account) -> None:
        row = self.row(account, Decision(self.UPLOAD, Verdict.FLAGGED, "digest"))
        assert not is_evidenced(account.s3, "evidence", row)
        assert is_evidenced(account.s3, "evidence", replace(row, action=Action.RELEASE))

    @pytest.mark.parametrize("evidence", ["", "findings/none.json", "scans/scan.json", "jobs/scan.json"])
    def test_a_row_that_names_no_findings_is_not_evidenced(self, account: Account, evidence: str) -> None:
        row = self.row(account, Decision(self.UPLOAD, Verdict.CLEAN, "digest"), evidence=evidence)
        assert not is_evidenced(account.s3, "evidence", row)

    def test_a_file_of_a_model_was_judged_with_the_model(self, account: Account) -> None:
        whole = ObjectVersion("intake", "models/m/", "digest-of-all")
        upload = ObjectVersion("intake", "models/m/config.json", "v1")
        judged = Decision(whole, Verdict.CLEAN, "digest")
        row = self.row(account, judged, decision=Decision(upload, Verdict.CLEAN, "digest"), upload="models/m/")
        assert is_evidenced(account.s3, "evidence", row)
        assert not is_evidenced(account.s3, "evidence", replace(row, upload="models/other/"))
