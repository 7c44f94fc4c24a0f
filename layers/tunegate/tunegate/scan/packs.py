"""Documents packed full of texts, so that one call to a service covers many records, and each answer leads back."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from tunegate.model import Place, Text

SEPARATOR = "\n"


@dataclass(frozen=True, slots=True)
class Piece:
    """A text, or a part of one, at code point `begin` of a document; `offset` is where the part begins in its text."""

    begin: int
    length: int
    line: int
    pointer: str
    offset: int


@dataclass(frozen=True, slots=True)
class Pack:
    """One document of at most the packer's limit in UTF-8 bytes, and where its pieces come from."""

    text: str
    pieces: tuple[Piece, ...]

    def place(self, begin: int, end: int) -> Place:
        """The place in the file of code points [begin, end) of this document, cut at the piece it begins in."""
        piece = self.pieces[max(bisect_right(self.pieces, begin, key=lambda p: p.begin) - 1, 0)]
        last = min(end, piece.begin + piece.length)
        return Place(piece.line, piece.pointer, piece.offset + begin - piece.begin, piece.offset + last - piece.begin)


@dataclass(slots=True)
class Packer:
    """Collects texts and gives back a pack whenever the next text would overfill it. `limit` is in UTF-8 bytes."""

    limit: int
    _texts: list[str] = field(default_factory=list)
    _pieces: list[Piece] = field(default_factory=list)
    _bytes: int = 0
    _characters: int = 0

    def add(self, line: int, text: Text) -> Iterator[Pack]:
        for offset, part in split_text(text.value, self.limit):
            if self._bytes + len(part.encode("utf-8", "replace")) > self.limit:
                yield from self.flush()
            self._append(line, text.pointer, offset, part)

    def flush(self) -> Iterator[Pack]:
        if self._pieces:
            yield Pack(SEPARATOR.join(self._texts), tuple(self._pieces))
        self._texts, self._pieces, self._bytes, self._characters = [], [], 0, 0

    def _append(self, line: int, pointer: str, offset: int, part: str) -> None:
        self._texts.append(part)
        self._pieces.append(Piece(self._characters, len(part), line, pointer, offset))
        self._bytes += len(part.encode("utf-8", "replace")) + len(SEPARATOR)
        self._characters += len(part) + len(SEPARATOR)


OVERLAP_CHARACTERS = 200
"""How much of a cut text is repeated after the cut, so that what stands across it is seen whole once."""


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
    while (size := len(text[start:end].encode("utf-8", "replace"))) > limit:
        end -= max((size - limit) // 4, 1)
    if end == len(text):
        return end
    space = text.rfind(" ", start + (end - start) * 3 // 4, end)
    return space + 1 if space > start else end
