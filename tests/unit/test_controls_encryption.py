"""Encryption: each way in which a model, a key, a bucket or an object is not under a customer managed key."""

from dataclasses import replace

import pytest

from tunegate.job_facts import BucketFacts, JobFacts, State
from tunegate.job_rules import JobRules
from tunegate.judge.jobs import judge_job
from tunegate.subject import Kind
from unit.job_world import (
    Break,
    Change,
    assert_breaks_only,
    compliant,
    describe,
    described,
    having,
    model_key,
    with_input,
)
from unit.policy_world import APPROVED, DATA_KEY, MODEL_KEY, OTHER_KEY, OUTPUT, ROLE, document

KEYED = (Kind.CUSTOMIZATION_JOB, Kind.CUSTOM_MODEL, Kind.IMPORT_JOB, Kind.IMPORTED_MODEL, Kind.COPY_JOB)


def under(arn: str, **changes: object) -> Change:
    """The subject names this key, and the key is as the changes say."""
    return lambda facts: describe(replace(facts, key=model_key(arn, **changes)), key_arn=arn)


def open_to(**members: object) -> Change:
    statement = {"Sid": "Open", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"} | members
    return under(MODEL_KEY, policy=document(statement))


BREAKS = (
    Break("encryption.job_model_key", described(key_arn=""), "support-tone", "docs:bedrock/encryption-custom-job"),
    Break("encryption.job_model_key", described(key_arn=""), "support-tone", kind=Kind.TRAINING_JOB),
    Break(
        "encryption.custom_model_key",
        described(key_arn=""),
        "support-tone",
        "docs:bedrock/encryption-custom-job",
        kind=Kind.CUSTOM_MODEL,
    ),
    Break(
        "encryption.imported_model_key",
        described(key_arn=""),
        "support-tone",
        "docs:bedrock/encryption-import-model",
        kind=Kind.IMPORT_JOB,
    ),
    Break("encryption.imported_model_key", described(key_arn=""), "support-tone", kind=Kind.IMPORTED_MODEL),
    Break(
        "encryption.copied_model_key", described(key_arn=""), "the copy", "docs:bedrock/copy-model", kind=Kind.COPY_JOB
    ),
    Break(
        "encryption.key_customer_managed",
        under(MODEL_KEY, customer_managed=False),
        MODEL_KEY,
        "docs:sra/customer-managed-keys",
    ),
    Break("encryption.key_customer_managed", having(key=None), MODEL_KEY, "NotFoundException"),
    Break(
        "encryption.key_enabled",
        under(MODEL_KEY, enabled=False),
        MODEL_KEY,
        "config:kms-cmk-not-scheduled-for-deletion",
    ),
    Break(
        "encryption.key_rotates", under(MODEL_KEY, rotates=False), MODEL_KEY, "config:cmk-backing-key-rotation-enabled"
    ),
    Break("encryption.key_allowed", under(OTHER_KEY), OTHER_KEY),
    Break("encryption.key_policy_closed", open_to(Principal="*"), MODEL_KEY, "prowler:kms_key_not_publicly_accessible"),
    Break("encryption.key_policy_closed", open_to(Principal={"AWS": "*"}), "Open", "checkov:CKV_AWS_33"),
    Break(
        "encryption.key_policy_closed",
        open_to(Principal="*", Condition={"ArnEquals": {"aws:PrincipalArn": [ROLE, "arn:aws:iam::*:role/a"]}}),
        "Open",
    ),
    Break(
        "encryption.key_policy_closed",
        open_to(Principal="*", Condition={"ArnNotEquals": {"aws:PrincipalArn": ROLE}}),
        "Open",
    ),
    Break("encryption.key_policy_closed", open_to(NotPrincipal={"AWS": ROLE}, Sid=""), "a statement without Sid"),
    Break(
        "encryption.input_bucket_key",
        having(input_bucket=BucketFacts(APPROVED, "")),
        APPROVED,
        "config:s3-default-encryption-kms",
    ),
    Break("encryption.input_bucket_key", having(input_bucket=BucketFacts(APPROVED, OTHER_KEY)), APPROVED),
    Break(
        "encryption.output_bucket_key",
        having(output_bucket=BucketFacts(OUTPUT, "")),
        OUTPUT,
        "config:s3-default-encryption-kms",
    ),
    Break("encryption.input_object_key", with_input(key_arn=""), "team-a/train.jsonl"),
    Break("encryption.input_object_key", with_input(key_arn=OTHER_KEY), OTHER_KEY),
    Break("encryption.output_object_key", having(output_keys={"jobs/metrics.csv": ""}), "jobs/metrics.csv"),
    Break("encryption.output_object_key", having(output_keys={"a": DATA_KEY, "b": OTHER_KEY}), "result b"),
)


@pytest.mark.parametrize("case", BREAKS, ids=str)
def test_one_change_breaks_one_control(case: Break) -> None:
    assert_breaks_only(case.control, case.names, judge_job(case.facts))


@pytest.mark.parametrize("kind", KEYED)
@pytest.mark.parametrize("change", [under(OTHER_KEY), under(MODEL_KEY, rotates=False), under(MODEL_KEY, enabled=False)])
def test_the_key_is_judged_wherever_a_model_is_made_or_kept(kind: Kind, change: Change) -> None:
    assert judge_job(change(compliant(kind))).breaches


def test_a_key_of_your_own_is_fine_once_the_policy_names_it() -> None:
    rules = JobRules(allowed_model_key_arns=frozenset({OTHER_KEY}))
    assert judge_job(replace(under(OTHER_KEY)(compliant(Kind.CUSTOM_MODEL)), rules=rules)).breaches == ()


def test_a_key_of_aws_is_one_finding_and_not_four() -> None:
    """AWS cannot be made to rotate it otherwise, or to close its policy: only replacing it helps."""
    opened = document({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"})
    facts = under(OTHER_KEY, customer_managed=False, rotates=False, policy=opened)(compliant(Kind.CUSTOM_MODEL))
    assert [breach.control for breach in judge_job(facts).breaches] == ["encryption.key_customer_managed"]


@pytest.mark.parametrize("operator", ["ArnEquals", "StringEquals"])
def test_a_condition_may_name_the_principals(operator: str) -> None:
    facts = open_to(Principal="*", Condition={operator: {"aws:PrincipalArn": ROLE}})(compliant(Kind.CUSTOM_MODEL))
    assert judge_job(facts).breaches == ()


def test_a_denial_to_everybody_opens_nothing() -> None:
    deny = document({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"})
    assert judge_job(under(MODEL_KEY, policy=deny)(compliant(Kind.CUSTOM_MODEL))).breaches == ()


def test_what_a_running_job_wrote_so_far_is_not_judged() -> None:
    facts: JobFacts = replace(compliant(Kind.CUSTOMIZATION_JOB, State.RUNNING), output_keys={"half": ""})
    assert judge_job(facts).breaches == ()
