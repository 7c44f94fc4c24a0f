"""What hides in bytes that should be data: pickles, archives, programs, at any depth, within bounds."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from tunegate.model import Category
from tunegate.scan.eicar import EICAR
from tunegate.scan.weights.archives import Allowance, BombError, DamagedError, ends_as_zip, members
from tunegate.scan.weights.begins import TooManyError
from tunegate.scan.weights.findings import FileReport, shown, shown_path
from tunegate.scan.weights.payloads import (
    dangerous,
    decodings,
    pickles_at_begin,
    pickles_within,
)
from tunegate.scan.weights.pickles import PickleTrace
from tunegate.scan.weights.reading import BytesSource, Ranges
from tunegate.scan.weights.signatures import ARCHIVES, EXECUTABLES, MAGICS, Signature, signature

DEPTH = 5
LOOKED_AT = 16 * 1024**2
"""Of a file that is nothing Bedrock takes, so much is read to say what it is; it is flagged whatever the rest holds."""
_WITHIN = 4 * 1024**2
_MOST_SHOWN = 8
_SHORTEST_STRING = 12
"""A shorter string holds no call, encoded or not."""
_EICAR = EICAR.encode("ascii")
_BY_CHANCE = frozenset({Signature.GZIP, Signature.BZIP2, Signature.BYTECODE})
"""Kinds told by so few bytes that weights begin with them now and then."""
_BY_CHANCE_OPCODES = 3
_BZIP2_BLOCK = b"1AY&SY"


@dataclass(slots=True)
class Search:
    """One search of one file: where its findings go, and what its archives may still cost."""

    report: FileReport
    allowance: Allowance = field(default_factory=Allowance)

    def file(self, ranges: Ranges) -> None:
        """Look at a whole file of unknown kind. Raises what `Ranges` raises."""
        self._look(ranges, "", 0)
        if signature(ranges.head()) not in ARCHIVES:
            self.end(ranges)

    def data(self, data: bytes, where: str = "", depth: int = 0, offset: int = 0) -> None:
        """Look at bytes for what they are from the first on."""
        self._look(in_memory(data), where, depth, offset)

    def anywhere(self, data: bytes, where: str = "", offset: int = 0) -> None:
        """Look for pickles that begin anywhere in the bytes, and for the EICAR test file."""
        self._malware(data, where, offset)
        self._within(data, where, offset)

    def strings(self, texts: Iterable[bytes], where: str) -> None:
        """Look at strings, also at what they hold in base64 or hex."""
        for text in texts:
            if len(text) >= _SHORTEST_STRING:
                for data in decodings(text):
                    if _may_hide(data):
                        self.data(data, where, DEPTH - 2)

    def tensor(self, data: bytes, where: str, offset: int) -> None:
        """Look at the first bytes of a tensor, where any two of them may be a magic number by chance."""
        kind = signature(data)
        if kind in _BY_CHANCE and not _inflates(kind, data):
            kind = Signature.NONE
        if kind in ARCHIVES:
            self._archive(kind, in_memory(data), where, DEPTH - 1)
        elif kind in EXECUTABLES:
            self.report.unsafe("executable", f"{kind}{where}", offset)
        self._malware(data, where, offset)
        for trace in pickles_at_begin(data):
            if trace.invokes or (trace.sound and not trace.fault and trace.opcodes > _BY_CHANCE_OPCODES):
                self._pickle(trace, data, where, DEPTH, offset)

    def end(self, ranges: Ranges) -> None:
        """Look at how a file ends: loaders find a zip by its end, whatever stands before it."""
        if ends_as_zip(ranges):
            self._archive(Signature.ZIP, ranges, " at the end of the file", 0)

    def _look(self, ranges: Ranges, where: str, depth: int, offset: int = 0) -> None:
        head = ranges.head()
        kind = signature(head)
        if kind in ARCHIVES:
            self._archive(kind, ranges, where, depth)
            return
        if kind in EXECUTABLES:
            self.report.unsafe("executable", f"{kind}{where}", offset)
            return
        data = ranges.read(0, min(ranges.size, LOOKED_AT))
        self._malware(data, where, offset)
        if kind is Signature.NUMPY:
            data = data[_numpy_header(data) :]
        self._pickles(data, where, depth, offset)

    def _pickles(self, data: bytes, where: str, depth: int, offset: int) -> None:
        end = 0
        for trace in pickles_at_begin(data):
            self._pickle(trace, data, where, depth, offset)
            end = trace.end
        if end < len(data) and depth < 2:
            self._within(data[end : end + _WITHIN], where, offset + end)

    def _within(self, data: bytes, where: str, offset: int) -> None:
        try:
            for trace in pickles_within(data):
                self._pickle(trace, data, where, DEPTH - 1, offset)
        except TooManyError:
            self.report.unread = "it holds more bytes that look like pickles than can be followed"

    def _pickle(self, trace: PickleTrace, data: bytes, where: str, depth: int, offset: int) -> None:
        names = [shown(str(found)) for found in dangerous(trace)]
        if names:
            more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
            detail = f"a pickle{where} that calls {', '.join(names[:_MOST_SHOWN])}{more} when it is loaded"
            self.report.unsafe("pickle_call", detail, offset + trace.start)
        else:
            self.report.unsafe("pickle", f"a pickle{where}", offset + trace.start)
        if depth < DEPTH - 1:
            for begin, end in trace.strings:
                for held in decodings(data[begin:end]):
                    self.data(held, " inside a pickle's string", depth + 2, offset + begin)

    def _archive(self, kind: Signature, ranges: Ranges, where: str, depth: int) -> None:
        self.report.unsafe("archive", f"a {kind} archive{where}")
        if depth >= DEPTH:
            self.report.unsafe("archive_bomb", f"archives in archives more than {DEPTH} deep")
            return
        try:
            for number, member in enumerate(members(kind, ranges, self.allowance), 1):
                inner = f" in its member {shown_path(member.name, str(number))}" if member.name else f" in {kind}"
                self.data(member.data, inner, depth + 1)
        except BombError as bomb:
            self.report.unsafe("archive_bomb", f"a {kind} archive{where}: {bomb}")
        except DamagedError as damage:
            self.report.unsafe("archive", f"a {kind} archive{where}: {damage}")

    def _malware(self, data: bytes, where: str, offset: int) -> None:
        at = data.find(_EICAR)
        if at >= 0:
            self.report.add(Category.MALWARE, "EICAR_TEST_FILE", f"the EICAR test file{where}", offset + at)


def _may_hide(data: bytes) -> bool:
    """A cheap look that clears nearly every word of a vocabulary: what hides has a magic number, or names a global."""
    return len(data) >= len(_EICAR) or data.startswith((*MAGICS, b"\x80")) or b"\n" in data or b"\x93" in data


def in_memory(data: bytes) -> Ranges:
    return Ranges(BytesSource(data), 4 * len(data) + LOOKED_AT)  # an archive's readers read some of it again


def _inflates(kind: Signature, data: bytes) -> bool:
    """Whether a magic number is followed by what its format needs."""
    if kind is Signature.BZIP2:
        return data[4:10] == _BZIP2_BLOCK
    if kind is not Signature.GZIP:
        return False
    try:
        return bool(zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(data, 64))
    except zlib.error:
        return False


def _numpy_header(data: bytes) -> int:
    """The length of a NumPy file's header, behind which object arrays are pickles."""
    wide = data[6:7] > b"\x01"
    length = int.from_bytes(data[8 : 12 if wide else 10], "little")
    return (12 if wide else 10) + length
