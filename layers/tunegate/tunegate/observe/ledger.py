"""Reading the ledger."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from tunegate.errors import aws_call
from tunegate.rows import DecisionRow, Entity, partition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RECENT_INDEX = "recent"


def plain(item: dict[str, Any]) -> dict[str, Any]:
    """A row out of DynamoDB's typed notation."""
    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in item.items()}


def row_exists(dynamodb: "DynamoDBClient", table: str, key: dict[str, str]) -> bool:
    with aws_call("Reading the ledger"):
        answer = dynamodb.get_item(
            TableName=table,
            Key={"pk": {"S": key["pk"]}, "sk": {"S": key["sk"]}},
            ConsistentRead=True,
            ProjectionExpression="pk",
        )
    return "Item" in answer


def decisions_of(dynamodb: "DynamoDBClient", table: str, key: str) -> list[DecisionRow]:
    """Every decision on the versions of one key, newest first."""
    with aws_call("Reading the ledger"):
        pages = dynamodb.get_paginator("query").paginate(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": partition(key)}},
            ConsistentRead=True,
        )
        rows = [DecisionRow.from_item(plain(item)) for page in pages for item in page["Items"]]
    return sorted(rows, key=lambda row: row.at, reverse=True)


def recent(dynamodb: "DynamoDBClient", table: str, entity: Entity) -> Iterator[dict[str, Any]]:
    """Rows of one kind, newest first, read from DynamoDB a page at a time."""
    with aws_call("Reading the ledger"):
        pages = dynamodb.get_paginator("query").paginate(
            TableName=table,
            IndexName=RECENT_INDEX,
            KeyConditionExpression="entity = :entity",
            ExpressionAttributeValues={":entity": {"S": entity.value}},
            ScanIndexForward=False,
        )
        for page in pages:
            yield from map(plain, page["Items"])


def recorded_between(
    dynamodb: "DynamoDBClient", table: str, entity: Entity, begin: str, end: str
) -> Iterator[dict[str, Any]]:
    """Rows of one kind by their time, oldest first; `begin` and `end` are written as rows write theirs."""
    with aws_call("Reading the ledger"):
        pages = dynamodb.get_paginator("query").paginate(
            TableName=table,
            IndexName=RECENT_INDEX,
            KeyConditionExpression="entity = :entity AND #at BETWEEN :begin AND :end",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues={":entity": {"S": entity.value}, ":begin": {"S": begin}, ":end": {"S": end}},
        )
        for page in pages:
            yield from map(plain, page["Items"])
