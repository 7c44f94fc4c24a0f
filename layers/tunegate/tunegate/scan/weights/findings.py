"""What is seen in one model file: findings that name the file, the kind of fault and a place, never its content."""

import re
from dataclasses import dataclass, field

from tunegate.model import Category

MOST_FINDINGS = 50
"""Findings listed of one file; a hostile file may hold any number of faults of the same kind."""

_SHOWABLE = re.compile(r"[A-Za-z_<][A-Za-z0-9_.<>]{0,119}")
_SHOWABLE_PATH = re.compile(r"[A-Za-z0-9_./-]{1,120}")


@dataclass(frozen=True, slots=True)
class FileFinding:
    """One fault of one file of an upload. `detail` is safe to show; `offset` counts bytes from the file's begin."""

    file: str
    category: Category
    type: str
    detail: str
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a shard as its header declares it; `begin` and `end` are offsets in the file."""

    name: str
    dtype: str
    begin: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.begin


@dataclass(slots=True)
class FileReport:
    """What was seen in one file. `unread` says why a part of it could not be judged; empty where all of it was.

    `tensors` and `document` are what a readable shard or JSON file declares, for the checks across files.
    """

    file: str
    size: int
    findings: list[FileFinding] = field(default_factory=list)
    unread: str = ""
    bytes_read: int = 0
    tensors: tuple[Tensor, ...] | None = None
    document: object = None

    def add(self, category: Category, kind: str, detail: str, offset: int | None = None) -> None:
        if any((known.category, known.type, known.detail) == (category, kind, detail) for known in self.findings):
            return
        if len(self.findings) < MOST_FINDINGS or all(known.type != kind for known in self.findings):
            self.findings.append(FileFinding(self.file, category, kind, detail, offset))

    def unsafe(self, kind: str, detail: str, offset: int | None = None) -> None:
        self.add(Category.UNSAFE_MODEL, kind, detail, offset)

    def malformed(self, kind: str, detail: str, offset: int | None = None) -> None:
        self.add(Category.FORMAT, kind, detail, offset)


def shown(name: str, instead: str = "<unprintable name>") -> str:
    """A dotted identifier as it is, anything else not at all: names in a hostile file can carry text."""
    return name if _SHOWABLE.fullmatch(name) else instead


def shown_path(path: str, instead: str) -> str:
    return path if _SHOWABLE_PATH.fullmatch(path) else instead
