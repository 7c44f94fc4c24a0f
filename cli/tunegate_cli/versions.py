"""Where each uploaded version stands: the ledger's newest decision, or `scanning` while there is none."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from tunegate.model import ObjectVersion
from tunegate.observe.ledger import decisions_of, recent
from tunegate.rows import Action, DecisionRow, Entity
from tunegate_cli.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SCANNING = "scanning"
RELEASED = "released"


@dataclass(frozen=True, slots=True)
class VersionState:
    """One uploaded version. `state` is a verdict, `released` or `scanning`; `where` the bucket it is in now."""

    key: str
    version_id: str
    state: str
    where: str
    at: str
    reason: str = ""
    row: DecisionRow | None = None

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "key": self.key,
            "version_id": self.version_id,
            "state": self.state,
            "where": self.where,
            "at": self.at,
            "reason": self.reason,
        }
        if self.row is not None:
            destination = self.row.destination
            document |= {
                "verdict": self.row.decision.verdict.value,
                "scan_id": self.row.scan_id,
                "policy_digest": self.row.decision.policy_digest,
                "totals": dict(self.row.decision.totals),
                "actor": self.row.actor,
                "destination": destination and {"bucket": destination.bucket, "version_id": destination.version_id},
            }
        return document


def room_of(bucket: str) -> str:
    """`approved`, `quarantine` or `intake`, which the deployment's bucket names contain; else the whole name."""
    return next((room for room in ("approved", "quarantine", "intake") if room in bucket), bucket)


def state_of(row: DecisionRow) -> VersionState:
    """What a version's newest decision says of it."""
    subject, verdict = row.decision.subject, row.decision.verdict
    state = RELEASED if row.action is Action.RELEASE else verdict.value
    where = row.destination.bucket if row.destination else subject.bucket
    return VersionState(subject.key, subject.version_id, state, where, row.at, row.decision.reason, row)


def newest_of_each(rows: Iterable[DecisionRow]) -> Iterator[DecisionRow]:
    """The first row of each version, which is its newest where the rows come newest first."""
    seen: set[ObjectVersion] = set()
    for row in rows:
        if row.decision.subject not in seen:
            seen.add(row.decision.subject)
            yield row


def states(stack: Stack, key: str | None = None, limit: int | None = None) -> list[VersionState]:
    """Every uploaded version, or those of one key, newest first; `limit` bounds how many decided ones are read."""
    # Intake is listed first: a version that settles in between is then seen twice rather than not at all.
    waiting = list(versions_in(stack.s3, stack.intake, key))
    rows = decisions_of(stack.dynamodb, stack.ledger, key) if key is not None else recent_decisions(stack)
    decided = [state_of(row) for row in islice(newest_of_each(rows), limit)]
    known = {(state.key, state.version_id) for state in decided}
    scanning = [
        VersionState(version.key, version.version_id, SCANNING, stack.intake, iso(put_at))
        for version, put_at in waiting
        if (version.key, version.version_id) not in known and not _decided(stack, version, limit, key)
    ]
    return sorted(scanning + decided, key=lambda state: state.at, reverse=True)


def versions_in(s3: "S3Client", bucket: str, key: str | None = None) -> Iterator[tuple[ObjectVersion, datetime]]:
    """The object versions of a bucket, or of one key in it, with the time each was put."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key or ""):
        for entry in page.get("Versions", []):
            if key is None or entry["Key"] == key:
                yield ObjectVersion(bucket, entry["Key"], entry["VersionId"]), entry["LastModified"]


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def recent_decisions(stack: Stack) -> Iterator[DecisionRow]:
    """Every decision in the ledger, newest first, read a page at a time."""
    return (DecisionRow.from_item(item) for item in recent(stack.dynamodb, stack.ledger, Entity.DECISION))


def _decided(stack: Stack, version: ObjectVersion, limit: int | None, key: str | None) -> bool:
    """Whether a version still in intake was decided before the rows that were read: held, and older than the limit."""
    if limit is None or key is not None:
        return False
    return any(row.decision.subject == version for row in decisions_of(stack.dynamodb, stack.ledger, version.key))
