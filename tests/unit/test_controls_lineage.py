"""Lineage: a job reads what was scanned and found clean, in exactly that version, from its beginning to its end."""

from dataclasses import replace

import pytest

from tunegate.job_facts import Input, InputObject, JobFacts, State
from tunegate.job_rules import JobRules
from tunegate.judge.jobs import judge_job
from tunegate.subject import Kind
from unit.job_world import Break, Change, assert_breaks_only, compliant, described, having, with_input
from unit.policy_world import APPROVED, DATA_KEY, POLICY_DIGEST

TRAIN = InputObject(APPROVED, "team-a/train.jsonl", "v-train", "train")
GRADER = "arn:aws:lambda:us-east-1:111122223333:function:grader"
LOGS = "s3://logs/bedrock/"
READING = (Kind.CUSTOMIZATION_JOB, Kind.IMPORT_JOB, Kind.TRAINING_JOB, Kind.MODEL_PACKAGE)


def ended_with(*objects: InputObject) -> Change:
    """What lay there when the job ended, all of it clean."""
    return having(inputs=tuple(Input(item, DATA_KEY, "clean", "clean", POLICY_DIGEST, True) for item in objects))


def began_with(*objects: InputObject, recorded: bool) -> Change:
    seen = {"manifest": objects} if recorded else {"manifest": None, "began_with": objects}
    return having(**seen)


def both_seen(recorded: bool, before: tuple[InputObject, ...], after: tuple[InputObject, ...]) -> Change:
    return lambda facts: ended_with(*after)(began_with(*before, recorded=recorded)(facts))


def withdrawn(facts: JobFacts) -> JobFacts:
    return replace(facts, rules=JobRules(withdrawn_policy_digests=frozenset({POLICY_DIGEST})))


REPLACED = replace(TRAIN, version_id="v-new", checksum="new")
ADDED = replace(TRAIN, key="team-a/zz.jsonl")

BREAKS = (
    Break("lineage.inputs_in_approved", described(inputs=("s3://payroll/all.jsonl",)), "s3://payroll/all.jsonl"),
    Break("lineage.inputs_in_approved", described(inputs=(f"s3://{APPROVED}-2/a.jsonl",)), f"{APPROVED}-2"),
    Break("lineage.inputs_found", both_seen(True, (), ()), f"s3://{APPROVED}/team-a/train.jsonl"),
    Break("lineage.inputs_scanned_clean", with_input(verdict=""), "tagged with no verdict"),
    Break("lineage.inputs_scanned_clean", with_input(verdict="settling"), "team-a/train.jsonl (version v-train)"),
    Break("lineage.inputs_scanned_clean", with_input(decided=""), "by the ledger never decided"),
    Break("lineage.inputs_scanned_clean", with_input(decided="flagged"), "by the ledger flagged"),
    Break("lineage.verdict_evidenced", with_input(evidenced=False), "team-a/train.jsonl (version v-train)"),
    Break("lineage.policy_accepted", withdrawn, "team-a/train.jsonl"),
    Break("lineage.inputs_unchanged", both_seen(True, (TRAIN,), (REPLACED,)), "v-train became v-new"),
    Break("lineage.inputs_unchanged", both_seen(False, (TRAIN,), (REPLACED,)), "v-train became v-new"),
    Break("lineage.inputs_unchanged", both_seen(True, (TRAIN,), (TRAIN, ADDED)), "zz.jsonl was added"),
    Break("lineage.inputs_unchanged", both_seen(False, (TRAIN, ADDED), (TRAIN,)), "zz.jsonl was removed"),
    Break("lineage.output_in_place", described(output="s3://elsewhere/out/"), "s3://elsewhere/out/"),
    Break("lineage.invocation_logs_allowed", described(invocation_logs=LOGS), LOGS),
    Break("lineage.grader_allowed", described(grader=GRADER), GRADER),
)  # fmt: skip


@pytest.mark.parametrize("case", BREAKS, ids=str)
def test_one_change_breaks_one_control(case: Break) -> None:
    assert_breaks_only(case.control, case.names, judge_job(case.facts))


@pytest.mark.parametrize("kind", READING)
def test_whatever_reads_is_held_to_clean_data(kind: Kind) -> None:
    assert [b.control for b in judge_job(with_input(decided="held")(compliant(kind))).breaches] == [
        "lineage.inputs_scanned_clean"
    ]


def test_a_model_made_of_files_and_not_by_a_job_is_held_to_them() -> None:
    """CreateCustomModel of a model trained in SageMaker."""
    reading = compliant(Kind.MODEL_PACKAGE)
    model = compliant(Kind.CUSTOM_MODEL)
    described_so = replace(model.described, inputs=reading.described.inputs, rests_on=())
    facts = replace(model, described=described_so, inputs=reading.inputs, standings=())
    assert judge_job(facts).breaches == ()
    assert [b.control for b in judge_job(with_input(verdict="")(facts)).breaches] == ["lineage.inputs_scanned_clean"]


def test_the_manifest_counts_before_what_the_history_says() -> None:
    """It was recorded while the job ran; the history tells only what is still in it."""
    facts = having(manifest=(TRAIN,), began_with=(REPLACED,))(ended_with(REPLACED)(compliant(Kind.CUSTOMIZATION_JOB)))
    assert [b.control for b in judge_job(facts).breaches] == ["lineage.inputs_unchanged"]


def test_the_same_bytes_under_another_version_are_a_change() -> None:
    again = replace(TRAIN, version_id="v-again")
    facts = both_seen(True, (TRAIN,), (again,))(compliant(Kind.CUSTOMIZATION_JOB))
    assert [b.control for b in judge_job(facts).breaches] == ["lineage.inputs_unchanged"]


def test_many_unclean_objects_are_named_up_to_a_bound_and_counted() -> None:
    many = tuple(
        Input(replace(TRAIN, key=f"team-a/{i:03}.jsonl"), DATA_KEY, "", "", POLICY_DIGEST, False) for i in range(250)
    )
    facts = having(inputs=many, manifest=tuple(item.object for item in many))(compliant(Kind.CUSTOMIZATION_JOB))
    (breach,) = judge_job(facts).breaches
    assert len(breach.details) == 21
    assert breach.details[-1] == "and 230 more objects"


def test_logs_and_graders_the_policy_names_are_fine() -> None:
    facts = described(invocation_logs=LOGS, grader=GRADER)(compliant(Kind.CUSTOMIZATION_JOB))
    rules = JobRules(allowed_invocation_log_uris=frozenset({LOGS}), allowed_grader_arns=frozenset({GRADER}))
    assert judge_job(replace(facts, rules=rules)).breaches == ()


def test_a_job_on_invocation_logs_alone_has_no_data_to_find() -> None:
    facts = described(invocation_logs=LOGS, inputs=())(ended_with()(compliant(Kind.CUSTOMIZATION_JOB, State.RUNNING)))
    facts = having(manifest=())(facts)
    assert [b.control for b in judge_job(facts).breaches] == ["lineage.invocation_logs_allowed"]
