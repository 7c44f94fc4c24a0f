"""The job gate's one use case: look at a subject again, judge it, and see to what follows.

It may be called at any time and any number of times, for whatever reason: an event, a schedule, a person. What it does
depends on what AWS and the ledger hold, never on what the caller claims.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from tunegate.act.enforce import mark, remove, restrict
from tunegate.act.ledger import Ledger
from tunegate.act.subjects import begin_look, put_evidence, put_manifest, record_findings, record_origin, record_subject
from tunegate.job_facts import Description, Expected, JobFacts, State, Unknown
from tunegate.judge.consequence import Consequence, consequence
from tunegate.judge.controls.lineage import bucket_of
from tunegate.judge.jobs import Conclusion, Gap, controls_of, judge_job
from tunegate.observe.descriptions import describe
from tunegate.observe.facts import Sources, job_facts, with_origin
from tunegate.observe.subjects import subject_row
from tunegate.policy import Policy
from tunegate.subject import Approval, Kind, Subject, subject_of
from tunegate.subject_rows import SubjectRow, row_of
from tunegate.verdict_tags import MODEL_VERDICT_TAG, USABLE


@dataclass(frozen=True, slots=True)
class Gate:
    """What verifying takes: where to read and write, the policy in force and what was deployed."""

    sources: Sources
    policy: Policy
    expected: Expected

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.sources.client("dynamodb"), self.sources.table)


def verify(gate: Gate, subject: Subject) -> list[SubjectRow]:
    """Look at a subject and at what hangs together with it: first what it rests on, then itself, then what it makes.

    Returns the rows that now hold, each subject's once; none for a subject that is not there or not ours to judge.
    """
    return list(_verify(gate, subject, set()))


def _verify(gate: Gate, subject: Subject, seen: set[str]) -> Iterator[SubjectRow]:
    if subject.arn in seen:
        return
    seen.add(subject.arn)
    observed_at = begin_look(gate.ledger, subject.arn)
    described = describe(gate.sources.client("bedrock"), gate.sources.client("sagemaker"), subject)
    if isinstance(described, Unknown):
        yield _unreadable(gate, subject, described, observed_at)
    elif described is not None and _concerns(described, gate.expected):
        described = with_origin(gate.sources, described)
        yield from _verify_grounds(gate, described, seen)
        facts = job_facts(gate.sources, described, gate.policy.jobs, gate.expected)
        yield _verify_one(gate, facts, observed_at)
        yield from _verify_results(gate, facts, seen)


def _concerns(described: Description, expected: Expected) -> bool:
    """SageMaker serves many ends; only what reads or writes our data is ours to judge."""
    if described.subject.kind not in {Kind.TRAINING_JOB, Kind.MODEL_PACKAGE}:
        return True
    ours = {expected.approved_bucket, expected.output_bucket}
    return any(bucket_of(uri) in ours for uri in (*described.inputs, described.output))


def _verify_grounds(gate: Gate, described: Description, seen: set[str]) -> Iterator[SubjectRow]:
    """What a subject rests on decides about it, so whatever of that is undecided is looked at first."""
    for arn in described.rests_on:
        row = subject_row(gate.sources.client("dynamodb"), gate.sources.table, arn)
        if row is None or not row.is_final:
            yield from _verify(gate, subject_of(arn), seen)


def _verify_results(gate: Gate, facts: JobFacts, seen: set[str]) -> Iterator[SubjectRow]:
    """What a finished job made, and what serves a model."""
    described = facts.described
    if described.makes and described.state is State.DONE:
        record_origin(gate.ledger, described.makes, job=described.subject.arn)
        yield from _verify(gate, subject_of(described.makes), seen)
    for arn in () if isinstance(facts.serving, Unknown) else facts.serving:
        yield from _verify(gate, subject_of(arn), seen)


def _unreadable(gate: Gate, subject: Subject, missing: Unknown, observed_at: str) -> SubjectRow:
    """A subject that the gate may not even describe is held: every control of it is unknown.

    The mark an earlier look put on it is still there, and still the gate's.
    """
    rules = gate.policy.jobs
    gap = Gap(missing, tuple(control.id for control in controls_of(subject.kind)))
    conclusion = Conclusion(subject, Approval.HELD, gaps=(gap,))
    described = Description(subject, subject.name, State.RUNNING, created_at="")
    row = row_of(described, conclusion, observed_at, rules.mode, gate.policy.digest)
    previous = subject_row(gate.sources.client("dynamodb"), gate.sources.table, subject.arn)
    row = replace(row, marked=previous.marked if previous else "")
    if record_subject(gate.ledger, row):
        record_findings(gate.ledger, row, conclusion)
    return row


def _verify_one(gate: Gate, facts: JobFacts, observed_at: str) -> SubjectRow:
    rules, described = gate.policy.jobs, facts.described
    conclusion = judge_job(facts)
    due = consequence(described, conclusion, rules)
    row = row_of(described, conclusion, observed_at, rules.mode, gate.policy.digest)
    row = replace(row, manifest=_manifest(gate, facts), marked=due.mark)
    return _carry_out(gate, facts, conclusion, _still_due(facts, due), row)


def _still_due(facts: JobFacts, due: Consequence) -> Consequence:
    """Without the mark that is there already: marking raises an event, which has the subject looked at again."""
    marked = facts.marked if isinstance(facts.tags, Unknown) else facts.tags.get(MODEL_VERDICT_TAG)
    return replace(due, mark="") if marked == due.mark else due


def _carry_out(gate: Gate, facts: JobFacts, conclusion: Conclusion, due: Consequence, row: SubjectRow) -> SubjectRow:
    """What takes away comes before the ledger, what gives comes after it: a failure in between leaves the gate shut."""
    bedrock, subject = gate.sources.client("bedrock"), row.subject
    previous = subject_row(gate.sources.client("dynamodb"), gate.sources.table, subject.arn)
    done = restrict(bedrock, subject, due)
    row = replace(row, done="; ".join([*done, "asks Bedrock to delete it"] if due.remove else done))
    row = _joined(gate, facts, conclusion, row, previous)
    if not record_subject(gate.ledger, row):
        # Somebody looked later than we did, and saw to it.
        return row
    record_findings(gate.ledger, row, conclusion)
    if due.mark in USABLE:
        mark(bedrock, subject, due.mark)
    if due.remove:
        # After the ledger: what is gone cannot be looked at again, so nobody would ever be told of it.
        row = replace(row, done="; ".join([*done, remove(bedrock, subject)]))
        record_subject(gate.ledger, row)
    return row


def _joined(
    gate: Gate, facts: JobFacts, conclusion: Conclusion, row: SubjectRow, previous: SubjectRow | None
) -> SubjectRow:
    """The row with what an earlier look left: when the same conclusion was first drawn, and what was done then."""
    if previous is not None and (previous.conclusion, previous.status) == (row.conclusion, row.status):
        return replace(row, at=previous.at, done=row.done or previous.done, evidence=previous.evidence)
    done = row.done or (previous.done if previous and previous.approval is row.approval else "")
    evidence = put_evidence(gate.sources.client("s3"), gate.sources.evidence, row, _document(facts, conclusion, row))
    return replace(row, done=done, evidence=evidence)


def _manifest(gate: Gate, facts: JobFacts) -> str:
    """Record what a running job reads, the first time it is seen."""
    described = facts.described
    if not described.inputs or isinstance(facts.inputs, Unknown) or isinstance(facts.manifest, Unknown):
        return ""
    if facts.manifest is None and described.state is not State.RUNNING:
        return ""
    objects = [item.object for item in facts.inputs]
    return put_manifest(gate.sources.client("s3"), gate.sources.evidence, described.subject.arn, objects)


def _document(facts: JobFacts, conclusion: Conclusion, row: SubjectRow) -> dict[str, Any]:
    return {
        "subject": row.subject.arn,
        "observed_at": row.observed_at,
        "policy_digest": row.policy_digest,
        "mode": row.mode.value,
        "approval": conclusion.approval.value,
        "breaches": [asdict(breach) for breach in conclusion.breaches],
        "gaps": [asdict(gap) for gap in conclusion.gaps],
        "passed": list(conclusion.passed),
        "described": asdict(facts.described),
        "inputs": [] if isinstance(facts.inputs, Unknown) else [asdict(item) for item in facts.inputs],
    }
