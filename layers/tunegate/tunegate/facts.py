"""Facts of one uploaded object version, as observed: what the judgement is made from besides the scan."""

from dataclasses import dataclass
from enum import StrEnum


class Content(StrEnum):
    """What a file turned out to be, by its first bytes and its name."""

    JSONL = "jsonl"
    TEXT = "text"
    EMPTY = "empty"
    UNREADABLE = "unreadable"
    MODEL = "model"
    """A file of a model upload, which is judged with the others of its prefix."""


@dataclass(frozen=True, slots=True)
class Encryption:
    """How S3 says this very version is encrypted: `algorithm` as in `x-amz-server-side-encryption`, `key` a key ARN."""

    algorithm: str | None
    key: str | None


@dataclass(frozen=True, slots=True)
class Shard:
    """A range [start, end) of a file, by the offsets at which its lines begin; `end` None is the end of the data."""

    index: int
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """`size` in bytes as stored. `gzipped` by content, not by name."""

    size: int
    content: Content
    gzipped: bool
    encryption: Encryption | None
