"""Members of archives, taken out within bounds, and never by trust in what a header says of them."""

import bz2
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from tunegate.scan.weights.reading import Ranges, ReadLimitError, ShortReadError
from tunegate.scan.weights.signatures import Signature

_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_CHUNK = 256 * 1024
_BLOCK = 64 * 1024
_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22
_ZIP_COMMENT_BYTES = 65_535


class BombError(Exception):
    """An archive holds more than any model's does; the message says of what."""


class DamagedError(Exception):
    """An archive cannot be opened; the message says why."""


@dataclass(slots=True)
class Allowance:
    """What may still be taken out of a file's archives, over all their levels."""

    members: int = 2_000
    inflated: int = 512 * 1024**2
    member: int = 64 * 1024**2
    """Of one member, that much is looked at; tensors' data behind it is not."""
    ratio: int = 200
    """Weights hardly shrink at all; text shrinks to a tenth."""

    def spend(self, inflated: int) -> None:
        self.inflated -= inflated
        if self.inflated < 0:
            raise BombError("it inflates without end")


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its name as written, and its bytes, or the first of them where `whole` is False."""

    name: str
    data: bytes
    whole: bool
    fault: str = ""


def members(kind: Signature, ranges: Ranges, allowance: Allowance) -> Iterator[Member]:
    """The members of an archive, read one after the other.

    Raises `BombError` past the allowance, `DamagedError` for what cannot be opened, and what `Ranges` raises.
    """
    if kind is Signature.ZIP:
        yield from _zip(ranges, allowance)
    elif kind is Signature.TAR:
        yield from _tar(ranges, allowance)
    elif kind in _INFLATERS:
        yield _inflated(kind, ranges, allowance)
    else:
        raise DamagedError(f"{kind} cannot be opened here")


def ends_as_zip(ranges: Ranges) -> bool:
    """Whether a zip's end record lies at the end, followed by just the comment that it announces."""
    begin = max(ranges.size - _ZIP_END_BYTES - _ZIP_COMMENT_BYTES, 0)
    tail = ranges.read(begin, ranges.size)
    at = tail.rfind(_ZIP_END)
    while at >= 0:
        comment = int.from_bytes(tail[at + 20 : at + _ZIP_END_BYTES], "little")
        if at + _ZIP_END_BYTES + comment == len(tail):
            return True
        at = tail.rfind(_ZIP_END, 0, at)
    return False


