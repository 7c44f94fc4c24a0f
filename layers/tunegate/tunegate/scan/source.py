"""Where bytes come from: one interface over a local file and an object version."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

CHUNK_BYTES = 1024 * 1024
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class Source(Protocol):
    """Bytes that never change while they are read."""

    @property
    def size(self) -> int: ...

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes of [start, end), in pieces of bounded size."""
        ...


class FileSource:
    """A file on this machine, for the pre-flight."""

    def __init__(self, path: Path, progress: Callable[[int], None] | None = None) -> None:
        self._path = path
        self._progress = progress
        self.size = path.stat().st_size

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            file.seek(start)
            while start < end and (chunk := file.read(min(CHUNK_BYTES, end - start))):
                start += len(chunk)
                yield chunk
                if self._progress is not None:
                    self._progress(len(chunk))


class NotGzipError(ValueError):
    """The bytes say gzip and are not, or stop short."""


class TooLargeError(ValueError):
    """Decompressed, the file is larger than the policy's limit: a bomb, or not a training file."""


def gunzip(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """Decompress a gzip stream of any number of members, in pieces of at most `CHUNK_BYTES`.

    Raises `NotGzipError` for damaged or truncated data, and `TooLargeError` past `limit` bytes of output.
    """
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    total = 0
    for chunk in chunks:
        pending = chunk
        while pending:
            if inflater.eof:
                inflater = zlib.decompressobj(_GZIP_WINDOW)
            piece, pending = _inflate(inflater, pending)
            total += len(piece)
            if total > limit:
                raise TooLargeError(f"more than {limit} bytes after decompression")
            if piece:
                yield piece
    if not inflater.eof:
        raise NotGzipError("the gzip stream ends before its trailer")


def _inflate(inflater: "zlib._Decompress", data: bytes) -> tuple[bytes, bytes]:
    try:
        piece = inflater.decompress(data, CHUNK_BYTES)
    except zlib.error:
        raise NotGzipError("the gzip stream is damaged") from None
    return piece, inflater.unused_data if inflater.eof else inflater.unconsumed_tail
