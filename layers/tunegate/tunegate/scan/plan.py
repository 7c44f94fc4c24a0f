"""What a file is, and how its scan is cut into shards."""

from pathlib import PurePosixPath

import orjson

from tunegate.facts import Content, Shard
from tunegate.scan.lines import BOM
from tunegate.scan.source import CHUNK_BYTES, NotGzipError, TooLargeError, gunzip

SAMPLE_BYTES = 64 * 1024
GZIP_MAGIC = b"\x1f\x8b"
MOST_SHARDS = 2_000
"""A step's payload is bounded by 256 KiB: two thousand ranges take 115 kB of it, and their results 30 kB more."""

_TEXT_SUFFIXES = {".txt", ".text", ".md"}
_JSON_SUFFIXES = {".jsonl", ".json", ".ndjson"}


def is_gzip(head: bytes) -> bool:
    return head.startswith(GZIP_MAGIC)


def content_of(name: str, head: bytes) -> Content:
    """What a file holds, by its first bytes (decompressed, at most `SAMPLE_BYTES`) and, in doubt, by its name."""
    if not head.strip():
        return Content.EMPTY
    if b"\0" in head or not _is_utf8(head):
        # A JSONL or text file with a bad byte is read on, line by line, and reported; anything else is not text.
        return _by_name(name) if _mostly_text(head) else Content.UNREADABLE
    if _by_name(name) is not Content.UNREADABLE:
        return _by_name(name)
    return Content.JSONL if _begins_with_json(head) else Content.TEXT


def plan(size: int, *, gzipped: bool, shard_bytes: int) -> tuple[Shard, ...]:
    """Ranges that cover a file of `size` bytes. A gzip stream has no entry points, so it is one shard."""
    if gzipped or size <= shard_bytes:
        return (Shard(0, 0, None),)
    step = max(shard_bytes, -(-size // MOST_SHARDS))
    starts = range(0, size, step)
    return tuple(Shard(i, start, start + step if start + step < size else None) for i, start in enumerate(starts))


def sample_of(head: bytes) -> bytes:
    """The first text of a file from its first bytes, decompressed where they are gzip; empty where that fails."""
    if not is_gzip(head):
        return head
    text = b""
    try:
        for piece in gunzip(iter([head]), CHUNK_BYTES + SAMPLE_BYTES):
            text += piece
            if len(text) >= SAMPLE_BYTES:
                break
    except (NotGzipError, TooLargeError):
        # A sample is cut short by design; the scan itself judges damage and size over the whole stream.
        return text[:SAMPLE_BYTES]
    return text[:SAMPLE_BYTES]


def _by_name(name: str) -> Content:
    suffixes = [suffix.lower() for suffix in PurePosixPath(name).suffixes if suffix.lower() not in {".gz", ".gzip"}]
    last = suffixes[-1] if suffixes else ""
    if last in _JSON_SUFFIXES:
        return Content.JSONL
    return Content.TEXT if last in _TEXT_SUFFIXES else Content.UNREADABLE


def _is_utf8(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The sample may end inside a character.
        return len(head) >= SAMPLE_BYTES - 4 and error.end >= len(head) - 3
    return True


def _mostly_text(head: bytes) -> bool:
    strange = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)
    return strange * 20 < len(head)


def _begins_with_json(head: bytes) -> bool:
    line = head.removeprefix(BOM).lstrip().split(b"\n", 1)[0]
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return line.startswith(b"{")
