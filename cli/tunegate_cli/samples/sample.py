"""One sample: a training file and what should become of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Expected(StrEnum):
    """A verdict, or `refused`: the intake bucket itself turns the upload away."""

    CLEAN = "clean"
    FLAGGED = "flagged"
    HELD = "held"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Sample:
    """`categories`: each must have a finding that flags. `planted`: the values that must never be seen again.

    `other_encryption`: the upload asks S3 for its own keys (`AES256`) instead of the gate's.
    """

    path: str
    what: str
    content: bytes
    expected: Expected = Expected.CLEAN
    categories: tuple[str, ...] = ()
    planted: tuple[str, ...] = ()
    other_encryption: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "what": self.what,
            "expected": self.expected.value,
            "categories": list(self.categories),
            "planted": list(self.planted),
            "other_encryption": self.other_encryption,
        }
