"""The gate's own parts: its roles, the topic it tells people through, its ledger, and what calls its functions."""

from typing import TYPE_CHECKING

from tunegate.estate_facts import AlertsTopic, GateRole
from tunegate.job_facts import Document, Known, Unknown
from tunegate.observe.documents import parse_document
from tunegate.observe.reads import read, read_or, saying
from tunegate.observe.roles import policy_names, role_trust

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sns import SNSClient


def gate_role(iam: "IAMClient", arn: str) -> Known[GateRole | None]:
    """A role by its ARN; None where there is none."""
    trust = role_trust(iam, arn)
    if trust is None or isinstance(trust, Unknown):
        return trust
    return GateRole(arn, trust, policy_names(iam, arn))


def alerts_topic(sns: "SNSClient", arn: str) -> Known[AlertsTopic | None]:
    """The topic; None where it is gone."""

    def policy() -> str:
        return sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]

    found = read_or("sns:GetTopicAttributes", arn, policy, saying("NotFound", "NotFoundException"), None)
    if found is None or isinstance(found, Unknown):
        return found
    return AlertsTopic(parse_document(found), read("sns:ListSubscriptionsByTopic", arn, lambda: _confirmed(sns, arn)))


def ledger_policy(dynamodb: "DynamoDBClient", arn: str) -> Known[Document | None]:
    """The policy of a table's own; None where it has none."""

    def policy() -> str:
        return dynamodb.get_resource_policy(ResourceArn=arn)["Policy"]

    found = read_or("dynamodb:GetResourcePolicy", arn, policy, saying("PolicyNotFoundException"), None)
    return found if found is None or isinstance(found, Unknown) else parse_document(found)


def mapped(mappings: "LambdaClient", name: str) -> Known[bool]:
    """Whether a function has an event source mapping, and every one it has is on or on its way there."""

    def ask() -> bool:
        pages = mappings.get_paginator("list_event_source_mappings").paginate(FunctionName=name)
        states = [mapping["State"] for page in pages for mapping in page["EventSourceMappings"]]
        return bool(states) and all(state in _ON for state in states)

    return read("lambda:ListEventSourceMappings", name, ask)


_ON = frozenset({"Creating", "Enabling", "Enabled", "Updating"})


def _confirmed(sns: "SNSClient", arn: str) -> int:
    """One that waits for its owner has no ARN yet."""
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    return sum(item["SubscriptionArn"].startswith("arn:") for page in pages for item in page["Subscriptions"])
