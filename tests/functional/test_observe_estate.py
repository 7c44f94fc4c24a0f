"""The account's protections: rules, trails, invocation logging and Macie, on, off or unknown."""

from typing import Any

import pytest

from functional.aws_answers import Answers, Refusal
from functional.aws_in_order import EXPECTED, KEY, POLICY, ROLE, STACK, TRAIL, in_order
from tunegate.estate_facts import (
    AlertsTopic,
    EstateFacts,
    GateRole,
    InvocationLogging,
    LogGroup,
    RuleFacts,
    Trail,
)
from tunegate.job_facts import BucketFacts, Known, Unknown
from tunegate.job_rules import JobRules
from tunegate.observe.estate import estate_facts
from tunegate.observe.invocation_logging import invocation_logging
from tunegate.observe.trails import trails

APPROVED, OUTPUT = "arn:aws:s3:::approved", "arn:aws:s3:::output"


def look(aws: Answers) -> EstateFacts:
    return estate_facts(aws.client, STACK, JobRules(), EXPECTED)


def test_the_estate_is_told_whole() -> None:
    facts = look(in_order())
    bucket, key, trust = facts.buckets["approved"], facts.keys["data"], facts.role_trusts[ROLE]
    assert isinstance(bucket, BucketFacts)
    assert bucket.locked is True
    assert not isinstance(key, Unknown)
    assert key is not None
    assert key.arn == KEY
    assert not isinstance(trust, Unknown)
    assert trust
    assert facts.event_rules == {"uploads": RuleFacts("uploads", enabled=True, has_target=True)}
    assert facts.trails == (Trail(TRAIL, True, True, (APPROVED,)),)
    assert (facts.flow_logs, facts.macie_enabled) == (True, True)
    assert bucket.expires == ("Tidy",)
    role, alerts = facts.gate_roles[ROLE], facts.alerts
    assert isinstance(role, GateRole)
    assert role.policies == ("inline", POLICY)
    assert isinstance(alerts, AlertsTopic)
    assert isinstance(facts.ledger_policy, tuple)
    assert facts.ledger_policy
    assert (alerts.subscribers, facts.mappings) == (1, {"start-scan": True})


def test_what_calls_a_function_may_be_off_or_gone() -> None:
    off: dict[str, Any] = {"EventSourceMappings": [{"UUID": "0" * 36, "State": "Disabled"}]}
    gone: dict[str, Any] = {"EventSourceMappings": []}
    for answer in (off, gone):
        assert look(in_order().but({("lambda", "ListEventSourceMappings"): answer})).mappings == {"start-scan": False}


def test_a_ledger_without_a_policy_of_its_own_is_told_so() -> None:
    none = Refusal("PolicyNotFoundException")
    assert look(in_order().but({("dynamodb", "GetResourcePolicy"): none})).ledger_policy is None


def test_a_topic_that_is_gone_is_told_so() -> None:
    assert look(in_order().but({("sns", "GetTopicAttributes"): Refusal("NotFound")})).alerts is None


@pytest.mark.parametrize(
    ("state", "enabled"),
    [("ENABLED", True), ("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", True), ("DISABLED", False)],
)
def test_a_rule_is_on_or_off(state: str, enabled: bool) -> None:
    facts = look(in_order().but({("events", "DescribeRule"): {"State": state}}))
    assert facts.event_rules["uploads"] == RuleFacts("uploads", enabled, has_target=True)


def test_a_rule_may_have_lost_its_target_or_be_gone() -> None:
    facts = look(in_order().but({("events", "ListTargetsByRule"): {}}))
    assert facts.event_rules["uploads"] == RuleFacts("uploads", enabled=True, has_target=False)
    facts = look(in_order().but({("events", "DescribeRule"): Refusal("ResourceNotFoundException")}))
    assert facts.event_rules["uploads"] is None


