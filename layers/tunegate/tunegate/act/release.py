"""Bringing a quarantined file back after review, on the record."""

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tunegate.act.ledger import Ledger
from tunegate.act.promote import Copy, Destination, Upload, copies_in, place
from tunegate.act.settle import Scanned, note_current, record
from tunegate.act.tags import Tag
from tunegate.errors import PermanentError
from tunegate.model import Decision, ObjectVersion, Verdict
from tunegate.observe.ledger import decisions_of
from tunegate.rows import Action, DecisionRow

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """`version_id` is that of the upload (as alerts and the ledger name it); None means the newest one quarantined."""

    key: str
    version_id: str | None
    reason: str
    actor: str


def release(
    s3: "S3Client", ledger: Ledger, request: ReleaseRequest, quarantine: str, approved: Destination
) -> ObjectVersion:
    """Copy a quarantined upload to `approved` as clean and record who decided that and why.

    The quarantined version stays where it is: its retention lasts. Raises `PermanentError` for a request without
    a reason or an actor, and for an upload that is not in quarantine.
    """
    if not request.reason.strip() or not request.actor.strip():
        raise PermanentError("a release needs a reason and somebody who gives it")
    found = _quarantined(s3, request, quarantine)
    row = _decision_on(ledger, request.key, found.tags.get(Tag.SOURCE, ""))
    upload = Upload(found.version, found.tags.get(Tag.ORDER, ""), origin=found.tags[Tag.SOURCE])
    released = place(s3, upload, approved, Verdict.CLEAN, row.decision.policy_digest)
    note_current(s3, ledger, approved.bucket, request.key)
    record(ledger, _released(row, request), Action.RELEASE, released, request.actor)
    return released


def _quarantined(s3: "S3Client", request: ReleaseRequest, quarantine: str) -> Copy:
    for copy in copies_in(s3, quarantine, request.key):
        if request.version_id in (None, copy.tags.get(Tag.SOURCE)) and copy.tags.get(Tag.VERDICT) == Verdict.FLAGGED:
            return copy
    raise PermanentError("no such upload is in quarantine")


def _decision_on(ledger: Ledger, key: str, version_id: str) -> DecisionRow:
    for row in decisions_of(ledger.dynamodb, ledger.table, key):
        if row.decision.subject.version_id == version_id and row.action is not Action.RELEASE:
            return row
    raise PermanentError("the ledger holds no scan of that upload")


def _released(row: DecisionRow, request: ReleaseRequest) -> Scanned:
    decision: Decision = replace(row.decision, verdict=Verdict.CLEAN, reason=request.reason.strip())
    digest = hashlib.sha256(f"{request.actor}\0{request.reason}".encode()).hexdigest()[:16]
    return Scanned(decision, row.order, f"{row.scan_id}-release-{digest}", row.evidence)
