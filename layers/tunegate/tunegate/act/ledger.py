"""The one write a decision is: a row that is put once, and from whose stream everything else follows."""

from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from tunegate.errors import aws_call, error_code

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def write_once(dynamodb: "DynamoDBClient", table: str, item: dict[str, Any]) -> bool:
    """Put a row that is not there yet. False where it already is: the decision was written by an earlier try."""
    serialize = TypeSerializer().serialize
    with aws_call("Writing the ledger"):
        try:
            dynamodb.put_item(
                TableName=table,
                Item={name: serialize(value) for name, value in item.items()},
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                return False
            raise
    return True
