"""A finding in a file that was approved before: Bedrock may no longer read it, and whoever did is judged again."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunegate.act.follow_up import enqueue
from tunegate.act.ledger import Ledger
from tunegate.act.promote import Copy, Destination, Upload, copies_in, place, withdraw
from tunegate.act.settle import Scanned, record
from tunegate.act.tags import Tag
from tunegate.errors import PermanentError
from tunegate.evidence import Evidence
from tunegate.judge.answers import told
from tunegate.judge.verdict import judge_told
from tunegate.model import Decision, Verdict
from tunegate.observe.ledger import decisions_of
from tunegate.observe.macie import ObjectResult, etag_of
from tunegate.observe.subjects import jobs_that_read
from tunegate.policy import Policy
from tunegate.rows import Action, DecisionRow
from tunegate.service_answers import Answer, Service

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_MOST_READERS = 20


@dataclass(frozen=True, slots=True)
class Revocation:
    """What revoking takes. `queue` is the jobs queue's URL, `evidence` the evidence bucket's name."""

    s3: "S3Client"
    sqs: "SQSClient"
    ledger: Ledger
    policy: Policy
    approved: str
    quarantine: Destination
    evidence: str
    queue: str


def revoke(revocation: Revocation, result: ObjectResult) -> Decision | None:
    """Take an approved upload back for what Macie found in it. None where the policy weighs that too light, or a person
    released the upload knowing of it.

    Every step can be done again: a second finding on the upload changes nothing. Raises `PermanentError` where the
    finding is about no version in `approved`, or the ledger knows of none.
    """
    s3, ledger = revocation.s3, revocation.ledger
    copy = _found_in(revocation, result)
    source = copy.tags.get(Tag.SOURCE, "")
    rows = [row for row in decisions_of(ledger.dynamodb, ledger.table, result.key) if _is_of(row, source)]
    approved = next((row for row in rows if row.action is not Action.REVOKE), None)
    if approved is None:
        raise PermanentError("the ledger holds no decision on what Macie found something in")
    decision = judge_told(
        approved.decision.subject, told([Answer(service=Service.MACIE, seen=result.seen)]), revocation.policy
    )
    if decision.verdict is not Verdict.FLAGGED or _was_known(rows[0], decision):
        return None
    # What takes away comes first: a failure after it leaves the gate shut.
    withdraw(s3, decision.subject, revocation.approved, Verdict.FLAGGED)
    upload = Upload(copy.version, approved.order, origin=source)
    kept = place(s3, upload, revocation.quarantine, Verdict.FLAGGED, decision.policy_digest)
    scan_id = f"{approved.scan_id}-revoked"
    evidence = Evidence(s3, revocation.evidence).put_findings(scan_id, decision)
    copies = {
        one.version for one in copies_in(s3, revocation.approved, result.key) if one.tags.get(Tag.SOURCE) == source
    }
    jobs = list(jobs_that_read(s3, ledger.dynamodb, ledger.table, revocation.evidence, copies))
    readers = tuple(job.arn for job in jobs if job.certain)[:_MOST_READERS]
    record(ledger, Scanned(decision, approved.order, scan_id, evidence, readers=readers), Action.REVOKE, kept)
    for job in jobs:
        enqueue(revocation.sqs, revocation.queue, job.arn)
    return decision


def _found_in(revocation: Revocation, result: ObjectResult) -> Copy:
    """The approved version that Macie read: by its id and its etag."""
    s3 = revocation.s3
    for copy in copies_in(s3, revocation.approved, result.key):
        if result.version_id in ("", copy.version.version_id) and result.is_of(copy.version, etag_of(s3, copy.version)):
            return copy
    raise PermanentError("Macie found something in a version that is not in the approved bucket")


def _is_of(row: DecisionRow, source: str) -> bool:
    return row.decision.subject.version_id == source


def _was_known(newest: DecisionRow, decision: Decision) -> bool:
    """Whether a person released the upload in view of all these types: a job of Macie's finds the same again."""
    known = {(finding.category, finding.type) for finding in newest.decision.findings if finding.flags}
    found = {(finding.category, finding.type) for finding in decision.findings if finding.flags}
    return newest.action is Action.RELEASE and found <= known