def test_macie_that_was_never_turned_on_is_off() -> None:
    # Macie answers every call so until it is enabled.
    never = Refusal("AccessDeniedException", "Macie is not enabled.", 403)
    assert look(in_order().but({("macie2", "GetMacieSession"): never})).macie_enabled is False
    assert look(in_order().but({("macie2", "GetMacieSession"): {"status": "PAUSED"}})).macie_enabled is False


def logging(config: dict[str, Any] | None, **replies: Any) -> Known[InvocationLogging]:
    answer: dict[str, Any] = {} if config is None else {"loggingConfig": config}
    aws = in_order().but({("bedrock", "GetModelInvocationLoggingConfiguration"): answer})
    aws = aws.but({("logs", "DescribeLogGroups"): replies["groups"]} if "groups" in replies else {})
    aws = aws.but({("s3", "GetBucketEncryption"): replies["bucket"]} if "bucket" in replies else {})
    return invocation_logging(aws.client("bedrock"), aws.client("logs"), aws.client("s3"))


TO_GROUP = {"cloudWatchConfig": {"logGroupName": "invocations", "roleArn": ROLE}}
TO_BUCKET = {"s3Config": {"bucketName": "logs"}}
LARGE = {"cloudWatchConfig": TO_GROUP["cloudWatchConfig"] | {"largeDataDeliveryS3Config": {"bucketName": "large"}}}


def test_invocations_may_be_logged_nowhere() -> None:
    assert logging(None) == InvocationLogging(None, None)


def test_invocations_are_logged_to_the_group_of_exactly_that_name() -> None:
    near = {"logGroups": [{"logGroupName": "invocations-2"}, {"logGroupName": "invocations"}]}
    assert logging(TO_GROUP) == InvocationLogging(LogGroup("invocations", KEY), None)
    assert logging(TO_GROUP, groups=near) == InvocationLogging(LogGroup("invocations", ""), None)
    gone = {"logGroups": near["logGroups"][:1]}
    assert logging(TO_GROUP, groups=gone) == InvocationLogging(None, None)


@pytest.mark.parametrize(("config", "name"), [(TO_BUCKET, "logs"), (LARGE, "large"), (LARGE | TO_BUCKET, "logs")])
def test_the_bucket_of_the_logs_is_looked_at(config: dict[str, Any], name: str) -> None:
    found = logging(config)
    assert isinstance(found, InvocationLogging)
    assert found.bucket is not None
    assert (found.bucket.name, found.bucket.public_access_blocked) == (name, True)


def test_a_log_bucket_that_is_gone_takes_no_logs() -> None:
    assert logging(TO_BUCKET, bucket=Refusal("NoSuchBucket", status=404)) == InvocationLogging(None, None)


def trail(**selectors: list[dict[str, Any]]) -> Trail:
    aws = in_order().but({("cloudtrail", "GetEventSelectors"): {"TrailARN": TRAIL, **selectors}})
    found = trails(aws.client("cloudtrail"))
    assert not isinstance(found, Unknown)
    [told] = found
    return told


