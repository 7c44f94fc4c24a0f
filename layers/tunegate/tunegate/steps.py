"""What the steps of a scan hand to one another through the state machine. None of it is text from a file."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tunegate.facts import Content, Encryption, ObjectFacts, Shard
from tunegate.model import Decision, ObjectVersion, Verdict
from tunegate.rows import MOST_FINDINGS, finding_from_json, finding_to_json
from tunegate.service_answers import Answer, Service, StepError, Wait


class _Step(BaseModel):
    # Each function reads one or two of these: the rest are never built.
    model_config = ConfigDict(frozen=True, defer_build=True)


class ObjectRef(_Step):
    bucket: str
    key: str
    version_id: str

    @classmethod
    def of(cls, version: ObjectVersion) -> "ObjectRef":
        return cls(bucket=version.bucket, key=version.key, version_id=version.version_id)

    def version(self) -> ObjectVersion:
        return ObjectVersion(self.bucket, self.key, self.version_id)


class ScanRequest(_Step):
    """A scan to do. `order` is S3's sequencer of the upload, `scan_id` the execution's name."""

    object: ObjectRef
    order: str
    scan_id: str


def scan_name(version: ObjectVersion, attempt: int = 0) -> str:
    """The name of the execution that scans a version, of its first try or a later one."""
    return f"{version.digest}-{attempt}" if attempt else version.digest


class InspectedFile(_Step):
    size: int
    content: Content
    gzipped: bool
    encryption: Encryption
    policy_digest: str

    def facts(self) -> ObjectFacts:
        return ObjectFacts(self.size, self.content, self.gzipped, self.encryption)


class Inspection(_Step):
    """`waits` are the services whose answers the verdict waits for."""

    file: InspectedFile
    shards: tuple[Shard, ...]
    waits: tuple[Wait, ...] = ()


class ShardTask(_Step):
    """One child of the distributed map."""

    object: ObjectRef
    scan_id: str
    file: InspectedFile
    shard: Shard


class ShardResult(_Step):
    """What a child answers: its report is in the evidence bucket, unless it failed for good."""

    index: int
    error: StepError | None = None


class Judgement(_Step):
    """A decision on its way to being carried out, with at most as many findings as a ledger row carries."""

    verdict: Verdict
    reason: str
    policy_digest: str
    findings: tuple[dict[str, Any], ...] = ()
    totals: dict[str, int] = {}
    evidence: str = ""

    @classmethod
    def of(cls, decision: Decision, evidence: str) -> "Judgement":
        return cls(
            verdict=decision.verdict,
            reason=decision.reason,
            policy_digest=decision.policy_digest,
            findings=tuple(finding_to_json(finding) for finding in decision.findings[:MOST_FINDINGS]),
            totals=dict(decision.totals),
            evidence=evidence,
        )

    def decision(self, subject: ObjectVersion) -> Decision:
        findings = tuple(finding_from_json(finding) for finding in self.findings)
        return Decision(subject, self.verdict, self.policy_digest, findings, self.reason, self.totals)


class JudgeTask(ScanRequest):
    inspection: Inspection
    results: tuple[ShardResult, ...]
    answers: tuple[Answer, ...] = ()


class SettleTask(ScanRequest):
    """`upload` is the prefix of the model upload the file belongs to."""

    judgement: Judgement
    upload: str = ""


class HoldTask(ScanRequest):
    """A scan that could not tell: by its judgement, or because a step failed for good."""

    judgement: Judgement | None = None
    error: StepError | None = None
    upload: str = ""


class AwaitTask(_Step):
    """A scan that waits for a service's answer on one version, and the token that resumes it."""

    object: ObjectRef
    service: Service
    token: Annotated[str, Field(min_length=1, max_length=2048)]


class UploadedRef(_Step):
    """One file of a model upload and its place among the uploads of its key."""

    object: ObjectRef
    order: str


class ModelScanRequest(ScanRequest):
    """The scan of a model upload. `object` stands for it: its prefix, and as version the digest of its files'."""

    files: tuple[UploadedRef, ...]
    replaced: tuple[UploadedRef, ...]
    waits: tuple[Wait, ...]


class ModelScanTask(ModelScanRequest):
    """`answers` are the services' on each file, in the files' order."""

    answers: tuple[tuple[Answer, ...], ...] = ()


class ModelScanned(_Step):
    """What became of a model upload: a judgement, or none where it changed while it was scanned."""

    changed: bool
    judgement: Judgement | None = None


class FileEnd(_Step):
    """What became of one file of a model upload. Why, its own row in the ledger says."""

    ended: Literal["moved", "held", "not moved"]


class RecordTask(ScanRequest):
    """The end of a model upload's scan, and what became of each of its files once there was a judgement."""

    judgement: Judgement | None = None
    error: StepError | None = None
    settled: tuple[FileEnd, ...] = ()
