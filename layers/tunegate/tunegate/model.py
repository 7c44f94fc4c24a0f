"""The words of Tunegate: what is uploaded, what is detected in it, what is decided about it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Category(StrEnum):
    """What kind of risk a finding speaks of."""

    PII = "pii"
    SECRET = "secret"  # noqa: S105
    PROMPT_ATTACK = "prompt_attack"
    TOXICITY = "toxicity"
    MALWARE = "malware"
    UNSAFE_MODEL = "unsafe_model"
    ENCRYPTION = "encryption"
    FORMAT = "format"


class Severity(StrEnum):
    """How much a finding matters; the policy gives it."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class Verdict(StrEnum):
    """What is decided of one object version. `held` means it could not be told, and is never a pass."""

    CLEAN = "clean"
    FLAGGED = "flagged"
    HELD = "held"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in a file: 1-based line, JSON pointer (RFC 6901) into the record, code-point offsets into that string.

    Line 0 is the file as a whole; an empty pointer is the whole line.
    """

    line: int = 0
    pointer: str = ""
    begin: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Detection:
    """What a detector saw, before any policy: never the text itself.

    `type` is the detector's standard name (Comprehend's where it has one); `score` is 0 to 1, 1 for exact rules.
    `value_digest` is the salted digest an allow-list is matched by, where the detector knows the exact value.
    """

    category: Category
    type: str
    place: Place
    score: float = 1.0
    detector: str = "screen"
    value_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One judged line of the report: `count` detections of one type at one line and pointer.

    `file` names the file of a model upload, `detail` says in words fit to show what is wrong with it.
    """

    category: Category
    type: str
    severity: Severity
    flags: bool
    line: int
    pointer: str
    count: int
    score: float
    detectors: tuple[str, ...] = ()
    offsets: tuple[tuple[int, int], ...] = ()
    file: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of one object, the unit every verdict is about."""

    bucket: str
    key: str
    version_id: str

    @property
    def digest(self) -> str:
        """Hex SHA-256 that names the scan of this version: a valid Step Functions execution name (<= 80 characters)."""
        joined = "\0".join((self.bucket, self.key, self.version_id))
        return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}?versionId={self.version_id}"


@dataclass(frozen=True, slots=True)
class Text:
    """One string of a record: where it sits and, in a conversation, who says it."""

    pointer: str
    value: str
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One training record: a line of the file and every string in it, in order."""

    line: int
    texts: tuple[Text, ...]


GONE = "it was deleted before it was settled"
"""The reason of a hold where there is nothing left to hold."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with its evidence: what one ledger row says."""

    subject: ObjectVersion
    verdict: Verdict
    policy_digest: str
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    totals: Mapping[str, int] = field(default_factory=dict)


def value_digest(value: str) -> str:
    """The digest by which an allow-list names a value without holding it.

    Hex SHA-256 of the value in lower case, without spaces and dashes.
    """
    bare = "".join(value.split()).replace("-", "").lower()
    return hashlib.sha256(bare.encode("utf-8", "surrogatepass")).hexdigest()
