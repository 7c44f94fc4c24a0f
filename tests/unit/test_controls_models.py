"""Models: a model, and any means to invoke one, comes from a job the gate has approved."""

from dataclasses import replace

import pytest

from tunegate.job_facts import GATES_VERDICT, JobFacts, State, Unknown
from tunegate.job_rules import JobRules
from tunegate.judge.consequence import consequence
from tunegate.judge.jobs import judge_job
from tunegate.subject import Approval, Kind
from unit.job_world import Break, Change, assert_breaks_only, compliant, described, having, resting_on
from unit.policy_world import ARNS

JOB, MODEL = ARNS[Kind.CUSTOMIZATION_JOB], ARNS[Kind.CUSTOM_MODEL]
ENDPOINTS = {Kind.THROUGHPUT: "model.throughput_approved", Kind.DEPLOYMENT: "model.deployment_approved"}
TAGGED = (Kind.CUSTOM_MODEL, Kind.IMPORTED_MODEL, *ENDPOINTS)


def made_by_nothing(facts: JobFacts) -> JobFacts:
    return replace(facts, standings=())


def tag(value: str, marked: str = "") -> Change:
    return having(tags={"tunegate-verdict": value}, marked=marked)


BREAKS = (
    Break(
        "model.import_from_approved", described(inputs=("s3://downloads/llama/",)), "s3://downloads/llama/",
        kind=Kind.IMPORTED_MODEL,
    ),
    Break("model.known_origin", made_by_nothing, "support-tone", kind=Kind.CUSTOM_MODEL),
    Break("model.known_origin", made_by_nothing, "support-tone", kind=Kind.IMPORTED_MODEL),
    *(
        Break("model.known_origin", resting_on(JOB, approval), f"{JOB}, which is {word}", kind=Kind.CUSTOM_MODEL)
        for approval, word in (
            (None, "unknown to the gate"), (Approval.REJECTED, "rejected"), (Approval.ADMITTED, "admitted"),
        )
    ),
    Break("model.copy_source_approved", resting_on(MODEL, None), MODEL, kind=Kind.COPY_JOB),
    Break("model.copy_source_approved", resting_on(MODEL, Approval.REJECTED), "rejected", kind=Kind.COPY_JOB),
    *(
        Break(control, resting_on(MODEL, approval), f"support-tone serves {MODEL}", kind=kind)
        for kind, control in ENDPOINTS.items()
        for approval in (None, Approval.REJECTED)
    ),
    *(Break("model.tag_is_the_gates", tag("approved"), "support-tone", kind=kind) for kind in TAGGED),
    Break("model.tag_is_the_gates", tag("approved", "rejected"), "tunegate-verdict=approved", kind=Kind.DEPLOYMENT),
    Break("model.tag_is_the_gates", tag("tolerated", "approved"), "=tolerated", kind=Kind.CUSTOM_MODEL),
)  # fmt: skip


@pytest.mark.parametrize("case", BREAKS, ids=str)
def test_one_change_breaks_one_control(case: Break) -> None:
    assert_breaks_only(case.control, case.names, judge_job(case.facts))


@pytest.mark.parametrize("kind", [Kind.CUSTOM_MODEL, Kind.IMPORTED_MODEL])
def test_a_model_a_person_has_looked_at_needs_no_known_origin(kind: Kind) -> None:
    rules = JobRules(allowed_model_arns=frozenset({ARNS[kind]}))
    assert judge_job(replace(made_by_nothing(compliant(kind)), rules=rules)).breaches == ()


@pytest.mark.parametrize("kind", [*ENDPOINTS, Kind.COPY_JOB])
def test_such_a_model_may_be_served_and_copied(kind: Kind) -> None:
    rules = JobRules(allowed_model_arns=frozenset({MODEL}))
    assert judge_job(replace(resting_on(MODEL, None)(compliant(kind)), rules=rules)).breaches == ()


@pytest.mark.parametrize(
    ("kind", "ground"), [(Kind.CUSTOM_MODEL, JOB), (Kind.COPY_JOB, MODEL), *((kind, MODEL) for kind in ENDPOINTS)]
)
def test_what_rests_on_something_held_is_held_with_it_and_nothing_is_taken_away(kind: Kind, ground: str) -> None:
    facts = resting_on(ground, Approval.HELD)(compliant(kind))
    conclusion = judge_job(facts)
    assert (conclusion.approval, conclusion.breaches) == (Approval.HELD, ())
    assert [gap.missing for gap in conclusion.gaps] == [Unknown(GATES_VERDICT, ground, "held")]
    assert not consequence(facts.described, conclusion, facts.rules).remove


def test_both_the_model_served_and_the_one_to_come_must_be_approved() -> None:
    facts = compliant(Kind.THROUGHPUT)
    other = f"{MODEL}x"
    facts = replace(facts, standings=(*facts.standings, *resting_on(other, None)(facts).standings))
    (breach,) = judge_job(facts).breaches
    assert breach.details == (f"support-tone serves {other}, which is unknown to the gate",)


def test_throughput_of_a_base_model_is_none_of_the_gates_business() -> None:
    assert judge_job(made_by_nothing(compliant(Kind.THROUGHPUT))).breaches == ()


@pytest.mark.parametrize("value", ["rejected", "held", "whatever"])
def test_a_tag_that_opens_nothing_is_no_finding(value: str) -> None:
    assert judge_job(tag(value)(compliant(Kind.CUSTOM_MODEL))).breaches == ()


def test_a_model_that_is_still_being_made_is_not_asked_for_its_origin() -> None:
    facts = made_by_nothing(compliant(Kind.CUSTOM_MODEL, State.RUNNING))
    assert judge_job(facts).approval is Approval.ADMITTED
