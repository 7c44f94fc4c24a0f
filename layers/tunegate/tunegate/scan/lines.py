"""Lines of a file, read by byte range so that many readers can share one file.

A line belongs to the range its first byte lies in: whatever the borders, each line is read exactly once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

NEWLINE = b"\n"
BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One line without its ending; `number` counts from 1 at the start of the range. `data` is None if over-long."""

    number: int
    data: bytes | None


@dataclass(slots=True)
class _Pending:
    """The line being put together, never holding more than `limit` bytes."""

    limit: int
    parts: list[bytes]
    length: int = 0
    too_long: bool = False

    def add(self, part: bytes) -> None:
        if not part:
            return
        self.length += len(part)
        if self.length > self.limit:
            self.too_long = True
            self.parts.clear()
        else:
            self.parts.append(part)

    def take(self) -> bytes | None:
        data = None if self.too_long else b"".join(self.parts)
        self.parts, self.length, self.too_long = [], 0, False
        return data


class Block(NamedTuple):
    """Whole lines, line feeds between them, the first of which has the number `number`; None for one over-long."""

    number: int
    data: bytes | None

    @property
    def size(self) -> int:
        return 1 if self.data is None else self.data.count(NEWLINE) + 1

    def line(self, at: int, begin: int) -> Line:
        """Line `at` of the block, which begins at byte `begin` of it."""
        if self.data is None:
            return Line(self.number, None)
        end = self.data.find(NEWLINE, begin)
        return Line(self.number + at, self.data[begin : len(self.data) if end < 0 else end].removesuffix(b"\r"))

    def lines(self) -> Iterator[Line]:
        if self.data is None:
            yield Line(self.number, None)
            return
        for number, data in enumerate(self.data.split(NEWLINE), self.number):
            yield Line(number, data.removesuffix(b"\r"))


def read_lines(chunks: Iterable[bytes], *, start: int, end: int | None, record_bytes: int) -> Iterator[Line]:
    """The lines of `read_blocks`, one by one."""
    for block in read_blocks(chunks, start=start, end=end, record_bytes=record_bytes):
        yield from block.lines()


def read_blocks(chunks: Iterable[bytes], *, start: int, end: int | None, record_bytes: int) -> Iterator[Block]:
    """The lines whose first byte lies in [start, end), in blocks about as large as the chunks.

    `chunks` begins one byte before `start` (at 0 when `start` is 0), so that a line which begins exactly at
    `start` is told from one that began before; it may run past `end`. `end` None means to the end of the data.
    """
    number = 1
    for begins_at, data in _raw_blocks(chunks, max(start - 1, 0), record_bytes):
        if end is not None and begins_at >= end:
            return
        if begins_at < start:
            begins_at, data = _behind_first(begins_at, data)
        if begins_at >= start:
            block = Block(number, _until(end, begins_at, data))
            yield block
            number += block.size
        if end is not None and data is not None and begins_at + len(data) + 1 >= end:
            return


def _raw_blocks(chunks: Iterable[bytes], position: int, record_bytes: int) -> Iterator[tuple[int, bytes | None]]:
    """Whole lines and where the first of them begins, or None for one line that is too long."""
    pending = _Pending(record_bytes, [])
    begins_at = position
    for chunk in chunks:
        first, last = chunk.find(NEWLINE), chunk.rfind(NEWLINE)
        if first < 0:
            pending.add(chunk)
        else:
            pending.add(chunk[:first])
            yield begins_at, _without_mark(begins_at, pending.take())
            if first < last:
                yield from _bounded(position + first + 1, chunk[first + 1 : last], record_bytes)
            begins_at = position + last + 1
            pending.add(chunk[last + 1 :])
        position += len(chunk)
    if pending.length:
        yield begins_at, _without_mark(begins_at, pending.take())


def _bounded(begins_at: int, data: bytes, record_bytes: int) -> Iterator[tuple[int, bytes | None]]:
    """Lines together, or one by one where some of them may be too long."""
    if len(data) <= record_bytes:
        yield begins_at, data
        return
    for line in data.split(NEWLINE):
        yield begins_at, line if len(line) <= record_bytes else None
        begins_at += len(line) + 1


def _behind_first(begins_at: int, data: bytes | None) -> tuple[int, bytes | None]:
    """Lines without the first, which begins elsewhere; at -1 where there are no others."""
    cut = -1 if data is None else data.find(NEWLINE)
    return (-1, None) if cut < 0 or data is None else (begins_at + cut + 1, data[cut + 1 :])


def _until(end: int | None, begins_at: int, data: bytes | None) -> bytes | None:
    """Those of the lines that begin before `end`."""
    if end is None or data is None:
        return data
    cut = data.find(NEWLINE, end - begins_at - 1)
    return data if cut < 0 else data[:cut]


def _without_mark(begins_at: int, data: bytes | None) -> bytes | None:
    return data.removeprefix(BOM) if data is not None and begins_at == 0 else data
