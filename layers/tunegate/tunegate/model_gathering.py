"""Model uploads that are complete → one scan each at a time, over all their files.

What waits in intake is read from S3 each time, so no file is forgotten, whichever event was lost.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tunegate.act.start import start_model_scan
from tunegate.errors import TunegateError
from tunegate.model import ObjectVersion
from tunegate.observe.ledger import decisions_of
from tunegate.observe.model_uploads import ModelUpload, StoredFile, is_as_listed, is_on_its_way, model_uploads
from tunegate.observe.scans import RunningModelScans, next_attempt, told_of
from tunegate.policy import Policy
from tunegate.service_answers import waits_of_model
from tunegate.steps import ModelScanRequest, ObjectRef, UploadedRef, scan_name
from tunegate.upload_order import order_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient


MOST_BYTES = 100_000
"""Of what names the files: with the judgement it stays well below the 256 KiB that Step Functions passes."""


@dataclass(frozen=True, slots=True)
class Gathering:
    """Where uploads wait, what scans them, and where decisions are.

    `file_machine` scans training files. S3's event of a model's file starts it too; it leaves the file to `machine`.
    """

    s3: "S3Client"
    stepfunctions: "SFNClient"
    dynamodb: "DynamoDBClient"
    table: str
    bucket: str
    machine: str
    file_machine: str
    policy: Policy


def gather(gathering: Gathering, now: datetime, below: str = "") -> Iterator[ObjectVersion]:
    """Start the scan of each upload that is complete and not yet decided; yields what stands for those started.

    What fails for one upload is raised once the others have had their turn: nobody's model waits for somebody else's.
    """
    running = RunningModelScans(gathering.stepfunctions, gathering.machine)
    failures = []
    for upload in model_uploads(gathering.s3, gathering.bucket, gathering.policy.models, below):
        try:
            started = _is_due(gathering, upload, running, now) and _start(gathering, upload)
        except TunegateError as failure:
            failures.append(failure)
        else:
            if started:
                yield upload.subject
    if failures:
        raise failures[0]


def _is_due(gathering: Gathering, upload: ModelUpload, running: RunningModelScans, now: datetime) -> bool:
    if _is_decided(gathering, upload) or not _is_complete(gathering, upload, now):
        return False
    # A scan under way takes files out one by one: what is left meanwhile looks like an upload, and is none. Asked after
    # the files were listed, for a scan that has ended by then has nothing more to move.
    return running.versions().isdisjoint(upload.versions) and not _is_on_record(gathering, upload)


def _start(gathering: Gathering, upload: ModelUpload) -> bool:
    attempt = next_attempt(gathering.stepfunctions, gathering.machine, upload.subject)
    if attempt is None:
        return False
    return start_model_scan(gathering.stepfunctions, gathering.machine, _request(gathering, upload, attempt))


def _is_complete(gathering: Gathering, upload: ModelUpload, now: datetime) -> bool:
    """Whether its manifest's files are all there, or nothing was added for as long as the policy says."""
    rules = gathering.policy.models
    return _is_quiet(gathering, upload, now) or is_as_listed(gathering.s3, upload, rules)


def _is_quiet(gathering: Gathering, upload: ModelUpload, now: datetime) -> bool:
    since = now - timedelta(seconds=gathering.policy.models.quiet_seconds)
    return (
        upload.newest <= since
        and not is_on_its_way(gathering.s3, upload, now)
        and all(_arrived(gathering, file) <= since for file in upload.all_files if file.in_parts)
    )


def _arrived(gathering: Gathering, file: StoredFile) -> datetime:
    """When a file that was put in parts was there, as near as is known."""
    return told_of(gathering.stepfunctions, gathering.file_machine, file.version) or file.uploaded


def _is_decided(gathering: Gathering, upload: ModelUpload) -> bool:
    """Held, since what is settled is no longer in intake: a person has been told."""
    rows = decisions_of(gathering.dynamodb, gathering.table, upload.prefix)
    return any(row.decision.subject == upload.subject for row in rows)


def _is_on_record(gathering: Gathering, upload: ModelUpload) -> bool:
    """Whether an earlier scan of the upload has left each of its files: replaced before it, or not to be moved.

    What is added makes it another upload, with all of them.
    """
    return all(_is_left(gathering, version, upload.prefix) for version in upload.versions)


def _is_left(gathering: Gathering, version: ObjectVersion, prefix: str) -> bool:
    rows = decisions_of(gathering.dynamodb, gathering.table, version.key)
    return any(row.decision.subject == version and row.upload == prefix for row in rows)


def _request(gathering: Gathering, upload: ModelUpload, attempt: int) -> ModelScanRequest:
    files = tuple(_reference(gathering, file) for file in upload.files)
    replaced = tuple(_reference(gathering, file) for file in upload.replaced)
    few = sum(len(file.model_dump_json()) for file in (*files, *replaced)) <= MOST_BYTES
    few = few and len(files) + len(replaced) <= gathering.policy.models.files
    return ModelScanRequest(
        object=ObjectRef.of(upload.subject),
        order=order_of(upload.newest, []),
        scan_id=scan_name(upload.subject, attempt),
        # The scan holds an upload that was too large to hand over.
        files=files if few else (),
        replaced=replaced if few else (),
        waits=waits_of_model(gathering.policy),
    )


def _reference(gathering: Gathering, file: StoredFile) -> UploadedRef:
    rows = decisions_of(gathering.dynamodb, gathering.table, file.version.key)
    return UploadedRef(object=ObjectRef.of(file.version), order=order_of(file.uploaded, [row.order for row in rows]))
