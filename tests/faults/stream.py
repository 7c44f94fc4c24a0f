"""The ledger's stream as Lambda reads it for send_alert, by the mapping in the template, in time that is made up.

As AWS documents it ("Using AWS Lambda with Amazon DynamoDB": batching and error handling): a batch that failed is given
again from its first record that failed, cut in half where the mapping says so, until it succeeds, was tried as often as
the mapping allows, or its first record is older than it allows. Then its place goes to the destination for failures.
"""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from contract.templates import template
from faults.platform import FailedError, Platform
from tunegate.observe.dead_letters import call_of

MAPPING: Mapping[str, Any] = template()["Resources"]["SendAlert"]["Properties"]["Events"]["Decisions"]["Properties"]
REMEMBERS = timedelta(hours=24)
"""How long a stream keeps its records."""
GIVEN = 12
FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:tunegate-send-alert"


@dataclass(frozen=True)
class Arrived:
    """A record of the stream and when it came there."""

    number: int
    at: datetime
    record: dict[str, Any]


@dataclass
class Stream:
    """One shard. `now` is the time that is made up; it begins now, by AWS's clocks."""

    platform: Platform
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    letters: list[dict[str, Any]] = field(default_factory=list)
    _shard: deque[Arrived] = field(default_factory=deque)
    _came: int = 0
    _tries: int = 0
    _batch: int = MAPPING["BatchSize"]

    def take(self, name: str, row: Mapping[str, Any]) -> None:
        """A row that was written, as the mapping's filter lets it through."""
        self._came += 1
        change = {"NewImage": row, "SequenceNumber": str(self._came), "Keys": {"pk": row["pk"], "sk": row["sk"]}}
        record = {"eventID": str(self._came), "eventName": name, "eventSource": "aws:dynamodb", "dynamodb": change}
        self._shard.append(Arrived(self._came, self.now, record))

    def pass_time(self, length: timedelta) -> None:
        """Let time pass, in which what waits is given a few times: how often Lambda does so, AWS does not say."""
        for _ in range(GIVEN):
            self.now += length / GIVEN
            self.read()

    def read(self) -> None:
        """Give batches until one fails or none is left."""
        while self._shard:
            if self._given_up(self._shard[0]):
                self._give_up()
                continue
            batch = list(self._shard)[: self._batch]
            if not self._given(batch):
                return

    def _given(self, batch: list[Arrived]) -> bool:
        """Whether the whole batch was taken. What came before the first failure is never given again."""
        failed = self._failed(batch)
        taken = batch[: next((i for i, one in enumerate(batch) if one.number in failed), len(batch))]
        for _ in taken:
            self._shard.popleft()
        if not failed:
            self._tries, self._batch = 0, MAPPING["BatchSize"]
            return True
        self._tries = 1 if taken else self._tries + 1
        if MAPPING["BisectBatchOnFunctionError"]:
            self._batch = max(1, (len(batch) - len(taken)) // 2)
        return False

    def _failed(self, batch: list[Arrived]) -> set[int]:
        try:
            answer = self.platform.invoke("send_alert", {"Records": [one.record for one in batch]})
        except FailedError:
            return {one.number for one in batch}
        return {int(one["itemIdentifier"]) for one in answer["batchItemFailures"]}

    def _given_up(self, first: Arrived) -> bool:
        most, age = MAPPING["MaximumRetryAttempts"], timedelta(seconds=MAPPING["MaximumRecordAgeInSeconds"])
        return self.now - first.at > min(age, REMEMBERS) or -1 < most < self._tries

    def _give_up(self) -> None:
        lost = [self._shard.popleft() for _ in range(min(len(self._shard), self._batch))]
        self._tries = 0
        assert "OnFailure" in MAPPING["DestinationConfig"]
        came = {
            f"approximateArrivalOf{which}Record": one.at.strftime("%Y-%m-%dT%H:%M:%SZ")
            for which, one in (("First", lost[0]), ("Last", lost[-1]))
        }
        body = {"requestContext": {"functionArn": FUNCTION}, "DDBStreamBatchInfo": came | {"batchSize": len(lost)}}
        self.letters.append({"MessageId": str(lost[0].number), "Body": json.dumps(body)})

    def redrive(self) -> None:
        """What redrive_messages does with letters: one leaves the queue once the function did what it stands for."""
        while self.letters:
            self.platform.invoke("send_alert", call_of(self.letters[0]).payload)
            self.letters.pop(0)
