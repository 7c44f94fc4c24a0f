"""Looks into a valid safetensors file's data where something else would hide, at a cost that no shard's size moves."""

from collections.abc import Iterator

from tunegate.scan.weights.findings import FileReport, Tensor, shown
from tunegate.scan.weights.inside import Search
from tunegate.scan.weights.reading import Ranges
from tunegate.scan.weights.signatures import Signature, signature

PROBE_BYTES = 256 * 1024
"""Read of the tensors' data in all; a file no larger is looked through from end to end."""
_MOST_PROBES = 32
_EACH = 4 * 1024
_BYTES_EACH = 64 * 1024
_BYTE_DTYPES = frozenset({"U8", "I8", "BOOL"})


def examine_data(ranges: Ranges, tensors: tuple[Tensor, ...], report: FileReport) -> None:
    """Look for archives, pickles and programs at the begins of tensors and at the end. Raises what `Ranges` raises."""
    search = Search(report)
    if signature(ranges.head()) is Signature.TAR:
        report.unsafe("archive", "the file is a tar archive as well")
    search.end(ranges)
    if ranges.size <= PROBE_BYTES:
        begin = tensors[0].begin
        search.anywhere(ranges.read(begin, ranges.size), " in the tensors' data", begin)
    for tensor, end in _chosen(tensors):
        where = f" in tensor {shown(tensor.name, 'data')}"
        search.tensor(ranges.read(tensor.begin, end), where, tensor.begin)


def _chosen(tensors: tuple[Tensor, ...]) -> Iterator[tuple[Tensor, int]]:
    """Which tensors to look at and up to where: those of bytes first, then the smallest."""
    left = PROBE_BYTES
    ordered = sorted(tensors, key=lambda tensor: (tensor.dtype not in _BYTE_DTYPES, tensor.size))
    for tensor in [tensor for tensor in ordered if tensor.size][:_MOST_PROBES]:
        wanted = min(tensor.size, _BYTES_EACH if tensor.dtype in _BYTE_DTYPES else _EACH, left)
        if wanted <= 0:
            return
        left -= wanted
        yield tensor, tensor.begin + wanted