def objects(*values: str) -> list[dict[str, Any]]:
    return [
        {"Type": "AWS::S3::Object", "Values": list(values)},
        {"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]},
    ]


# CloudTrail API Reference, EventSelector and DataResource.
@pytest.mark.parametrize(
    ("selectors", "calls", "buckets"),
    [
        ([{"DataResources": objects(f"{APPROVED}/")}], True, (APPROVED,)),
        ([{"ReadWriteType": "WriteOnly"}], True, ()),
        ([{"ReadWriteType": "ReadOnly"}], False, ()),
        ([{"IncludeManagementEvents": False}], False, ()),
        ([{"DataResources": objects("arn:aws:s3")}], True, ("arn:aws:s3",)),
        ([{"DataResources": objects("arn:aws:s3:::")}], True, ("arn:aws:s3",)),
        ([{"DataResources": objects(f"{APPROVED}/some/")}], True, (f"{APPROVED}/some/",)),
        ([{"ReadWriteType": "WriteOnly", "DataResources": objects(f"{APPROVED}/")}], True, ()),
        (
            [
                {"ReadWriteType": "WriteOnly", "DataResources": objects(f"{APPROVED}/", f"{OUTPUT}/")},
                {"ReadWriteType": "ReadOnly", "DataResources": objects("arn:aws:s3")},
            ],
            True,
            (APPROVED, OUTPUT),
        ),
        ([], False, ()),
    ],
)
def test_basic_selectors_tell_what_is_recorded(
    selectors: list[dict[str, Any]], calls: bool, buckets: tuple[str, ...]
) -> None:
    told = trail(EventSelectors=selectors)
    assert (told.write_calls, told.data_buckets) == (calls, buckets)


def selector(category: str, **fields: dict[str, list[str]]) -> dict[str, Any]:
    names = {"type": "resources.type", "arn": "resources.ARN"}
    named = [{"Field": names.get(name, name), **conditions} for name, conditions in fields.items()]
    return {"FieldSelectors": [{"Field": "eventCategory", "Equals": [category]}, *named]}


S3 = {"Equals": ["AWS::S3::Object"]}
OURS = {"StartsWith": [f"{APPROVED}/", f"{OUTPUT}/"]}


# CloudTrail user guide, "Logging management events" and "Logging data events", advanced event selectors.
@pytest.mark.parametrize(
    ("selectors", "calls", "buckets"),
    [
        ([selector("Management")], True, ()),
        ([selector("Management", readOnly={"Equals": ["false"]})], True, ()),
        ([selector("Management", readOnly={"Equals": ["true"]})], False, ()),
        ([selector("Management", readOnly={"NotEquals": ["false"]})], False, ()),
        ([selector("Management", eventSource={"NotEquals": ["kms.amazonaws.com"]})], True, ()),
        ([selector("Management", eventSource={"NotEquals": ["bedrock.amazonaws.com"]})], False, ()),
        ([selector("Management", eventSource={"Equals": ["kms.amazonaws.com"]})], False, ()),
        ([selector("Management", eventName={"Equals": ["CreateTrail"]})], False, ()),
        ([selector("Data", type=S3)], False, ("arn:aws:s3",)),
        ([selector("Data", type=S3, arn=OURS)], False, (APPROVED, OUTPUT)),
        ([selector("Data", type=S3, arn={"NotStartsWith": [f"{APPROVED}/"]})], False, ()),
        ([selector("Data", type=S3, readOnly={"Equals": ["false"]})], False, ()),
        ([selector("Data", type=S3, eventName={"Equals": ["DeleteObject"]})], False, ()),
        ([selector("Data", type={"Equals": ["AWS::Lambda::Function"]})], False, ()),
        (
            [
                selector("Data", type=S3, readOnly={"Equals": ["true"]}),
                selector("Data", type=S3, arn=OURS, readOnly={"Equals": ["false"]}),
            ],
            False,
            (APPROVED, OUTPUT),
        ),
    ],
)
def test_advanced_selectors_tell_what_is_recorded(
    selectors: list[dict[str, Any]], calls: bool, buckets: tuple[str, ...]
) -> None:
    told = trail(AdvancedEventSelectors=selectors)
    assert (told.write_calls, told.data_buckets) == (calls, buckets)


def test_a_trail_may_be_stopped() -> None:
    found = trails(in_order().but({("cloudtrail", "GetTrailStatus"): {"IsLogging": False}}).client("cloudtrail"))
    assert not isinstance(found, Unknown)
    assert [told.logging for told in found] == [False]


def test_trails_of_the_organization_and_of_other_regions_are_among_them() -> None:
    asked = []

    def described(params: Any) -> dict[str, Any]:
        asked.append(params)
        return {"trailList": []}

    assert trails(in_order().but({("cloudtrail", "DescribeTrails"): described}).client("cloudtrail")) == ()
    assert asked == [{"includeShadowTrails": True}]
