"""A safetensors file, validated by its header alone, at least as strictly as the reference implementation does.

The format: a little-endian u64 N, N bytes of JSON, then the tensors' data. The header names each tensor's dtype, shape
and range in the data; the ranges lie side by side from 0 to the file's end.
"""

from collections.abc import Iterator
from itertools import pairwise
from math import prod

from tunegate.scan.weights.documents import DuplicateKeyError, StrictJsonError, encoded_strings, strict_json
from tunegate.scan.weights.findings import FileReport, Tensor, shown
from tunegate.scan.weights.inside import Search
from tunegate.scan.weights.reading import Ranges

REFERENCE_HEADER_BYTES = 100_000_000
HEADER_BYTES = 16 * 1024**2
"""No importable model's header comes near; a longer one within the reference's limit is refused unread."""
METADATA_BYTES = 1024**2
_STRAY_BYTES = 1024**2
_LENGTH = 8
_MOST_INTEGER = 2**64 - 1
_MOST_DIMENSIONS = 64

DTYPE_BITS = {
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "C64": 64,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}
"""Bits of one element; the names are those of the reference."""


class HeaderError(Exception):
    """The file is no valid safetensors file; the message says why. `at` is where bytes lie that no tensor owns."""

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message)
        self.at = at


def examine_safetensors(ranges: Ranges, report: FileReport) -> None:
    """Validate the header and set `report.tensors`; every fault becomes a finding. Raises what `Ranges` raises."""
    try:
        begin, header = _header(ranges)
        tensors = tuple(sorted(_tensors(header, begin), key=lambda tensor: (tensor.begin, tensor.end)))
        _side_by_side(tensors, begin, ranges.size)
    except HeaderError as fault:
        report.malformed("safetensors", str(fault), fault.at)
        if fault.at is not None:
            data = ranges.read(fault.at, fault.at + _STRAY_BYTES)
            Search(report).data(data, " in bytes that no tensor owns", offset=fault.at)
        return
    report.tensors = tensors
    _metadata(header.get("__metadata__"), report)


def _header(ranges: Ranges) -> tuple[int, dict[str, object]]:
    """Where the data begins, and the header."""
    if ranges.size < _LENGTH:
        raise HeaderError(f"{ranges.size} bytes are too few for a header's length")
    length = int.from_bytes(ranges.read(0, _LENGTH), "little")
    if length > REFERENCE_HEADER_BYTES:
        raise HeaderError(f"the header's length of {length} bytes is over the format's limit")
    if length + _LENGTH > ranges.size:
        raise HeaderError(f"the header's length of {length} bytes reaches beyond the file's {ranges.size}")
    if length > HEADER_BYTES:
        raise HeaderError(f"a header of {length} bytes is larger than any model needs")
    raw = ranges.read(_LENGTH, _LENGTH + length)
    if not raw.startswith(b"{"):
        raise HeaderError("the header does not begin with {")
    try:
        header = strict_json(raw.rstrip(b" "))
    except DuplicateKeyError:
        raise HeaderError("the header holds a key twice") from None
    except StrictJsonError as fault:
        raise HeaderError(f"the header: {fault}") from None
    if not isinstance(header, dict):
        raise HeaderError("the header is no JSON object")
    return _LENGTH + length, header


def _tensors(header: dict[str, object], begin: int) -> Iterator[Tensor]:
    for number, (name, info) in enumerate(header.items(), 1):
        if name != "__metadata__":
            yield _tensor(name, shown(name, f"number {number}"), info, begin)


def _tensor(name: str, label: str, info: object, begin: int) -> Tensor:
    if not isinstance(info, dict) or set(info) != {"dtype", "shape", "data_offsets"}:
        raise HeaderError(f"tensor {label} is not described by dtype, shape and data_offsets alone")
    dtype, shape, offsets = info["dtype"], info["shape"], info["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPE_BITS:
        raise HeaderError(f"tensor {label} has an unknown dtype")
    if not _all_sizes(shape) or not _all_sizes(offsets) or len(offsets) != 2:
        raise HeaderError(f"tensor {label} has a shape or offsets that are no sizes")
    first, end = offsets
    bits = prod(shape) * DTYPE_BITS[dtype]
    if first > end or bits % 8 or prod(size for size in shape if size) * DTYPE_BITS[dtype] > _MOST_INTEGER:
        raise HeaderError(f"tensor {label} has an impossible shape or offsets")
    if end - first != bits // 8:
        raise HeaderError(f"tensor {label} takes {end - first} bytes where its shape needs {bits // 8}")
    return Tensor(name, dtype, begin + first, begin + end)


def _all_sizes(value: object) -> bool:
    """Sizes as the reference takes them: no float, no boolean, none negative, and no product worth an attack."""
    if not isinstance(value, list) or len(value) > _MOST_DIMENSIONS:
        return False
    return all(type(size) is int and 0 <= size <= _MOST_INTEGER for size in value)


def _side_by_side(tensors: tuple[Tensor, ...], begin: int, size: int) -> None:
    if not tensors:
        raise HeaderError("it holds no tensor")
    if tensors[0].begin != begin:
        raise HeaderError(f"a hole of {tensors[0].begin - begin} bytes before the first tensor", begin)
    for before, after in pairwise(tensors):
        label = shown(after.name, "a tensor")
        if after.begin < before.end:
            raise HeaderError(f"{label} overlaps the tensor before it by {before.end - after.begin} bytes")
        if after.begin > before.end:
            raise HeaderError(f"a hole of {after.begin - before.end} bytes before {label}", before.end)
    missing = tensors[-1].end - size
    if missing > 0:
        raise HeaderError(f"the data is cut short by {missing} bytes")
    if missing < 0:
        raise HeaderError(f"{-missing} bytes follow the last tensor", tensors[-1].end)


def _metadata(metadata: object, report: FileReport) -> None:
    """`__metadata__` is free text for people: strings only, not many, and nothing hidden in them."""
    if metadata is None:
        return
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        report.malformed("safetensors", "__metadata__ holds more than strings")
        return
    if sum(len(key) + len(value) for key, value in metadata.items()) > METADATA_BYTES:
        report.malformed("safetensors", f"__metadata__ holds more than {METADATA_BYTES} characters")
        return
    Search(report).strings(encoded_strings([*metadata, *metadata.values()]), " in __metadata__")
