"""The estate: each protection that was deployed is drift once it is gone or weakened."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tunegate.estate_facts import (
    AlertsTopic,
    EstateFacts,
    GateRole,
    InvocationLogging,
    LogGroup,
    RuleFacts,
    Trail,
)
from tunegate.job_facts import BucketFacts, Document, Network
from tunegate.judge.jobs import judge_estate
from tunegate.subject import Approval
from unit.estate_world import (
    IMPORT_ROLE,
    LEDGER,
    PUBLISHES,
    RULES,
    SETTLING,
    TOPIC,
    EstateBreak,
    EstateChange,
    bucket_policy,
    bucket_with,
    estate,
    estate_having,
    key_with,
    ledger_statement,
    logging_with,
    subnet_with,
)
from unit.job_world import assert_breaks_only
from unit.policy_world import ACCOUNT, DATA_KEY, SUBNET, document, gateway, trust_statement

EVERYBODY = {"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
STACK = Path(__file__).parents[2] / "stacks" / "guarantees.yaml"


def without_bucket(facts: EstateFacts) -> EstateFacts:
    return replace(facts, buckets={**facts.buckets, "policy": None})


def without_key(facts: EstateFacts) -> EstateFacts:
    return replace(facts, keys={**facts.keys, "model": None})


def import_role(trust: Document | None) -> EstateChange:
    return lambda facts: replace(facts, role_trusts={**facts.role_trusts, IMPORT_ROLE: trust})


def trusting(**whom: Any) -> EstateChange:
    return import_role(document(trust_statement("model-import-job") | {"Principal": whom}))


def rule_as(rule: RuleFacts | None) -> EstateChange:
    return lambda facts: replace(facts, event_rules={**facts.event_rules, RULES[0]: rule})


def trail_with(**changes: Any) -> EstateChange:
    trail = Trail("arn:trail", True, True, ("arn:aws:s3",))
    return estate_having(trails=(replace(trail, **changes),))


def deaf(facts: EstateFacts) -> EstateFacts:
    assert isinstance(facts.network, Network)
    return replace(facts, network=replace(facts.network, dns_support=False))


def role_as(**changes: Any) -> EstateChange:
    def change(facts: EstateFacts) -> EstateFacts:
        role = facts.gate_roles[SETTLING]
        assert isinstance(role, GateRole)
        return replace(facts, gate_roles={SETTLING: replace(role, **changes)})

    return change


def people(**whom: Any) -> Document:
    return document({"Effect": "Allow", "Principal": whom, "Action": "sts:AssumeRole", "Resource": "*"})


def topic_as(subscribers: int, *statements: dict[str, Any]) -> EstateChange:
    return estate_having(alerts=AlertsTopic(document(*statements), subscribers))


def ledger_as(*statements: dict[str, Any]) -> EstateChange:
    return estate_having(ledger_policy=document(*statements))


SILENCES = {"Sid": "Quiet", "Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": TOPIC}
# Under the name of one that belongs there, and for everybody.
SILENCES_ALL = SILENCES | {"Sid": "OnlyOverTls"}
CURIOUS = f"arn:aws:iam::{ACCOUNT}:role/curious"
GROUP_WITHOUT_KEY = InvocationLogging(LogGroup("/aws/bedrock/invocations", ""))

BREAKS = (
    EstateBreak("estate.deployed", without_bucket, "tunegate-policy"),
    EstateBreak("estate.deployed", without_key, "key/model"),
    EstateBreak("estate.deployed", import_role(None), IMPORT_ROLE),
    EstateBreak(
        "estate.bucket_keys", bucket_with("evidence", key_arn=""), "no CMK", "config:s3-default-encryption-kms"
    ),
    EstateBreak("estate.bucket_keys", bucket_with("quarantine", key_arn=DATA_KEY), "tunegate-quarantine"),
    EstateBreak(
        "estate.bucket_versioning",
        bucket_with("intake", versioned=False),
        "tunegate-intake",
        "config:s3-bucket-versioning-enabled",
    ),
    EstateBreak(
        "estate.bucket_public_access",
        bucket_with("output", public_access_blocked=False),
        "tunegate-output",
        "config:s3-bucket-level-public-access-prohibited",
    ),
    EstateBreak(
        "estate.bucket_tls",
        bucket_with("output", policy=bucket_policy("output")[1:]),
        "tunegate-output",
        "config:s3-bucket-ssl-requests-only",
    ),
    EstateBreak(
        "estate.bucket_logging",
        bucket_with("approved", logs_to=""),
        "tunegate-approved",
        "config:s3-bucket-logging-enabled",
    ),
    EstateBreak(
        "estate.bucket_events",
        bucket_with("intake", sends_events=False),
        "tunegate-intake",
        "config:s3-event-notifications-enabled",
    ),
    EstateBreak("estate.bucket_events", bucket_with("policy", sends_events=False), "tunegate-policy"),
    EstateBreak(
        "estate.object_lock",
        bucket_with("quarantine", locked=False),
        "tunegate-quarantine",
        "config:s3-bucket-default-lock-enabled",
    ),
    EstateBreak(
        "estate.keys_enabled", key_with("data", enabled=False), "key/data", "config:kms-cmk-not-scheduled-for-deletion"
    ),
    EstateBreak(
        "estate.keys_rotate",
        key_with("messaging", rotates=False),
        "key/messaging",
        "config:cmk-backing-key-rotation-enabled",
    ),
    EstateBreak(
        "estate.keys_closed",
        key_with("model", policy=document(EVERYBODY)),
        "Open",
        "config:kms-key-policy-no-public-access",
    ),
    EstateBreak("estate.roles_trusted", trusting(AWS="*"), IMPORT_ROLE, "checkov:CKV_AWS_60"),
    EstateBreak("estate.roles_trusted", trusting(Service="lambda.amazonaws.com"), "than Bedrock"),
    EstateBreak("estate.subnets", estate_having(network=None), "a subnet for jobs is gone"),
    EstateBreak("estate.no_way_out", subnet_with(targets=("igw-0aa",)), SUBNET, "config:no-unrestricted-route-to-igw"),
    EstateBreak("estate.s3_endpoint", subnet_with(endpoints=()), SUBNET, "docs:bedrock/vpc-s3"),
    EstateBreak("estate.s3_endpoint", subnet_with(endpoints=(gateway(EVERYBODY),)), "vpce-0aa reaches *"),
    EstateBreak("estate.dns_support", deaf, "does not resolve names"),
    EstateBreak(
        "estate.flow_logs", estate_having(flow_logs=False), "no active flow log", "config:vpc-flow-logs-enabled"
    ),
    EstateBreak("estate.rules_enabled", rule_as(None), f"{RULES[0]} is gone"),
    EstateBreak("estate.rules_enabled", rule_as(RuleFacts(RULES[0], False, True)), f"{RULES[0]} is disabled"),
    EstateBreak("estate.rules_enabled", rule_as(RuleFacts(RULES[0], True, False)), f"{RULES[0]} has no target"),
    EstateBreak("estate.bucket_lifecycle", bucket_with("evidence", expires=("Tidy",)), "tunegate-evidence takes its"),
    EstateBreak("estate.gate_roles", lambda facts: replace(facts, gate_roles={SETTLING: None}), "is gone"),
    EstateBreak("estate.gate_roles", role_as(trust=people(AWS=f"arn:aws:iam::{ACCOUNT}:root")), "by others"),
    EstateBreak("estate.gate_roles", role_as(trust=people(Service="ec2.amazonaws.com")), "than its service"),
    EstateBreak("estate.gate_roles", role_as(policies=("settle-object", "more")), "has been given more"),
    EstateBreak("estate.gate_roles", role_as(policies=()), "has lost its own policy"),
    EstateBreak("estate.ledger_closed", estate_having(ledger_policy=None), "has lost the statement"),
    EstateBreak("estate.ledger_closed", ledger_as(ledger_statement(Effect="Allow")), "lets others in"),
    EstateBreak("estate.ledger_closed", ledger_as(ledger_statement(Action="dynamodb:PutItem")), "does not deny"),
    EstateBreak("estate.ledger_closed", ledger_as(ledger_statement(Resource=f"{LEDGER}/index/*")), "does not cover"),
    EstateBreak("estate.ledger_closed", ledger_as(ledger_statement(Principal={"AWS": CURIOUS})), "has lost"),
    EstateBreak(
        "estate.ledger_closed",
        ledger_as(ledger_statement(Condition={"ArnNotLike": {"aws:PrincipalArn": [CURIOUS]}})),
        "spares",
    ),
    EstateBreak(
        "estate.ledger_closed",
        ledger_as(ledger_statement(Condition={"StringEquals": {"aws:PrincipalTag/team": "ml"}})),
        "binds only by",
    ),
    EstateBreak(
        "estate.ledger_closed",
        ledger_as(ledger_statement(), ledger_statement(Sid="More", Effect="Allow", Principal={"AWS": CURIOUS})),
        "lets others in by More",
    ),
    EstateBreak("estate.alerts_reach_somebody", topic_as(0, PUBLISHES), "nobody has confirmed"),
    EstateBreak("estate.alerts_reach_somebody", topic_as(1), "lets the gate publish no more"),
    EstateBreak("estate.alerts_reach_somebody", topic_as(1, PUBLISHES, SILENCES), "denies publishing by Quiet"),
    EstateBreak("estate.alerts_reach_somebody", topic_as(1, PUBLISHES, SILENCES_ALL), "by OnlyOverTls"),
    EstateBreak("estate.alerts_reach_somebody", estate_having(alerts=None), f"{TOPIC} is gone"),
    EstateBreak(
        "estate.mappings_enabled",
        estate_having(mappings={"tunegate-start-scan": False}),
        "tunegate-start-scan is called",
    ),
    EstateBreak(
        "estate.trail", trail_with(write_calls=False), "no trail records API calls", "config:cloudtrail-enabled"
    ),
    EstateBreak(
        "estate.trail_data_events",
        trail_with(data_buckets=("arn:aws:s3:::tunegate-intake",)),
        "tunegate-approved",
        "config:cloudtrail-s3-dataevents-enabled",
    ),
    EstateBreak(
        "estate.invocation_logging",
        estate_having(invocation_logging=InvocationLogging()),
        "is off",
        "prowler:bedrock_model_invocation_logging_enabled",
    ),
    EstateBreak(
        "estate.invocation_log_keys",
        estate_having(invocation_logging=GROUP_WITHOUT_KEY),
        "/aws/bedrock/invocations",
        "prowler:bedrock_model_invocation_logs_encryption_enabled",
    ),
    EstateBreak("estate.invocation_log_keys", logging_with(key_arn=""), "invocation-logs has no CMK"),
    EstateBreak("estate.invocation_logs_closed", logging_with(public_access_blocked=False), "invocation-logs"),
    EstateBreak(
        "estate.invocation_logs_closed",
        logging_with(policy=document(EVERYBODY)),
        "every principal",
        "config:s3-bucket-public-read-prohibited",
    ),
    EstateBreak("estate.macie", estate_having(macie_enabled=False), "Macie is off", "config:macie-status-check"),
)


@pytest.mark.parametrize("case", BREAKS, ids=str)
def test_one_change_breaks_one_control(case: EstateBreak) -> None:
    assert_breaks_only(case.control, case.names, judge_estate(case.facts))


def test_an_estate_as_it_was_deployed_passes_everything() -> None:
    conclusion = judge_estate(estate())
    assert (conclusion.approval, conclusion.breaches, conclusion.gaps) == (Approval.APPROVED, (), ())


def test_a_trail_that_stands_still_records_nothing() -> None:
    assert [b.control for b in judge_estate(trail_with(logging=False)(estate())).breaches] == [
        "estate.trail",
        "estate.trail_data_events",
    ]


def test_two_trails_together_may_do_what_one_does_not() -> None:
    calls = Trail("arn:calls", True, True, ())
    names = ("intake", "approved", "quarantine", "output")
    data = Trail("arn:data", True, False, tuple(f"arn:aws:s3:::tunegate-{name}" for name in names))
    assert judge_estate(estate_having(trails=(calls, data))(estate())).breaches == ()


def test_invocation_logs_in_one_place_suffice() -> None:
    group = InvocationLogging(LogGroup("/aws/bedrock/invocations", DATA_KEY))
    bucket = InvocationLogging(bucket=BucketFacts("logs", DATA_KEY, public_access_blocked=True))
    for logging in (group, bucket):
        assert judge_estate(estate_having(invocation_logging=logging)(estate())).breaches == ()


def test_the_invocation_log_policy_of_the_bedrock_user_guide_passes() -> None:
    """Bedrock user guide, "Monitor model invocation": Bedrock writes, held to the account."""
    writes = {
        "Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": ["s3:PutObject"],
        "Resource": ["arn:aws:s3:::invocation-logs/AWSLogs/111122223333/BedrockModelInvocationLogs/*"],
        "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
    }  # fmt: skip
    assert judge_estate(logging_with(policy=document(writes))(estate())).breaches == ()
