"""The ledger's rows about subjects are read back as they were written, and stay small."""

import re
from dataclasses import replace

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from tunegate.errors import PermanentError
from tunegate.job_facts import State, Unknown
from tunegate.job_rules import Mode
from tunegate.judge.jobs import Breach, Gap, judge_job
from tunegate.model import Severity
from tunegate.subject import ESTATE, Approval, Kind, Subject, subject_of
from tunegate.subject_rows import SubjectRow, breach_item, gap_item, row_of
from unit.job_world import KINDS, compliant, describe
from unit.policy_world import ARNS, MODEL_KEY

AT = "2026-11-22T10:00:00.000Z"
DYNAMODB_BYTES = 400 * 1024


def row(kind: Kind = Kind.CUSTOMIZATION_JOB) -> SubjectRow:
    facts = describe(compliant(kind), vpc=None, status="Completed", makes=ARNS[Kind.CUSTOM_MODEL])
    return row_of(facts.described, judge_job(facts), AT, Mode.ENFORCE, "d" * 64)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_is_read_back_as_it_was_written(kind: Kind) -> None:
    written = replace(row(kind), done="stopped the job", marked="held", evidence="jobs/a", manifest="manifests/a")
    typed = {name: TypeSerializer().serialize(value) for name, value in written.to_item().items()}
    read = {name: TypeDeserializer().deserialize(value) for name, value in typed.items()}
    assert SubjectRow.from_item(read) == written


def test_a_row_holds_what_was_concluded() -> None:
    made = row()
    assert (made.approval, made.breaches, made.gaps) == (Approval.REJECTED, ("network.job_in_vpc",), ())
    assert (made.status, made.makes, made.key_arn) == ("Completed", ARNS[Kind.CUSTOM_MODEL], MODEL_KEY)
    assert (made.at, made.observed_at, made.policy_digest, made.mode) == (AT, AT, "d" * 64, Mode.ENFORCE)


@pytest.mark.parametrize(
    ("state", "approval", "final"),
    [
        (State.DONE, Approval.APPROVED, True),
        (State.ENDED, Approval.REJECTED, True),
        (State.DONE, Approval.HELD, False),
        (State.RUNNING, Approval.ADMITTED, False),
    ],
)
def test_what_runs_or_is_held_is_looked_at_again(state: State, approval: Approval, final: bool) -> None:
    assert replace(row(), state=state, approval=approval).is_final is final


def test_what_is_rejected_while_something_of_it_is_unknown_is_looked_at_again() -> None:
    # As a model whose endpoints could not be listed: until they are, nobody takes them away.
    assert not replace(row(), state=State.DONE, gaps=("bedrock:ListCustomModelDeployments",)).is_final


def test_a_breach_row_stays_far_below_what_a_row_may_hold() -> None:
    many = Breach("lineage.inputs_scanned_clean", Severity.CRITICAL, True, ("x" * 5000,) * 1000)
    item = breach_item(row(), many)
    assert (len(item["details"]), len(item["details"][0]), item["details_total"]) == (20, 500, 1000)
    assert len(str(item)) < DYNAMODB_BYTES / 10


def test_breaches_and_gaps_share_the_subjects_partition() -> None:
    made = row()
    breach = breach_item(made, Breach("network.job_in_vpc", Severity.CRITICAL, True, ("no VPC",)))
    gap = gap_item(made, Gap(Unknown("kms:GetKeyPolicy", MODEL_KEY, "AccessDenied"), ("encryption.key_policy_closed",)))
    assert {breach["pk"], gap["pk"], made.to_item()["pk"]} == {f"subject#{ARNS[Kind.CUSTOMIZATION_JOB]}"}
    assert breach["sk"] == "breach#network.job_in_vpc"
    assert (gap["action"], gap["resource"], gap["error"]) == ("kms:GetKeyPolicy", MODEL_KEY, "AccessDenied")
    assert gap["sk"].startswith("gap#kms:GetKeyPolicy")


def test_the_estate_has_a_partition_of_its_own() -> None:
    estate = replace(row(), subject=ESTATE)
    assert SubjectRow.from_item(estate.to_item()).subject == ESTATE


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_known_by_its_arn(kind: Kind) -> None:
    assert subject_of(ARNS[kind]) == Subject(kind, ARNS[kind])


@pytest.mark.parametrize(
    "arn",
    [
        "", "estate", "arn:aws:s3:::bucket", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0",
        "arn:aws:bedrock:us-east-1:111122223333:estate/x", "arn:aws:bedrock:us-east-1:111122223333:guardrail/g",
        f"{ARNS[Kind.DEPLOYMENT]}\n", "arn:aws:bedrock:us-east-1:111122223333:custom-model/a b",
    ],
)  # fmt: skip
def test_other_arns_are_refused_without_being_repeated(arn: str) -> None:
    with pytest.raises(PermanentError, match=re.compile("names no job")) as refused:
        subject_of(arn)
    assert not arn or arn not in str(refused.value)
