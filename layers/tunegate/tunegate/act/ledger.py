"""The ledger, and the one write a decision is: a row put once, from whose stream everything else follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from tunegate.errors import aws_call, error_code

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Ledger:
    """The table that decisions are written in."""

    dynamodb: "DynamoDBClient"
    table: str


def write_once(dynamodb: "DynamoDBClient", table: str, item: dict[str, Any]) -> bool:
    """Put a row that is not there yet. False where it already is: the decision was written by an earlier try."""
    return write_if(dynamodb, table, item, "attribute_not_exists(pk)")


def write_if(
    dynamodb: "DynamoDBClient", table: str, item: dict[str, Any], condition: str, values: Mapping[str, str] = _NONE
) -> bool:
    """Put a row where a condition holds; `values` are the strings it names. False where it does not hold."""
    serialize = TypeSerializer().serialize
    named: dict[str, Any] = {"ExpressionAttributeValues": {name: {"S": value} for name, value in values.items()}}
    with aws_call("Writing the ledger"):
        try:
            dynamodb.put_item(
                TableName=table,
                Item={name: serialize(value) for name, value in item.items()},
                ConditionExpression=condition,
                **(named if values else {}),
            )
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                return False
            raise
    return True
