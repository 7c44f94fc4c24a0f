"""What could not be read is never a pass: each fact missing leaves the controls that ask for it undecided."""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from tunegate import observe
from tunegate.estate_facts import EstateFacts, InvocationLogging
from tunegate.job_facts import BucketFacts, JobFacts, KeyFacts, Known, Network, RoleFacts, Unknown
from tunegate.judge.controls.control import Undecided, apply
from tunegate.judge.controls.reads import reads_of
from tunegate.judge.controls.table import BY_ID, CONTROLS
from tunegate.judge.jobs import Conclusion, judge_estate, judge_job
from tunegate.subject import Approval, Kind
from unit.estate_world import PURPOSES, RULES, SETTLING, estate
from unit.job_world import KINDS, compliant, unread

MISSING = unread("service:Read")
KEY_CONTROLS = {
    f"encryption.key_{what}" for what in ("customer_managed", "enabled", "rotates", "allowed", "policy_closed")
}
PERMISSION_CONTROLS = {
    f"identity.{what}"
    for what in ("no_wildcards", "needed_actions", "buckets_in_reach", "keys_in_reach", "network_in_reach")
}
TRUST_CONTROLS = {f"identity.{what}" for what in ("trust_bedrock_only", "not_shared", "trust_conditions", "boundary")}
NETWORK_CONTROLS = {
    f"network.{what}" for what in ("subnets_exist", "no_way_out", "s3_endpoint", "s3_endpoint_policy", "dns_support")
}
INPUT_CONTROLS = {
    f"lineage.{what}"
    for what in ("inputs_found", "inputs_scanned_clean", "verdict_evidenced", "policy_accepted", "inputs_unchanged")
}


@dataclass(frozen=True)
class Missing:
    """A fact that cannot be read, by where it stands in the facts, and the controls that then cannot be judged."""

    where: str
    controls: frozenset[str]
    kind: Kind = Kind.CUSTOMIZATION_JOB
    first: Callable[[Any], Any] = lambda facts: facts

    def facts(self) -> Any:
        start = estate() if self.kind is Kind.ESTATE else compliant(self.kind)
        return without(self.first(start), self.where)

    def __str__(self) -> str:
        return f"{self.kind.value}-{self.where}"


def without(facts: Any, where: str) -> Any:
    """The facts with what stands at a path (`role.permissions`, `buckets.intake.policy`) not readable."""
    name, _, rest = where.partition(".")
    if isinstance(facts, dict):
        return {**facts, name: without(facts[name], rest) if rest else MISSING}
    return replace(facts, **{name: without(getattr(facts, name), rest) if rest else MISSING})


def no_manifest(facts: JobFacts) -> JobFacts:
    return replace(facts, manifest=None)


def job(where: str, *controls: str, kind: Kind = Kind.CUSTOMIZATION_JOB, **more: Any) -> Missing:
    return Missing(where, frozenset(controls), kind, **more)


def of_estate(where: str, *controls: str) -> Missing:
    return Missing(where, frozenset(f"estate.{control}" for control in controls), Kind.ESTATE)


GROUND = ("deployed", "bucket_keys", "bucket_versioning", "bucket_public_access", "bucket_tls", "bucket_guarantees",
          "bucket_logging", "bucket_lifecycle")  # fmt: skip
