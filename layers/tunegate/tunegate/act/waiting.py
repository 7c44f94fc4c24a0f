"""Waiting for a service: the task token and the answer meet in one ledger row, whichever comes first.

DynamoDB orders the writes to one item, so of a token and an answer the later one finds the other; both may then resume
the scan, and the second is refused as known. An answer that does not pass a file replaces one that does, never the
other way round.
"""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tunegate.errors import aws_call, error_code
from tunegate.judge.answers import passes
from tunegate.model import ObjectVersion
from tunegate.observe.ledger import plain
from tunegate.rows import Entity
from tunegate.service_answers import Answer, Service, wait_key
from tunegate.times import now

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_stepfunctions import SFNClient

_OVER = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})
"""The scan was resumed by somebody else, or its time ran out."""
_ABOUT = (
    "#at = if_not_exists(#at, :at), #bucket = :bucket, #key = :key, version_id = :version, service = :service, "
    "entity = if_not_exists(entity, :entity)"
)


class Waiting:
    """The rows of one ledger by which scans wait."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str, stepfunctions: "SFNClient") -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._stepfunctions = stepfunctions

    def ask(self, version: ObjectVersion, service: Service, token: str) -> bool:
        """Have a scan resumed when the service answers. True where the answer was there and resumed it at once."""
        with aws_call("Noting that a scan waits"):
            row = self._update(
                version, service, f"SET {_ABOUT} ADD tokens :tokens", {":tokens": {"SS": [token]}}, Entity.WAITING
            )
        return self._resume(row)

    def answer(self, version: ObjectVersion, answer: Answer) -> bool:
        """Take a service's answer. True where a scan waited for it. A repeat resumes what still waits."""
        passed = passes(answer)
        values = {":answer": {"S": answer.model_dump_json()}, ":passes": {"BOOL": passed}, ":true": {"BOOL": True}}
        condition = "attribute_not_exists(answer)" + ("" if passed else " OR #passes = :true")
        if passed:
            del values[":true"]
        changes = f"SET {_ABOUT}, answer = :answer, #passes = :passes"
        with aws_call("Noting a service's answer"):
            try:
                row = self._update(version, answer.service, changes, values, Entity.ANSWERED, condition)
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                row = self._read(version, answer.service)
        return self._resume(row)

    def _update(
        self,
        version: ObjectVersion,
        service: Service,
        changes: str,
        values: dict[str, Any],
        entity: Entity,
        condition: str = "",
    ) -> dict[str, Any]:
        names = {"#at": "at", "#bucket": "bucket", "#key": "key"}
        if ":passes" in values:
            names["#passes"] = "passes"
            # An answered row leaves the index of those that wait.
            changes = changes.replace("entity = if_not_exists(entity, :entity)", "entity = :entity")
        about = {
            ":entity": {"S": entity.value},
            ":at": {"S": now()},
            ":bucket": {"S": version.bucket},
            ":key": {"S": version.key},
            ":version": {"S": version.version_id},
            ":service": {"S": service.value},
        }
        conditions: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
        answer = self._dynamodb.update_item(
            TableName=self._table,
            Key=wait_key(version, service),
            UpdateExpression=changes,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={**about, **values},
            ReturnValues="ALL_NEW",
            **conditions,
        )
        return plain(answer["Attributes"])

    def _read(self, version: ObjectVersion, service: Service) -> dict[str, Any]:
        answer = self._dynamodb.get_item(TableName=self._table, Key=wait_key(version, service), ConsistentRead=True)
        return plain(answer.get("Item", {}))

    def _resume(self, row: dict[str, Any]) -> bool:
        if "answer" not in row:
            return False
        resumed = [self._send(token, row["answer"]) for token in sorted(row.get("tokens", ()))]
        return any(resumed)

    def _send(self, token: str, answer: str) -> bool:
        with aws_call("Resuming a scan"):
            try:
                self._stepfunctions.send_task_success(taskToken=token, output=answer)
            except ClientError as error:
                if error_code(error) in _OVER:
                    return False
                raise
        return True