class _File(io.RawIOBase):
    """Ranges as a file; behind a buffer, so that many small reads cost few ranged ones."""

    def __init__(self, ranges: Ranges) -> None:
        self._ranges = ranges
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._ranges.size}[whence]
        if self._at < 0:
            raise ValueError("a negative offset")
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer has no length
        data = self._ranges.read(self._at, self._at + len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _buffered(ranges: Ranges) -> io.BufferedReader:
    return io.BufferedReader(_File(ranges), _BLOCK)


def _zip(ranges: Ranges, allowance: Allowance) -> Iterator[Member]:
    """Members by the central directory, each read by its offset alone: flags, sums and second names may all lie."""
    try:
        listed = zipfile.ZipFile(_buffered(ranges)).infolist()
    except (ReadLimitError, ShortReadError):
        raise
    except Exception as error:  # noqa: BLE001 - zipfile raises struct.error, UnicodeError, OverflowError and its own
        raise DamagedError(f"its directory cannot be read ({type(error).__name__})") from None
    for info in sorted(listed, key=lambda info: info.compress_size):  # pickles are small; the tensors come last
        allowance.members -= 1
        if allowance.members < 0:
            raise BombError("it has too many members")
        yield _zip_member(info, ranges, allowance)


def _zip_member(info: zipfile.ZipInfo, ranges: Ranges, allowance: Allowance) -> Member:
    begin = info.header_offset
    header = ranges.read(begin, begin + _LOCAL_HEADER.size) if begin >= 0 else b""
    if len(header) < _LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
        return Member(info.filename, b"", whole=False, fault="its header is not where the directory says")
    fields = _LOCAL_HEADER.unpack(header)
    begin += _LOCAL_HEADER.size + fields[9] + fields[10]
    methods = dict.fromkeys((info.compress_type, fields[3], zipfile.ZIP_STORED))
    wanted = min(max(info.compress_size, fields[7]), allowance.member)
    packed = ranges.read(begin, begin + wanted)
    for method in methods:
        make = _ZIP_INFLATERS.get(method)
        if make is None:
            continue
        data, fault = _inflate(make(), packed, allowance)
        if data:
            return Member(info.filename, data, whole=not fault and len(packed) == info.compress_size, fault=fault)
    return Member(info.filename, b"", whole=info.file_size == 0, fault="" if info.file_size == 0 else "it is encrypted")


def _tar(ranges: Ranges, allowance: Allowance) -> Iterator[Member]:
    try:
        with tarfile.open(fileobj=_buffered(ranges), mode="r:") as archive:
            for info in archive:
                allowance.members -= 1
                if allowance.members < 0:
                    raise BombError("it has too many members")
                opened = archive.extractfile(info) if info.isreg() else None
                data = opened.read(allowance.member) if opened is not None else b""
                allowance.spend(len(data))
                yield Member(info.name, data, whole=len(data) == info.size)
    except (tarfile.TarError, ValueError, OverflowError, EOFError, KeyError) as error:
        raise DamagedError(f"it cannot be read to its end ({type(error).__name__})") from None


class _Inflater(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class _Stored:
    """No compression, in a decompressor's form."""

    eof = False

    def decompress(self, data: bytes, _max_length: int = -1, /) -> bytes:
        return data


class _Deflated:
    """zlib's decompressor with the interface of the others: input not used yet is kept inside."""

    def __init__(self, window: int) -> None:
        self._inner = zlib.decompressobj(window)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max(max_length, 0))


def _inflate(inflater: _Inflater, packed: bytes, allowance: Allowance) -> tuple[bytes, str]:
    """What comes out of `packed` before damage, its end or the bounds, and why it is not all."""
    parts: list[bytes] = []
    size = 0
    feed = packed
    while True:
        try:
            part = inflater.decompress(feed, _CHUNK)
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
            return b"".join(parts), "it is damaged"
        feed = b""
        allowance.spend(len(part))
        parts.append(part)
        size += len(part)
        if size > allowance.ratio * max(len(packed), _BLOCK):
            raise BombError(f"it inflates more than {allowance.ratio} times")
        if inflater.eof or isinstance(inflater, _Stored):
            return b"".join(parts), ""
        if size >= allowance.member:
            return b"".join(parts), "only its first part was looked at"
        if not part:
            return b"".join(parts), "it ends early"


def _inflated(kind: Signature, ranges: Ranges, allowance: Allowance) -> Member:
    packed = ranges.read(0, min(ranges.size, allowance.member))
    data, fault = _inflate(_INFLATERS[kind](), packed, allowance)
    if not data and fault:
        raise DamagedError(fault)
    return Member("", data, whole=not fault and len(packed) == ranges.size, fault=fault)


_INFLATERS: dict[Signature, Callable[[], _Inflater]] = {
    Signature.GZIP: lambda: _Deflated(16 + zlib.MAX_WBITS),
    Signature.BZIP2: bz2.BZ2Decompressor,
    Signature.XZ: lambda: lzma.LZMADecompressor(memlimit=256 * 1024**2),
}
_ZIP_INFLATERS: dict[int, Callable[[], _Inflater]] = {
    zipfile.ZIP_STORED: _Stored,
    zipfile.ZIP_DEFLATED: lambda: _Deflated(-zlib.MAX_WBITS),
    zipfile.ZIP_BZIP2: bz2.BZ2Decompressor,
}
