"""Answers shared by all scans of a deployment, in a DynamoDB table. It saves money and decides nothing: a scan goes on
without it, only dearer.

An item: `pk` (S) the key's 64 hex digits, `answer` (S) a JSON array of detections without text, `expires` (N) seconds
of the epoch, on which DynamoDB's time to live works.
"""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tunegate.scan.answers import Answer, from_json, to_json

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_SECONDS = 30 * 24 * 3600
"""Services get better: what was found clean is asked about again after a month."""
LARGEST_ANSWER = 3_500
"""Characters; a longer answer is asked for again. Up to 4 KB an item is read for half a read unit."""
WRITTEN_AT_ONCE = 25
"""What BatchWriteItem takes."""
MOST_FAILURES = 3
"""After so many in a row the table is let be: a scan should not wait for what only saves money."""


class AnswersTable:
    """`failures` counts requests that DynamoDB refused, wholly or in part, and items that made no sense.

    A deployment without a table has one with an empty name, which does not work.
    """

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._unwritten: dict[bytes, Answer] = {}
        self._failed_in_a_row = 0
        self.failures = 0

    @property
    def works(self) -> bool:
        return bool(self._table) and self._failed_in_a_row < MOST_FAILURES

    def find(self, keys: Sequence[bytes]) -> Mapping[bytes, Answer]:
        if not keys or not self.works:
            return {}
        wanted = {"Keys": [{"pk": {"S": key.hex()}} for key in dict.fromkeys(keys)]}
        try:
            answer = self._dynamodb.batch_get_item(RequestItems={self._table: wanted})  # type: ignore[dict-item]
        except (ClientError, BotoCoreError):
            self._failed()
            return {}
        self._count(left_over=answer.get("UnprocessedKeys"))
        items = answer.get("Responses", {}).get(self._table, [])
        # Expired items stay for days until DynamoDB takes them away.
        return dict(known for item in items if (known := self._read(item, time.time())) is not None)

    def keep(self, key: bytes, answer: Answer) -> None:
        self._unwritten[key] = answer
        if len(self._unwritten) >= WRITTEN_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what is kept. To be called at the end of a scan, however it ends."""
        expires = str(int(time.time()) + KEPT_SECONDS)
        items = [(key, to_json(answer)) for key, answer in self._unwritten.items()]
        self._unwritten = {}
        requests = [
            {"PutRequest": {"Item": {"pk": {"S": key.hex()}, "answer": {"S": answer}, "expires": {"N": expires}}}}
            for key, answer in items
            if len(answer) <= LARGEST_ANSWER
        ]
        if not requests or not self.works:
            return
        try:
            answer = self._dynamodb.batch_write_item(RequestItems={self._table: requests})  # type: ignore[dict-item]
        except (ClientError, BotoCoreError):
            self._failed()
        else:
            self._count(left_over=answer.get("UnprocessedItems"))

    def _read(self, item: Mapping[str, Any], now: float) -> tuple[bytes, Answer] | None:
        try:
            if float(item["expires"]["N"]) <= now:
                return None
            return bytes.fromhex(item["pk"]["S"]), from_json(item["answer"]["S"])
        except (KeyError, TypeError, ValueError):
            self.failures += 1
            return None

    def _failed(self) -> None:
        self.failures += 1
        self._failed_in_a_row += 1

    def _count(self, left_over: object) -> None:
        self._failed_in_a_row = 0
        self.failures += bool(left_over)
