"""Pickles in bytes of any kind: at the begin, one after the other, anywhere inside, or encoded in a string."""

import base64
import binascii
import re
from collections.abc import Iterator

from tunegate.scan.weights.begins import TooManyError, likely_begins
from tunegate.scan.weights.pickles import Global, PickleTrace, read_pickle

MOST_STREAMS = 64
MOST_TRIES = 100_000
MOST_TRIED_OPCODES = 200_000
_TRY_OPCODES = 1_000
_SHORTEST = 4
_SHORTEST_ENCODED = 16

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){8,}")

INNOCUOUS = frozenset(
    Global(module, name)
    for module, names in {
        "collections": "OrderedDict defaultdict",
        "torch": "Size device dtype float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 bool FloatStorage "
        "HalfStorage BFloat16Storage DoubleStorage LongStorage IntStorage ShortStorage CharStorage ByteStorage "
        "BoolStorage",
        "torch.storage": "UntypedStorage TypedStorage",
        "torch._utils": "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter",
        "numpy": "ndarray dtype",
        "numpy.core.multiarray": "_reconstruct scalar",
        "numpy._core.multiarray": "_reconstruct scalar",
        "_codecs": "encode",
        "builtins": "set frozenset bytearray complex list dict tuple int float str bytes bool slice range object",
        "__builtin__": "set frozenset bytearray complex list dict tuple int float str bool slice xrange object",
    }.items()
    for name in names.split()
)
"""What the pickles of honest checkpoints name, none of which can do harm. They are still pickles, and still flagged."""


def pickles_at_begin(data: bytes) -> Iterator[PickleTrace]:
    """The pickles that a loader would meet from the first byte on, one after the other."""
    at = 0
    for _ in range(MOST_STREAMS):
        trace = read_pickle(data, at)
        if not is_pickle(trace, whole=trace.end == len(data)):
            return
        yield trace
        at = trace.end
        if trace.fault or at >= len(data):
            return


def pickles_within(data: bytes, start: int = 0) -> Iterator[PickleTrace]:
    """Pickles that begin anywhere from `start` on and would call or import something if loaded from there.

    Raises `TooManyError` where the bytes hold so many likely begins that not all can be tried.
    """
    done, opcodes = start, 0
    for tries, begin in enumerate(likely_begins(data, start)):
        if tries > MOST_TRIES or opcodes > MOST_TRIED_OPCODES:
            raise TooManyError
        if begin < done:
            continue
        trace = read_pickle(data, begin, _TRY_OPCODES)
        opcodes += trace.opcodes
        if trace.invokes or (trace.header and trace.sound and not trace.fault and trace.opcodes >= _SHORTEST):
            yield trace
            done = trace.end


def is_pickle(trace: PickleTrace, *, whole: bool) -> bool:
    """Whether bytes that could be followed so far are a pickle, though perhaps a broken one.

    With a header, two more opcodes tell, or one that imports: what is cut off behind it is imported all the same.
    Without a header, a call does, or a sound run to a STOP that ends the data.
    """
    if trace.header and (trace.opcodes > 2 or any(map(_is_named, trace.imports))):
        return True
    return trace.invokes or (whole and not trace.fault and trace.sound and trace.opcodes > 1)


def _is_named(found: Global) -> bool:
    """Whether its module can be one's name, as bytes that only look like a pickle's rarely spell."""
    return all(part.isidentifier() for part in found.module.split("."))


def dangerous(trace: PickleTrace) -> list[Global]:
    """What loading it would import besides the innocuous: called first."""
    return [found for found in {**trace.calls, **trace.imports} if found not in INNOCUOUS]


def decodings(text: bytes) -> Iterator[bytes]:
    """The text itself and what it holds in base64 or hex, where it is nothing else."""
    yield text
    if len(text) < _SHORTEST_ENCODED:
        return
    bare = text.strip()
    if _HEX.fullmatch(bare):
        yield bytes.fromhex(bare.decode("ascii"))
    if _BASE64.fullmatch(bare):
        standard = bare.replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
        try:
            yield base64.b64decode(standard + b"=" * (-len(standard) % 4))
        except binascii.Error:
            return
