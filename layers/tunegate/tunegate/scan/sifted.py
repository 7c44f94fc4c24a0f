"""What is known of the lines of a block before any of them is read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tunegate.scan.lines import Block, Line
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
    """The lines of a block that have to be read; `said` has a byte for each line of it."""

    to_read: Sequence[Line]
    said: bytes

    @classmethod
    def nothing(cls, block: Block) -> "Sifted":
        """All lines have to be read."""
        return cls(list(block.lines()), bytes([TO_READ]) * block.size)

    @property
    def clean(self) -> int:
        """How many lines hold records in which nothing is found."""
        return len(self.said) - self.said.count(NO_RECORD) - self.said.count(TO_READ)

    def shapes(self) -> Iterator[tuple[Shape, int]]:
        """The shapes of the clean records, each with the number of the first line that has it."""
        for number, shape in enumerate(SHAPES):
            if (at := self.said.find(number)) >= 0:
                yield shape, at
