"""What follows from a conclusion: in enforce mode it is acted on, in audit mode it is reported."""

import pytest

from tunegate.job_facts import State, Unknown
from tunegate.job_rules import JobRules, Mode
from tunegate.judge.consequence import Consequence, consequence
from tunegate.judge.jobs import Breach, Conclusion, Gap
from tunegate.model import Severity
from tunegate.subject import Approval, Kind
from unit.job_world import KINDS, compliant

ENFORCE, AUDIT = JobRules(mode=Mode.ENFORCE), JobRules(mode=Mode.AUDIT)
DELETING = JobRules(mode=Mode.ENFORCE, delete_rejected_imports=True)
ENDPOINTS = (Kind.THROUGHPUT, Kind.DEPLOYMENT)
MARKED = (Kind.CUSTOM_MODEL, Kind.IMPORTED_MODEL, *ENDPOINTS)


def due(kind: Kind, approval: Approval, rules: JobRules = ENFORCE, state: State = State.DONE) -> Consequence:
    described = compliant(kind, state).described
    return consequence(described, Conclusion(described.subject, approval), rules)


def test_a_rejected_job_that_runs_is_stopped() -> None:
    assert due(Kind.CUSTOMIZATION_JOB, Approval.REJECTED, state=State.RUNNING) == Consequence(stop=True)


@pytest.mark.parametrize("approval", set(Approval) - {Approval.REJECTED})
def test_no_other_job_is_stopped(approval: Approval) -> None:
    assert due(Kind.CUSTOMIZATION_JOB, approval, state=State.RUNNING) == Consequence()


@pytest.mark.parametrize("state", [State.DONE, State.ENDED])
def test_a_job_that_has_ended_cannot_be_stopped(state: State) -> None:
    assert due(Kind.CUSTOMIZATION_JOB, Approval.REJECTED, state=state) == Consequence()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in MARKED and kind is not Kind.CUSTOMIZATION_JOB])
def test_what_bedrock_cannot_stop_or_mark_is_left_as_it_is(kind: Kind) -> None:
    """An import cannot be stopped: the model it makes is judged, and rejected for its job."""
    assert due(kind, Approval.REJECTED, state=State.RUNNING) == Consequence()


@pytest.mark.parametrize("kind", MARKED)
def test_a_model_is_marked_with_what_was_decided(kind: Kind) -> None:
    assert due(kind, Approval.APPROVED).mark == "approved"
    assert due(kind, Approval.REJECTED).mark == "rejected"
    assert due(kind, Approval.HELD).mark == "held"
    assert due(kind, Approval.ADMITTED) == Consequence()


@pytest.mark.parametrize("kind", ENDPOINTS)
def test_what_serves_a_rejected_model_is_removed(kind: Kind) -> None:
    assert due(kind, Approval.REJECTED).remove
    assert not due(kind, Approval.HELD).remove


def test_a_custom_model_is_never_deleted() -> None:
    """Without a deployment it cannot be invoked, and it is evidence."""
    assert not due(Kind.CUSTOM_MODEL, Approval.REJECTED, DELETING).remove


def test_an_imported_model_is_deleted_only_where_the_policy_says_so() -> None:
    assert not due(Kind.IMPORTED_MODEL, Approval.REJECTED).remove
    assert due(Kind.IMPORTED_MODEL, Approval.REJECTED, DELETING).remove
    assert not due(Kind.IMPORTED_MODEL, Approval.HELD, DELETING).remove


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("approval", Approval)
@pytest.mark.parametrize("state", State)
def test_audit_mode_stops_and_removes_nothing(kind: Kind, approval: Approval, state: State) -> None:
    followed = due(kind, approval, AUDIT, state)
    assert not followed.stop
    assert not followed.remove
    assert followed.mark in {"", "approved", "tolerated"}


def conclude(approval: Approval, *, details: tuple[str, ...] = ("a",), action: str = "kms:DescribeKey") -> str:
    subject = compliant(Kind.CUSTOM_MODEL).described.subject
    breach = Breach("model.known_origin", Severity.HIGH, True, details)
    return Conclusion(subject, approval, (breach,), (Gap(Unknown(action, "arn", "AccessDenied"), ()),)).digest


def test_the_digest_of_a_conclusion_tells_what_changed() -> None:
    digests = {
        conclude(Approval.REJECTED),
        conclude(Approval.HELD),
        conclude(Approval.REJECTED, details=("a", "b")),
        conclude(Approval.REJECTED, details=("b",)),
        conclude(Approval.REJECTED, action="kms:GetKeyPolicy"),
    }
    assert len(digests) == 5
    assert conclude(Approval.REJECTED) == conclude(Approval.REJECTED)


def test_the_digest_takes_any_text() -> None:
    """Keys come from strangers: a lone surrogate must not end a judgement."""
    assert conclude(Approval.REJECTED, details=("\ud800",))
