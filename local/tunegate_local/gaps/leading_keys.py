"""The partitions of a table that a request is about, which a policy may confine a role to."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.core import iam_actions
from ministack.services import dynamodb

from tunegate_local.gaps.resources import parsed

type Body = Mapping[str, Any]


def requests_say_their_leading_keys() -> None:
    """`dynamodb:LeadingKeys` holds the value of the partition key of each item asked for; ministack does not know it.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    """
    context_of = iam_actions.dynamodb_service_context

    def dynamodb_service_context(body: bytes) -> dict[str, Any]:
        context: dict[str, Any] = context_of(body)
        keys = [str(value) for value in _leading(parsed(body))]
        return context | {"dynamodb:LeadingKeys": keys} if keys else context

    iam_actions.dynamodb_service_context = dynamodb_service_context


def _leading(asked: Body) -> Iterator[str]:
    table = str(asked.get("TableName", ""))
    if table:
        name = _partition_key(table, asked.get("IndexName"))
        for item in (asked.get("Key"), asked.get("Item")):
            if isinstance(item, Mapping):
                yield from _value(item.get(name))
        if "KeyConditionExpression" in asked:
            yield from _value(_queried(asked, name))
    for table, requests in (asked.get("RequestItems") or {}).items():
        name = _partition_key(table, None)
        for item in _batched(requests):
            yield from _value(item.get(name))


def _batched(requests: Any) -> Iterator[Body]:
    if isinstance(requests, Mapping):
        yield from requests.get("Keys", ())
        return
    for request in requests:
        for change in request.values():
            yield change.get("Item") or change.get("Key") or {}


def _queried(asked: Body, name: str) -> Any:
    """What the partition key must equal, by the key condition."""
    names = asked.get("ExpressionAttributeNames") or {}
    for alias, placeholder in re.findall(r"([#\w]+)\s*=\s*(:\w+)", str(asked["KeyConditionExpression"])):
        if names.get(alias, alias) == name:
            return (asked.get("ExpressionAttributeValues") or {}).get(placeholder)
    return None


def _value(typed: Any) -> Iterator[str]:
    if isinstance(typed, Mapping):
        yield from (str(value) for value in typed.values())


def _partition_key(table: str, index: Any) -> str:
    described = dynamodb._tables.get(table.rsplit("/", 1)[-1]) or {}
    schemas = [described.get("KeySchema", [])]
    if index:
        schemas = [i["KeySchema"] for i in described.get("GlobalSecondaryIndexes", []) if i["IndexName"] == index]
    return next((key["AttributeName"] for schema in schemas for key in schema if key["KeyType"] == "HASH"), "")
