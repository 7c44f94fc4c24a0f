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


def read_lines(chunks: Iterable[bytes], *, start: int, end: int | None, record_bytes: int) -> Iterator[Line]:
    """The lines whose first byte lies in [start, end).

    `chunks` begins one byte before `start` (at 0 when `start` is 0), so that a line which begins exactly at
    `start` is told from one that began before; it may run past `end`. `end` None means to the end of the data.
    """
    number = 0
    for begins_at, data in _raw_lines(chunks, max(start - 1, 0), record_bytes):
        if end is not None and begins_at >= end:
            return
        if begins_at < start:
            continue
        number += 1
        yield Line(number, _without_ending(data, first_of_file=begins_at == 0))


def _raw_lines(chunks: Iterable[bytes], position: int, record_bytes: int) -> Iterator[tuple[int, bytes | None]]:
    pending = _Pending(record_bytes, [])
    begins_at = position
    for chunk in chunks:
        first, *whole = chunk.split(NEWLINE)
        pending.add(first)
        position += len(chunk)
        if whole:
            yield begins_at, pending.take()
            begins_at = position - len(whole[-1])
            pending.add(whole.pop())
            at = begins_at - sum(map(len, whole)) - len(whole)
            for data in whole:
                yield at, data if len(data) <= record_bytes else None
                at += len(data) + 1
    if pending.length:
        yield begins_at, pending.take()


def _without_ending(data: bytes | None, *, first_of_file: bool) -> bytes | None:
    if data is None:
        return None
    if first_of_file:
        data = data.removeprefix(BOM)
    return data.removesuffix(b"\r")
