"""What is known of the lines of a batch before any of them is read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tunegate.scan.shapes import Shape

SHAPES = (
    Shape.PROMPT_COMPLETION,
    Shape.CONVERSE,
    Shape.MESSAGES,
    Shape.INPUT,
    Shape.IMAGE_CAPTION,
    Shape.PLAIN_TEXT,
    Shape.UNKNOWN,
)
"""By the numbers that the sieve gives them (native/record.zig)."""
NO_RECORD, TO_READ = 0xFE, 0xFF
"""Said of a line instead of a shape: it is blank, or has to be read."""


@dataclass(frozen=True, slots=True)
class Sifted:
    """The numbers, in the batch, of the lines that have to be read; `said` has a byte for each line."""

    to_read: Sequence[int]
    said: bytes

    @classmethod
    def nothing(cls, lines: Sequence[object]) -> "Sifted":
        """All lines have to be read."""
        return cls(range(len(lines)), bytes([TO_READ]) * len(lines))

    @property
    def clean(self) -> int:
        """How many lines hold records in which nothing is found."""
        return len(self.said) - self.said.count(NO_RECORD) - self.said.count(TO_READ)

    def shapes(self) -> Iterator[tuple[Shape, int]]:
        """The shapes of the clean records, each with the number of the first line that has it."""
        for number, shape in enumerate(SHAPES):
            if (at := self.said.find(number)) >= 0:
                yield shape, at
