"""Ranged reads of one file, each counted and all of them bounded."""

from collections.abc import Iterator

from tunegate.scan.source import CHUNK_BYTES, Source

HEAD_BYTES = 64 * 1024
"""Read in one go at first: most headers of safetensors, and all that tells one kind of file from another."""


class ReadLimitError(Exception):
    """Judging the file would cost more bytes than are spent on one."""


class ShortReadError(Exception):
    """The source gave fewer bytes than it says it has."""


class Ranges:
    """The bytes of a source by offset. `budget` bounds what is read of it in all."""

    def __init__(self, source: Source, budget: int) -> None:
        self._source = source
        self._budget = budget
        self._head = b""
        self.size = source.size
        self.bytes_read = 0

    def head(self) -> bytes:
        """The first `HEAD_BYTES`, read once."""
        if not self._head and self.size:
            self._head = self._fetch(0, min(HEAD_BYTES, self.size))
        return self._head

    def read(self, start: int, end: int) -> bytes:
        """The bytes of [start, end), cut at the end of the file.

        Raises `ReadLimitError` before reading past the budget, `ShortReadError` where the source stops early.
        """
        end = min(end, self.size)
        if start >= end:
            return b""
        head = self.head()
        if start >= len(head):
            return self._fetch(start, end)
        return head[start:end] + (self._fetch(len(head), end) if end > len(head) else b"")

    def _fetch(self, start: int, end: int) -> bytes:
        if self.bytes_read + end - start > self._budget:
            raise ReadLimitError
        data = b"".join(self._source.chunks(start, end))
        self.bytes_read += len(data)
        if len(data) != end - start:
            raise ShortReadError
        return data


class BytesSource:
    """Bytes in memory, such as a member of an archive, read like a file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        for begin in range(start, min(end, self.size), CHUNK_BYTES):
            yield self._data[begin : min(begin + CHUNK_BYTES, end)]
