"""Whatever the facts: judging ends in a conclusion, and no further fault ever makes a rejected subject approved."""

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunegate.job_facts import (
    BucketFacts,
    Description,
    Endpoint,
    Input,
    InputObject,
    JobFacts,
    KeyFacts,
    Network,
    RoleFacts,
    Standing,
    State,
    Statement,
    Subnet,
    Unknown,
    Vpc,
)
from tunegate.job_rules import JobRules, Mode
from tunegate.judge.consequence import consequence
from tunegate.judge.jobs import controls_of, judge_job
from tunegate.subject import Approval, Subject
from tunegate.verdict_tags import APPROVED
from unit.job_world import KINDS, Break, compliant
from unit.policy_world import ARNS, DATA_KEY, EXPECTED, MODEL_KEY, ROLE
from unit.test_controls_table import CASES
from unit.test_controls_unknown import MISSING_FACTS, without

WORDS = st.one_of(
    st.sampled_from(
        ["", "*", "clean", "arn:aws:s3:::*", "s3://tunegate-approved/a", "s3:GetObject", DATA_KEY, MODEL_KEY]
    ),
    st.sampled_from(
        [ROLE, "bedrock.amazonaws.com", "AWS", "Service", "igw-0", "subnet-0aa", "Allow", "tunegate-verdict"]
    ),
    st.text(max_size=12),
)
SOME_WORDS = st.lists(WORDS, max_size=3).map(tuple)
UNKNOWN = st.builds(Unknown, WORDS, WORDS, WORDS)
BY_WORD = st.dictionaries(WORDS, SOME_WORDS, max_size=2)
STATEMENTS = st.lists(
    st.builds(
        Statement, WORDS, SOME_WORDS, SOME_WORDS, SOME_WORDS, SOME_WORDS, BY_WORD, BY_WORD,
        st.dictionaries(WORDS, BY_WORD, max_size=2), WORDS,
    ),
    max_size=3,
).map(tuple)  # fmt: skip


def known(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(of, UNKNOWN)


BUCKET = st.builds(BucketFacts, WORDS, known(WORDS))
OBJECT = st.builds(InputObject, WORDS, WORDS, WORDS, WORDS)
SUBNETS = st.builds(
    Subnet, WORDS, WORDS, WORDS, SOME_WORDS, st.lists(st.builds(Endpoint, WORDS, STATEMENTS), max_size=2).map(tuple)
)


@st.composite
def any_facts(draw: st.DrawFn) -> JobFacts:
    kind = draw(st.sampled_from(KINDS))
    described = draw(
        st.builds(
            Description, st.just(Subject(kind, ARNS[kind])), WORDS, st.sampled_from(State), WORDS, WORDS, WORDS,
            SOME_WORDS, WORDS, WORDS, st.none() | st.builds(Vpc, SOME_WORDS, SOME_WORDS), WORDS, WORDS, WORDS,
            SOME_WORDS,
        )
    )  # fmt: skip
    key = st.builds(KeyFacts, WORDS, st.booleans(), st.booleans(), known(st.booleans()), known(STATEMENTS))
    return draw(
        st.builds(
            JobFacts, st.just(described), st.just(JobRules()), st.just(EXPECTED),
            role=known(st.none() | st.builds(RoleFacts, WORDS, STATEMENTS, known(STATEMENTS), WORDS)),
            key=known(st.none() | key),
            network=known(
                st.none() | st.builds(Network, st.lists(SUBNETS, max_size=2).map(tuple), known(st.booleans()))
            ),
            input_bucket=known(st.none() | BUCKET),
            output_bucket=known(st.none() | BUCKET),
            inputs=known(
                st.lists(st.builds(Input, OBJECT, WORDS, WORDS, WORDS, WORDS), max_size=3).map(tuple)
            ),
            output_keys=known(st.dictionaries(WORDS, WORDS, max_size=2)),
            began_with=known(st.lists(OBJECT, max_size=3).map(tuple)),
            manifest=known(st.none() | st.lists(OBJECT, max_size=3).map(tuple)),
            standings=st.lists(
                st.builds(Standing, WORDS, st.none() | st.sampled_from(Approval)), max_size=2
            ).map(tuple),
            serving=known(SOME_WORDS),
            tags=known(st.dictionaries(WORDS, WORDS, max_size=2)),
            marked=WORDS,
        )
    )  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_facts(), st.sampled_from(Mode))
def test_judging_any_facts_ends_in_a_conclusion_about_every_control(facts: JobFacts, mode: Mode) -> None:
    conclusion = judge_job(facts)
    told = [
        *conclusion.passed,
        *(b.control for b in conclusion.breaches),
        *(c for g in conclusion.gaps for c in g.controls),
    ]
    assert sorted(told) == sorted(control.id for control in controls_of(facts.described.subject.kind))
    if conclusion.gaps or conclusion.blocking:
        assert conclusion.approval in {Approval.HELD, Approval.REJECTED}
        assert consequence(facts.described, conclusion, JobRules(mode=mode)).mark != APPROVED
    assert len(conclusion.digest) == 64


JOB_CASES = [case for case in CASES if isinstance(case, Break)]


@st.composite
def faulty_facts(draw: st.DrawFn) -> tuple[JobFacts, list[Break], bool]:
    """A compliant subject with some faults, and perhaps with a fact that cannot be read."""
    kind = draw(st.sampled_from(KINDS))
    cases = [case for case in JOB_CASES if case.kind is kind]
    chosen = draw(st.lists(st.sampled_from(cases), max_size=5)) if cases else []
    # What lay there at the beginning is asked for only where no manifest was recorded.
    places = [m.where for m in MISSING_FACTS if m.kind is kind and "." not in m.where and m.where != "began_with"]
    facts = compliant(kind)
    for case in chosen:
        facts = case.change(facts)
    hidden = draw(st.lists(st.sampled_from(places), max_size=2)) if places else []
    for place in hidden:
        facts = without(facts, place)
    return facts, chosen, bool(hidden)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(faulty_facts())
def test_faults_and_missing_facts_together_are_never_approved(made: tuple[JobFacts, list[Break], bool]) -> None:
    facts, chosen, hidden = made
    approval = judge_job(facts).approval
    if hidden or chosen:
        assert approval in {Approval.HELD, Approval.REJECTED}
    else:
        assert approval is Approval.APPROVED


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(faulty_facts(), st.data())
def test_one_more_fault_never_helps(made: tuple[JobFacts, list[Break], bool], data: st.DataObject) -> None:
    facts, _, _ = made
    cases = [case for case in JOB_CASES if case.kind is facts.described.subject.kind]
    if not cases:
        return
    before = judge_job(facts).approval
    after = judge_job(data.draw(st.sampled_from(cases)).change(facts)).approval
    order = [Approval.APPROVED, Approval.HELD, Approval.REJECTED]
    assert order.index(after) >= min(order.index(before), order.index(Approval.HELD))
    if before is Approval.REJECTED:
        assert after is not Approval.APPROVED


@settings(max_examples=100, deadline=None)
@given(any_facts())
def test_equal_facts_have_equal_conclusions(facts: JobFacts) -> None:
    assert judge_job(facts).digest == judge_job(replace(facts)).digest