MISSING_FACTS = (
    job("role", *TRUST_CONTROLS, *PERMISSION_CONTROLS),
    job("role", *TRUST_CONTROLS, *PERMISSION_CONTROLS, kind=Kind.IMPORT_JOB),
    job("role.permissions", *PERMISSION_CONTROLS),
    *(job("key", *KEY_CONTROLS, kind=kind) for kind in KINDS if compliant(kind).key is not None),
    job("key.rotates", "encryption.key_rotates"),
    job("key.policy", "encryption.key_policy_closed"),
    *(job("network", *NETWORK_CONTROLS, kind=kind) for kind in KINDS if compliant(kind).network is not None),
    job("network.dns_support", "network.dns_support"),
    job("input_bucket", "encryption.input_bucket_key"),
    job("input_bucket.key_arn", "encryption.input_bucket_key"),
    job("output_bucket", "encryption.output_bucket_key"),
    job("output_bucket.key_arn", "encryption.output_bucket_key"),
    job("output_keys", "encryption.output_object_key"),
    job("inputs", *INPUT_CONTROLS, "encryption.input_object_key"),
    job("inputs", *INPUT_CONTROLS, kind=Kind.TRAINING_JOB),
    job("inputs", *INPUT_CONTROLS - {"lineage.inputs_unchanged"}, kind=Kind.MODEL_PACKAGE),
    job("manifest", "lineage.inputs_unchanged"),
    job("began_with", "lineage.inputs_unchanged", first=no_manifest),
    job("serving", kind=Kind.CUSTOM_MODEL),
    *(job("tags", "model.tag_is_the_gates", kind=kind) for kind in KINDS if compliant(kind).tags),
    *(
        of_estate(f"buckets.{purpose}", *GROUND, *(["bucket_events"] if purpose in {"intake", "policy"} else []),
                  *(["object_lock"] if purpose == "quarantine" else []))
        for purpose in PURPOSES
    ),
    of_estate("buckets.intake.key_arn", "bucket_keys"),
    of_estate("buckets.intake.versioned", "bucket_versioning"),
    of_estate("buckets.intake.public_access_blocked", "bucket_public_access"),
    of_estate("buckets.intake.policy", "bucket_tls", "bucket_guarantees"),
    of_estate("buckets.intake.logs_to", "bucket_logging"),
    of_estate("buckets.intake.sends_events", "bucket_events"),
    of_estate("buckets.quarantine.locked", "object_lock"),
    of_estate("buckets.evidence.expires", "bucket_lifecycle"),
    of_estate(f"gate_roles.{SETTLING}", "gate_roles"),
    of_estate(f"gate_roles.{SETTLING}.policies", "gate_roles"),
    of_estate("ledger_policy", "ledger_closed"),
    of_estate("alerts", "alerts_reach_somebody"),
    of_estate("alerts.subscribers", "alerts_reach_somebody"),
    of_estate("mappings.tunegate-start-scan", "mappings_enabled"),
    of_estate("keys.data", "deployed", "keys_enabled", "keys_rotate", "keys_closed"),
    of_estate("keys.data.rotates", "keys_rotate"),
    of_estate("keys.data.policy", "keys_closed"),
    of_estate(f"role_trusts.{estate().deployed.role_arns[0]}", "deployed", "roles_trusted"),
    of_estate("network", "subnets", "no_way_out", "s3_endpoint", "dns_support"),
    of_estate("network.dns_support", "dns_support"),
    of_estate("flow_logs", "flow_logs"),
    of_estate(f"event_rules.{RULES[0]}", "rules_enabled"),
    of_estate("trails", "trail", "trail_data_events"),
    of_estate("invocation_logging", "invocation_logging", "invocation_log_keys", "invocation_logs_closed"),
    of_estate("invocation_logging.group", "invocation_log_keys"),
    of_estate("invocation_logging.bucket.key_arn", "invocation_log_keys"),
    of_estate("invocation_logging.bucket.public_access_blocked", "invocation_logs_closed"),
    of_estate("invocation_logging.bucket.policy", "invocation_logs_closed"),
    of_estate("macie_enabled", "macie"),
)  # fmt: skip

BY_DESCRIPTION = {
    "encryption.job_model_key", "encryption.custom_model_key", "encryption.imported_model_key",
    "encryption.copied_model_key", "network.job_in_vpc", "network.subnets_allowed", "network.security_groups_allowed",
    "lineage.inputs_in_approved", "lineage.output_in_place", "lineage.invocation_logs_allowed",
    "lineage.grader_allowed", "model.import_from_approved", "model.known_origin", "model.copy_source_approved",
    "model.throughput_approved", "model.deployment_approved",
}  # fmt: skip
"""Controls that need only what the service says of the subject, without which nothing is judged at all."""


def conclude(facts: Any) -> Conclusion:
    return judge_estate(facts) if isinstance(facts, EstateFacts) else judge_job(facts)


@pytest.mark.parametrize("missing", MISSING_FACTS, ids=str)
def test_what_asks_for_a_missing_fact_is_unknown_and_nothing_is_approved(missing: Missing) -> None:
    conclusion = conclude(missing.facts())
    assert {control for gap in conclusion.gaps for control in gap.controls} == missing.controls
    assert [gap.missing for gap in conclusion.gaps] == [MISSING]
    assert conclusion.approval is Approval.HELD
    assert not missing.controls & set(conclusion.passed)


def test_every_control_is_unknown_for_want_of_some_fact() -> None:
    undecided = frozenset[str]().union(*(missing.controls for missing in MISSING_FACTS))
    assert {control.id for control in CONTROLS} - undecided == BY_DESCRIPTION


