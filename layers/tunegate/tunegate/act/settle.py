"""Carrying a verdict out and writing it down."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunegate.act.ledger import Ledger, write_once
from tunegate.act.promote import Destination, Upload, copies_in, placed, settle, withdraw
from tunegate.act.tags import Tag
from tunegate.errors import PermanentError
from tunegate.model import Decision, ObjectVersion, Verdict
from tunegate.observe.ledger import decisions_of
from tunegate.rows import Action, DecisionRow
from tunegate.times import later, now

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Scanned:
    """A decided scan: what is needed to carry it out and to write it down."""

    decision: Decision
    order: str
    scan_id: str
    evidence: str
    upload: str = ""
    whole: bool = False
    readers: tuple[str, ...] = ()


def record(
    ledger: Ledger, scanned: Scanned, action: Action, destination: ObjectVersion | None = None, actor: str = ""
) -> None:
    """Write a decision down."""
    rows = decisions_of(ledger.dynamodb, ledger.table, scanned.decision.subject.key)
    row = DecisionRow(
        scanned.decision,
        action,
        scanned.scan_id,
        # The newest decision counts, so this one must be it, whichever clock wrote the others.
        later(now(), rows[0].at if rows else ""),
        scanned.order,
        destination,
        scanned.evidence,
        actor,
        scanned.upload,
        scanned.readers,
        scanned.whole,
    )
    write_once(ledger.dynamodb, ledger.table, row.to_item())


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
    _record_settled(s3, ledger, scanned, settled, ranked=destination.ranked)
    return settled


def _record_settled(s3: "S3Client", ledger: Ledger, scanned: Scanned, settled: ObjectVersion, *, ranked: bool) -> None:
    if ranked:
        note_current(s3, ledger, settled.bucket, settled.key)
    # Last: a step that fails before the upload has left intake ends in a hold, which then has a row of its own.
    record(ledger, scanned, Action.SCAN, settled)


def note_current(s3: "S3Client", ledger: Ledger, bucket: str, key: str) -> None:
    """Record the current version of a key where it is a copy made once more, to bring the newest upload forward.

    The job gate knows a version by the ledger alone, so each one that Bedrock may read must be there.
    """
    rows = decisions_of(ledger.dynamodb, ledger.table, key)
    if not rows:
        return
    current = next((copy for copy in copies_in(s3, bucket, key) if copy.is_latest), None)
    if current is None or any(row.destination == current.version for row in rows):
        return
    source = current.tags.get(Tag.SOURCE)
    copies = [row for row in rows if row.destination and row.destination.bucket == bucket]
    placed = next((row for row in copies if row.decision.subject.version_id == source), None)
    if placed is not None:
        again = f"{placed.scan_id}-{current.version.version_id}"
        record(ledger, Scanned(placed.decision, placed.order, again, placed.evidence), placed.action, current.version)


def finish_settling(
    s3: "S3Client", ledger: Ledger, scanned: Scanned, buckets: Mapping[Verdict, str]
) -> ObjectVersion | None:
    """Record a settling that failed after the upload had left intake: nothing is there to be held. None if it had not.

    `buckets` are where verdicts move an upload.
    """
    verdict, subject = scanned.decision.verdict, scanned.decision.subject
    settled = placed(s3, subject, buckets[verdict], verdict) if verdict in buckets else None
    if settled is not None:
        _record_settled(s3, ledger, scanned, settled, ranked=verdict is Verdict.CLEAN)
    return settled


def settled_by_another(s3: "S3Client", subject: ObjectVersion, buckets: Mapping[Verdict, str]) -> bool:
    """Whether another scan of the version has settled it meanwhile; that one records it."""
    return any(placed(s3, subject, bucket, verdict) is not None for verdict, bucket in buckets.items())


def hold_scan(s3: "S3Client", ledger: Ledger, scanned: Scanned, buckets: Iterable[str]) -> None:
    """Leave the upload in intake, take the verdict off any copy that a half-done settling left, and record why."""
    for bucket in buckets:
        withdraw(s3, scanned.decision.subject, bucket, Verdict.HELD)
    record(ledger, scanned, Action.SCAN)
