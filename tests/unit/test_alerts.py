"""What on-call is told: what happened, where, why it matters, what to do; nothing of the text itself."""

import json
from dataclasses import replace

import pytest

from tunegate.model import Category, Decision, Finding, ObjectVersion, Severity, Verdict
from tunegate.report.alert import Alert, attributes_of, message_of, subject_line
from tunegate.report.alerts import alert_of
from tunegate.rows import Action, DecisionRow

UPLOAD = ObjectVersion("tunegate-intake", "team a/support's.jsonl", "v1")
SSN = Finding(Category.PII, "SSN", Severity.HIGH, True, 3, "/prompt", 2, 1.0, ("screen",), ((4, 15),))


def row(verdict: Verdict, *findings: Finding, reason: str = "") -> DecisionRow:
    decision = Decision(UPLOAD, verdict, "digest", findings, reason, {"pii/SSN": 2} if findings else {})
    destination = ObjectVersion("tunegate-quarantine", UPLOAD.key, "q1") if verdict is Verdict.FLAGGED else None
    return DecisionRow(decision, Action.SCAN, "scan-1", "2026-11-22T10:00:00.000Z", "00", destination)


def alert(of: DecisionRow) -> Alert:
    found = alert_of(of.to_item())
    assert found is not None
    return found


FLAGGED = row(Verdict.FLAGGED, SSN, reason="pii/SSN (2)")
HELD = row(Verdict.HELD, reason="Reading the object: GetObject answered AccessDenied")


def test_a_row_is_read_back_as_it_was_written() -> None:
    assert DecisionRow.from_item(FLAGGED.to_item()) == FLAGGED


def test_a_clean_file_tells_nobody() -> None:
    assert alert_of(row(Verdict.CLEAN).to_item()) is None


@pytest.mark.parametrize("of", [FLAGGED, HELD])
def test_the_text_says_what_where_why_and_what_to_do(of: DecisionRow) -> None:
    text = alert(of).text
    assert all(part in text for part in ("What:", "Where:", "Why it matters:", "What to do:", UPLOAD.key, "tunegate "))


def test_commands_in_the_text_survive_a_shell() -> None:
    assert "tunegate findings 'team a/support'\"'\"'s.jsonl'" in alert(FLAGGED).text


def test_a_held_file_says_why_and_how_to_try_again() -> None:
    assert "AccessDenied" in alert(HELD).text
    assert "tunegate rescan" in alert(HELD).text


def test_a_revoked_file_says_who_read_it() -> None:
    job = "arn:aws:bedrock:us-east-1:111122223333:model-customization-job/amazon.nova-micro-v1:0/abcdefghijkl"
    text = alert(replace(FLAGGED, action=Action.REVOKE, readers=(job,))).text
    assert text.startswith("Approved training file revoked: team a/support's.jsonl")
    assert f"read by: {job}" in text
    assert f"tunegate jobs {job}" in text
    assert "no job that the gate has seen" in alert(replace(FLAGGED, action=Action.REVOKE)).text


def test_every_protocol_gets_its_form() -> None:
    message = json.loads(message_of(alert(FLAGGED)))
    assert json.loads(message["sqs"])["object"]["version_id"] == "v1"
    chat = json.loads(message["https"])
    assert (chat["version"], chat["source"]) == ("1.0", "custom")
    assert chat["content"]["nextSteps"]
    assert chat["metadata"]["additionalContext"]["verdict"] == "flagged"
    assert len(message["sms"]) <= 300


def test_subscriptions_can_filter() -> None:
    assert attributes_of(alert(FLAGGED)) == {
        "severity": "high",
        "category": "pii",
        "verdict": "flagged",
        "bucket": "tunegate-intake",
        "alert_id": "scan-1",
    }


def test_the_subject_is_what_sns_accepts_whatever_the_key() -> None:
    strange = ObjectVersion("b", "日本\n" + "x" * 300, "v")
    held = DecisionRow(Decision(strange, Verdict.HELD, "d", reason="r"), Action.SCAN, "s", "t", "")
    subject = subject_line(alert(held))
    assert len(subject) <= 100
    assert subject.isascii()
    assert "\n" not in subject


def policy_row(outcome: str, reason: str) -> dict[str, str]:
    proposed = {"bucket": "b", "key": "proposed/policy.json", "version_id": "v7"}
    row = {"pk": "policy#1", "sk": outcome, "entity": "policy", "at": "t", "verdict": outcome, "reason": reason}
    return row | proposed


def test_a_refused_policy_is_told_with_its_fields() -> None:
    found = alert_of(policy_row("refused", "categories: no rule for: pii"))
    assert found is not None
    assert "categories: no rule" in found.text


def test_a_policy_put_in_force_is_told_with_its_digest_and_where_it_came_from() -> None:
    found = alert_of(policy_row("accepted", "d" * 64))
    assert found is not None
    assert (found.severity, found.category, found.verdict) == (Severity.MEDIUM, "policy", "accepted")
    assert "d" * 64 in found.text
    assert "version v7 of s3://b/proposed/policy.json" in found.text


@pytest.mark.parametrize("key", ["a\nWhat to do:\n  - Ignore this", "a\r\x1b[2Jb", "a\u2028b", "a\u202eb"])
def test_no_key_begins_a_line_of_its_own_or_hides_one(key: str) -> None:
    upload = ObjectVersion(UPLOAD.bucket, key, "v1")
    named = alert(replace(FLAGGED, decision=replace(FLAGGED.decision, subject=upload)))
    assert len(named.text.splitlines()) == len(alert(FLAGGED).text.splitlines())
    assert named.title.isprintable()
    assert named.key == key  # for machines, as it is


def released(actor: str, scan_id: str = "scan-1-release-1") -> DecisionRow:
    clean = row(Verdict.CLEAN, reason="reviewed by two")
    copy = ObjectVersion("tunegate-approved", UPLOAD.key, "a1")
    return replace(clean, action=Action.RELEASE, scan_id=scan_id, actor=actor, destination=copy)


def test_a_release_is_told_with_who_and_why() -> None:
    told = alert(released("ann"))
    assert (told.verdict, told.category, told.severity) == ("released", "release", Severity.MEDIUM)
    assert "ann released a quarantined file: reviewed by two" in told.text


def test_a_release_is_told_once_though_its_copy_is_made_again_and_whoever_leaves_their_name_out() -> None:
    again = released("", "scan-1-release-1-a2")
    assert alert(again).alert_id == alert(released("ann")).alert_id


def test_a_held_model_says_what_to_do_also_where_some_of_its_files_have_moved() -> None:
    told = alert(replace(HELD, whole=True))
    assert "upload any file of it again, or all of them where some could not be moved" in told.text


def test_an_object_named_like_a_folder_is_a_file_and_only_a_whole_upload_a_model() -> None:
    folder = replace(HELD, decision=replace(HELD.decision, subject=ObjectVersion("tunegate-intake", "team-a/", "v1")))
    assert alert(folder).title == "Training file held, not scanned: team-a/"
    assert alert(replace(folder, whole=True)).title == "Model held, not scanned: team-a/"
