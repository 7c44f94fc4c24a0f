"""Carrying a verdict out and writing it down."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tunegate.act.ledger import write_once
from tunegate.act.promote import Destination, Upload, settle, withdraw
from tunegate.errors import PermanentError
from tunegate.model import Decision, ObjectVersion, Verdict
from tunegate.rows import Action, DecisionRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Scanned:
    """A decided scan: what is needed to carry it out and to write it down."""

    decision: Decision
    order: str
    scan_id: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Ledger:
    dynamodb: "DynamoDBClient"
    table: str

    def record(
        self, scanned: Scanned, action: Action, destination: ObjectVersion | None = None, actor: str = ""
    ) -> None:
        row = DecisionRow(
            scanned.decision, action, scanned.scan_id, now(), scanned.order, destination, scanned.evidence, actor
        )
        write_once(self.dynamodb, self.table, row.to_item())


def settle_scan(
    s3: "S3Client", ledger: Ledger, scanned: Scanned, destinations: Mapping[Verdict, Destination]
) -> ObjectVersion:
    """Move a scanned upload where its verdict belongs, then record it. Returns the version it now is."""
    decision = scanned.decision
    destination = destinations.get(decision.verdict)
    if destination is None:
        raise PermanentError(f"the verdict {decision.verdict} moves nothing")
    for verdict, other in destinations.items():
        if verdict is not decision.verdict and other.ranked:
            # An earlier scan that was held half-way may have left a copy.
            withdraw(s3, decision.subject, other.bucket, decision.verdict)
    upload = Upload(decision.subject, scanned.order)
    settled = settle(s3, upload, destination, decision.verdict, decision.policy_digest)
    ledger.record(scanned, Action.SCAN, settled)
    return settled


def hold_scan(s3: "S3Client", ledger: Ledger, scanned: Scanned, approved_bucket: str) -> None:
    """Leave the upload in intake, make any copy that a half-done settling left unreadable, and record why."""
    withdraw(s3, scanned.decision.subject, approved_bucket, Verdict.HELD)
    ledger.record(scanned, Action.SCAN)


def now() -> str:
    """ISO 8601 in UTC with milliseconds, which sorts as text."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
