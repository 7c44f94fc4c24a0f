"""Gaps in the policies of DynamoDB tables."""

import json
from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners


def tables_have_policies() -> None:
    """Ministack keeps a table's own policy and asks nobody about it, and CloudFormation drops the one in a template.
    A call about the policy itself names its table by ARN; for ministack it is about no table.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/access-control-resource-based.html
    """
    dynamodb.table_policy_for_arn = _policy_of
    iam_evaluator._RESOURCE_POLICY_LOOKUPS["dynamodb"] = ("dynamodb", "table_policy_for_arn")
    iam_actions.dynamodb_resource_arns = _named_by_arn(iam_actions.dynamodb_resource_arns)
    handlers = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]
    handlers["create"] = _with_policy(handlers["create"])


def _policy_of(arn: str) -> tuple[str, str] | None:
    table = arn.split("/index/")[0].split("/stream/")[0]
    kept = dynamodb._resource_policies.get(table)
    return (kept["Policy"], table.split(":")[4]) if kept else None


def _named_by_arn(arns: Callable[[bytes, str, str], list[str]]) -> Callable[[bytes, str, str], list[str]]:
    def with_named(body: bytes, region: str, account_id: str) -> list[str]:
        found = arns(body, region, account_id)
        if found or b'"ResourceArn"' not in body:
            return found
        named = json.loads(body).get("ResourceArn")
        return [named] if isinstance(named, str) else []

    return with_named


def _with_policy(create: Callable[..., Any]) -> Callable[..., Any]:
    def create_with_policy(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        physical_id, attributes = create(logical_id, props, stack_name)
        declared = props.get("ResourcePolicy")
        if declared:
            document = json.dumps(declared["PolicyDocument"])
            arn = dynamodb._tables[physical_id]["TableArn"]
            status, _, body = dynamodb._put_resource_policy({"ResourceArn": arn, "Policy": document})
            if status >= 300:
                raise ValueError(body.decode())
        return physical_id, attributes

    return create_with_policy
