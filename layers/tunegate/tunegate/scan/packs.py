"""Many texts in one document, so that one call to a service covers them all, and each answer leads back."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property

SEPARATOR = "\n.\n"
"""Between texts: a sentence's end on a line of its own. What a model says of a text depends a little on its neighbours;
`benchmarks/cost.py --separators` measures which separator keeps them apart best."""
OVERLAP_CHARACTERS = 200
"""How much of a cut text is repeated after the cut, so that what stands across it is seen whole once."""


class Pack:
    """Texts in one document. Positions are code points, as services count them."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    @cached_property
    def document(self) -> str:
        return SEPARATOR.join(self.texts)

    @cached_property
    def _begins(self) -> list[int]:
        begins = [0]
        for text in self.texts[:-1]:
            begins.append(begins[-1] + len(text) + len(SEPARATOR))
        return begins

    def locate(self, begin: int, end: int) -> tuple[int, int, int]:
        """Which text [begin, end) of the document begins in, and where in it; cut at that text's end."""
        at = bisect_right(self._begins, begin) - 1
        offset = self._begins[at]
        length = len(self.texts[at])
        return at, min(begin - offset, length), min(end - offset, length)


def utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def split_text(text: str, limit: int) -> Iterator[tuple[int, str]]:
    """(offset, part) of a text, each part at most `limit` UTF-8 bytes, cut at spaces if it can be."""
    if not text.strip():
        return
    start = 0
    while start < len(text):
        end = _fitting_end(text, start, limit)
        yield start, text[start:end]
        if end == len(text):
            return
        start = max(end - min(OVERLAP_CHARACTERS, (end - start) // 4), start + 1)


def _fitting_end(text: str, start: int, limit: int) -> int:
    end = min(len(text), start + limit)
    while (size := utf8_length(text[start:end])) > limit:
        end -= max((size - limit) // 4, 1)
    if end == len(text):
        return end
    space = text.rfind(" ", start + (end - start) * 3 // 4, end)
    return space + 1 if space > start else end
