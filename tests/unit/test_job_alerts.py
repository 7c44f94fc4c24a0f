"""Alerts about jobs and the estate: which rule is broken, by what, what was done and what to do; bounded, and safe."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tunegate.job_facts import GATES_VERDICT, Unknown
from tunegate.job_rules import Mode
from tunegate.judge.controls.control import Control
from tunegate.judge.controls.table import BY_ID, CONTROLS
from tunegate.judge.jobs import Breach, Gap, judge_job
from tunegate.model import Severity
from tunegate.report.alert import Alert, attributes_of, message_of, subject_line
from tunegate.report.alerts import alert_of
from tunegate.subject import ESTATE, Approval, Kind
from tunegate.subject_rows import SubjectRow, breach_item, gap_item, row_of
from unit.job_world import KINDS, compliant
from unit.policy_world import ARNS, MODEL_KEY

AT = "2026-11-22T10:00:00.000Z"
SMS_CHARACTERS, SNS_BYTES, SNS_SUBJECT = 1600, 256 * 1024, 100


def row(kind: Kind = Kind.CUSTOMIZATION_JOB, **changes: Any) -> SubjectRow:
    facts = compliant(kind)
    made = row_of(facts.described, judge_job(facts), AT, Mode.ENFORCE, "d" * 64)
    return replace(made, **{"approval": Approval.REJECTED} | changes)


def breach(of: SubjectRow, control: str = "network.job_in_vpc", *details: str, blocking: bool = True) -> Alert:
    broken = Breach(control, Severity.CRITICAL, blocking, details or ("the job names no VPC",))
    found = alert_of(breach_item(of, broken))
    assert found is not None
    return found


def gap(of: SubjectRow) -> Alert:
    missing = Unknown("kms:GetKeyPolicy", MODEL_KEY, "AccessDeniedException")
    found = alert_of(gap_item(of, Gap(missing, ("encryption.key_policy_closed",))))
    assert found is not None
    return found


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_the_alert_of_each_control_names_it_and_its_remedy(control: Control[Any]) -> None:
    subject = ESTATE if Kind.ESTATE in control.applies else row().subject
    alert = breach(row(subject=subject), control.id, "this one is wrong")
    assert control.id in alert.title
    for part in ("What:", "Where:", "What was done:", "Why it matters:", "What to do:", "this one is wrong"):
        assert part in alert.text
    assert control.remedy in alert.text
    assert f"tunegate explain {control.id}" in alert.text
    assert alert.details["control"] == control.id
    assert alert.category == control.id.partition(".")[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_subject_is_named_and_can_be_looked_at(kind: Kind) -> None:
    alert = breach(row(kind), "model.known_origin")
    assert ARNS[kind] in alert.text
    assert f"tunegate jobs {ARNS[kind]}" in alert.text
    assert alert.details["subject"] == {"arn": ARNS[kind], "kind": kind.value, "name": "support-tone"}


def test_every_field_of_a_breach_reaches_programs() -> None:
    document = breach(row(done="stopped the job")).to_json()
    assert document.pop("text")
    steps = document.pop("next_steps")
    assert steps[0] == BY_ID["network.job_in_vpc"].remedy
    assert document.pop("alert_id").endswith(f"-network.job_in_vpc-{AT}")
    assert document == {
        "schema": "tunegate-alert-2026-11",
        "at": AT,
        "title": "Customization job breaks network.job_in_vpc: support-tone",
        "severity": "critical",
        "category": "network",
        "verdict": "rejected",
        "subject": {"arn": ARNS[Kind.CUSTOMIZATION_JOB], "kind": "model-customization-job", "name": "support-tone"},
        "control": "network.job_in_vpc",
        "controls": ["network.job_in_vpc"],
        "blocking": True,
        "mode": "enforce",
    }


def test_what_is_held_only_for_what_it_rests_on_is_not_told_of_twice() -> None:
    item = gap_item(
        row(approval=Approval.HELD), Gap(Unknown(GATES_VERDICT, MODEL_KEY, "held"), ("model.known_origin",))
    )
    assert alert_of(item) is None


def test_a_gap_names_the_permission_the_resource_and_what_it_leaves_unknown() -> None:
    alert = gap(row(approval=Approval.HELD))
    assert "kms:GetKeyPolicy" in alert.title
    for part in ("kms:GetKeyPolicy", MODEL_KEY, "AccessDeniedException", "encryption.key_policy_closed"):
        assert part in alert.text
    assert f"tunegate jobs {ARNS[Kind.CUSTOMIZATION_JOB]} --verify" in alert.text
    assert (alert.severity, alert.category, alert.verdict) == (Severity.HIGH, "unknown", "held")
    assert alert.details["controls"] == ["encryption.key_policy_closed"]


@pytest.mark.parametrize(
    ("changes", "blocking", "said"),
    [
        ({"done": "stopped the job"}, True, "The gate stopped the job."),
        ({"subject": ESTATE}, False, "reports the estate and leaves it as it is"),
        ({"mode": Mode.AUDIT}, True, "mode is audit"),
        ({"approval": Approval.HELD}, True, "not approved"),
        ({"approval": Approval.APPROVED}, False, "reports and does not block"),
        ({}, True, "It is rejected"),
    ],
)
def test_the_text_says_what_was_done(changes: dict[str, Any], blocking: bool, said: str) -> None:
    assert said in breach(replace(row(), **changes), blocking=blocking).text


def test_the_estate_is_looked_at_again_by_an_audit() -> None:
    alert = gap(replace(row(), subject=ESTATE))
    assert "then: tunegate audit" in alert.text
    assert "tunegate jobs" not in alert.text


def test_what_is_over_tells_nobody() -> None:
    item = breach_item(row(), Breach("network.job_in_vpc", Severity.CRITICAL, True, ("x",)))
    assert alert_of(item | {"resolved_at": AT}) is None


def test_the_same_fault_has_one_id_and_another_time_or_subject_has_another() -> None:
    first = breach(row())
    assert first.alert_id == breach(row()).alert_id
    others = (breach(row(observed_at="2026-11-23T00:00:00.000Z")), breach(row(Kind.IMPORT_JOB)), gap(row()))
    assert len({first.alert_id, *(other.alert_id for other in others)}) == 4


def test_many_details_are_counted_and_not_all_told() -> None:
    alert = breach(row(), "lineage.inputs_scanned_clean", *(f"object {i}" for i in range(300)))
    assert "object 4; and 295 more" in alert.text
    assert "object 5" not in alert.text


def test_no_protocol_gets_more_than_it_takes() -> None:
    alert = breach(row(name="n" * 63), "lineage.inputs_scanned_clean", *("x" * 5000 for _ in range(300)))
    message = message_of(alert)
    assert len(message.encode()) < SNS_BYTES
    assert len(json.loads(message)["sms"]) < SMS_CHARACTERS
    line = subject_line(alert)
    assert len(line) <= SNS_SUBJECT
    assert line.isascii()


def test_each_protocol_gets_its_form() -> None:
    message = json.loads(message_of(breach(row())))
    assert set(message) == {"default", "email", "sms", "https", "http", "sqs", "lambda"}
    assert message["email"] == breach(row()).text
    chat = json.loads(message["https"])
    assert chat["metadata"]["additionalContext"]["arn"] == ARNS[Kind.CUSTOMIZATION_JOB]
    assert chat["content"]["nextSteps"] == breach(row()).details["next_steps"]
    assert "object" not in json.loads(message["sqs"])


def test_subscriptions_can_filter_on_it() -> None:
    assert attributes_of(breach(row())) == {
        "severity": "critical",
        "category": "network",
        "verdict": "rejected",
        "bucket": "none",
        "alert_id": breach(row()).alert_id,
    }


def test_an_alert_carries_the_row_and_nothing_besides() -> None:
    """What AWS answered beyond its error code (tokens, request signatures) is in no row, and so in no alert."""
    item = gap_item(row(), Gap(Unknown("kms:GetKeyPolicy", MODEL_KEY, "AccessDenied"), ())) | {
        "message": "User: arn:aws:sts::1:assumed-role/x/secret is not authorized", "token": "IQoJb3JpZ2luX2Vj",
    }  # fmt: skip
    found = alert_of(item)
    assert found is not None
    told = message_of(found)
    assert "IQoJb3JpZ2luX2Vj" not in told
    assert "not authorized" not in told
