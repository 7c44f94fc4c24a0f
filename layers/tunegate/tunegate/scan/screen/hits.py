"""What one rule saw in one string, before it is tied to a record."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tunegate.model import Category, Detection, Place


class Hit(NamedTuple):
    """A finding in one string: code-point span, score 0 to 1; of two overlapping hits the one of higher rank stays."""

    category: Category
    type: str
    begin: int
    end: int
    score: float = 1.0
    digest: str | None = None
    rank: int = 1

    def at(self, line: int, pointer: str) -> Detection:
        place = Place(line, pointer, self.begin, self.end)
        return Detection(self.category, self.type, place, round(self.score, 4), "screen", self.digest)

    def within(self, begin: int, end: int) -> "Hit":
        """The same hit placed on the span of the original that hid it."""
        return Hit(self.category, self.type, begin, end, self.score, self.digest, self.rank)


def bits(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def settle(hits: Iterable[Hit]) -> list[Hit]:
    """One hit for each (type, span), and of overlapping hits in one category the surest; in order of place."""
    found = list(hits)
    if len(found) < 2:
        return found
    kept: list[Hit] = []
    for hit in sorted(found, key=lambda hit: (-hit.rank, -hit.score, hit.begin - hit.end, hit.begin, hit.type)):
        if not any(_covers(other, hit) for other in kept):
            kept.append(hit)
    return sorted(kept, key=lambda hit: (hit.begin, hit.end, hit.type))


def _covers(kept: Hit, hit: Hit) -> bool:
    overlap = kept.begin < hit.end and hit.begin < kept.end
    return overlap and kept.category is hit.category
