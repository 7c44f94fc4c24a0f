"""The scan of a model upload: every file examined, the answers of the services heard, one decision over all of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tunegate.facts import Encryption
from tunegate.judge.answers import not_told, told
from tunegate.judge.verdict import encryption_faults, held
from tunegate.judge.weights import judge_model
from tunegate.model import Decision
from tunegate.observe.model_uploads import ModelUpload, read_manifest
from tunegate.observe.objects import ObjectSource, stored_object
from tunegate.policy import Policy
from tunegate.scan.weights.findings import FileReport
from tunegate.scan.weights.manifest import examine_manifest
from tunegate.scan.weights.upload import ModelFacts, ModelFile, examine_upload
from tunegate.service_answers import Answer, Wait
from tunegate.steps import ModelScanTask

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def scan_upload(
    s3: "S3Client", upload: ModelUpload, policy: Policy, data_key: str, task: ModelScanTask
) -> tuple[Decision, int]:
    """The decision on an upload whose versions are the task's, and how many bytes of it were read."""
    files = len(upload.files) + len(upload.replaced)
    if len(task.files) + len(task.replaced) != files:
        return held(upload.subject, f"its {files} files are more than the policy takes", policy.digest), 0
    if not _are_the_uploads(task, upload):
        # What follows settles the task's files, so a verdict on others must not reach them.
        return held(upload.subject, "the scan was asked to settle files that are not this upload's", policy.digest), 0
    facts = _facts(s3, upload, policy)
    reports = {report.file: report for report in facts.files}
    for file, heard in zip(upload.files, task.answers or [()] * len(upload.files), strict=True):
        _add(reports[upload.name_of(file)], stored_object(s3, file.version).encryption, data_key, task.waits, heard)
    return judge_model(upload.subject, facts, policy), facts.bytes_read


def _are_the_uploads(task: ModelScanTask, upload: ModelUpload) -> bool:
    """Whether the task names the very versions that lie below the prefix, in their order."""
    given = [[file.object.version() for file in files] for files in (task.files, task.replaced)]
    return given == [[file.version for file in files] for files in (upload.files, upload.replaced)]


def _facts(s3: "S3Client", upload: ModelUpload, policy: Policy) -> ModelFacts:
    manifest = read_manifest(s3, upload, policy.models)
    of_manifest = upload.named(policy.models.manifest)
    others = [file for file in upload.files if file is not of_manifest]
    facts = examine_upload(
        ModelFile(upload.name_of(file), ObjectSource(s3, file.version, file.size)) for file in others
    )
    if manifest is None or of_manifest is None:
        return facts
    sizes = {upload.name_of(file): file.size for file in others}
    report = examine_manifest(policy.models.manifest, of_manifest.size, manifest, sizes)
    return ModelFacts((*facts.files, report), facts.config)


def _add(
    report: FileReport, encryption: Encryption, data_key: str, waits: Sequence[Wait], answers: Sequence[Answer]
) -> None:
    """To what was seen in a file, how it is encrypted and what services say of it."""
    for fault in encryption_faults(encryption, data_key):
        report.add(fault.category, fault.type, "it is not encrypted with the gate's key")
    for found in told(answers):
        report.add(found.category, found.type, f"{found.detector} found it")
    report.unread = report.unread or not_told(waits, answers)