# By the place of a fact, what is asked of AWS for it.
ACTIONS = {
    "role": "iam:GetRole",
    "role.permissions": "iam:ListRolePolicies",
    "key": "kms:DescribeKey",
    "key.rotates": "kms:GetKeyRotationStatus",
    "key.policy": "kms:GetKeyPolicy",
    "network": "ec2:DescribeSubnets",
    "network.dns_support": "ec2:DescribeVpcAttribute",
    "input_bucket": "s3:GetEncryptionConfiguration",
    "output_bucket": "s3:GetEncryptionConfiguration",
    "output_keys": "s3:ListBucket",
    "inputs": "s3:ListBucketVersions",
    "manifest": "s3:GetObject",
    "tags": "bedrock:ListTagsForResource",
    "buckets.intake": "s3:GetEncryptionConfiguration",
    "buckets.intake.versioned": "s3:GetBucketVersioning",
    "buckets.intake.public_access_blocked": "s3:GetBucketPublicAccessBlock",
    "buckets.intake.policy": "s3:GetBucketPolicy",
    "buckets.intake.logs_to": "s3:GetBucketLogging",
    "buckets.intake.sends_events": "s3:GetBucketNotification",
    "buckets.quarantine.locked": "s3:GetBucketObjectLockConfiguration",
    "buckets.evidence.expires": "s3:GetLifecycleConfiguration",
    f"gate_roles.{SETTLING}": "iam:GetRole",
    f"gate_roles.{SETTLING}.policies": "iam:ListRolePolicies",
    "ledger_policy": "dynamodb:GetResourcePolicy",
    "alerts": "sns:GetTopicAttributes",
    "alerts.subscribers": "sns:ListSubscriptionsByTopic",
    "mappings.tunegate-start-scan": "lambda:ListEventSourceMappings",
    "keys.data": "kms:DescribeKey",
    "keys.data.rotates": "kms:GetKeyRotationStatus",
    "keys.data.policy": "kms:GetKeyPolicy",
    f"role_trusts.{estate().deployed.role_arns[0]}": "iam:GetRole",
    "flow_logs": "ec2:DescribeFlowLogs",
    f"event_rules.{RULES[0]}": "events:DescribeRule",
    "trails": "cloudtrail:DescribeTrails",
    "invocation_logging": "bedrock:GetModelInvocationLoggingConfiguration",
    "invocation_logging.group": "logs:DescribeLogGroups",
    "invocation_logging.bucket.public_access_blocked": "s3:GetBucketPublicAccessBlock",
    "invocation_logging.bucket.policy": "s3:GetBucketPolicy",
    "macie_enabled": "macie2:GetMacieSession",
}


@pytest.mark.parametrize("missing", [m for m in MISSING_FACTS if m.where in ACTIONS], ids=str)
def test_each_control_says_that_it_reads_what_it_lacks(missing: Missing) -> None:
    for control in missing.controls:
        assert ACTIONS[missing.where] in reads_of(BY_ID[control])


def test_a_control_reads_of_aws_what_observing_asks_for_and_nothing_else() -> None:
    source = "".join(path.read_text() for path in (Path(observe.__file__).parent).glob("*.py"))
    read = {action for control in CONTROLS for action in reads_of(control)}
    assert {action for action in read if f'"{action}' not in source} == set()
    assert all(reads_of(control) for control in CONTROLS)


@pytest.mark.parametrize("facts", [JobFacts, RoleFacts, KeyFacts, Network, BucketFacts, EstateFacts, InvocationLogging])
def test_every_fact_that_may_be_unknown_has_a_case(facts: type) -> None:
    assert is_dataclass(facts)
    places = {part for missing in MISSING_FACTS for part in missing.where.split(".")}
    hints = get_type_hints(facts)
    assert {field.name for field in fields(facts) if _may_be_unknown(hints[field.name])} <= places


def _may_be_unknown(hint: Any) -> bool:
    return get_origin(hint) is Known or any(map(_may_be_unknown, get_args(hint)))


@pytest.mark.parametrize("missing", [m for m in MISSING_FACTS if m.kind is Kind.CUSTOMIZATION_JOB], ids=str)
def test_what_is_broken_for_certain_is_rejected_whatever_else_is_unknown(missing: Missing) -> None:
    facts = missing.facts()
    facts = replace(facts, described=replace(facts.described, output="s3://elsewhere/"))
    conclusion = judge_job(facts)
    assert conclusion.approval is Approval.REJECTED
    assert conclusion.gaps


def test_a_fault_found_before_a_fact_was_missing_is_told() -> None:
    facts = estate()
    bucket = facts.buckets["approved"]
    assert isinstance(bucket, BucketFacts)
    broken: dict[str, BucketFacts | Unknown] = {
        "intake": replace(bucket, name="tunegate-intake", versioned=False),
        "approved": MISSING,
    }
    conclusion = judge_estate(replace(facts, buckets={**facts.buckets, **broken}))
    assert "estate.bucket_versioning" in {breach.control for breach in conclusion.breaches}


def test_a_gap_names_the_permission_once_for_all_controls_that_want_it() -> None:
    (gap,) = judge_job(replace(compliant(Kind.COPY_JOB), key=Unknown("kms:DescribeKey", "arn", "AccessDenied"))).gaps
    assert gap.missing.action == "kms:DescribeKey"
    assert set(gap.controls) == KEY_CONTROLS


def test_an_unknown_fact_nobody_asks_for_holds_nothing() -> None:
    """A copy has no role: what could not be read of one does not matter."""
    assert judge_job(replace(compliant(Kind.COPY_JOB), role=MISSING)).approval is Approval.APPROVED


def test_a_control_alone_says_which_fact_it_lacks() -> None:
    facts = replace(compliant(Kind.CUSTOMIZATION_JOB), role=MISSING)
    control: Any = BY_ID["identity.boundary"]
    assert apply(control, facts) == Undecided("identity.boundary", MISSING)
