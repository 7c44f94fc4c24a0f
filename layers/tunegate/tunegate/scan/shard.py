"""One shard of a text file, from bytes to report."""

from collections.abc import Iterator
from dataclasses import dataclass

from tunegate.facts import Content, Shard
from tunegate.model import Category, Detection, Place
from tunegate.policy import Policy
from tunegate.scan.form import Form
from tunegate.scan.lines import read_blocks
from tunegate.scan.records import Reader
from tunegate.scan.report import ShardReport
from tunegate.scan.source import NotGzipError, Source, TooLargeError, gunzip
from tunegate.scan.text import Checks, scan_records


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file to scan: `trusted_buckets` are those its records may refer to, None where they are not known."""

    source: Source
    content: Content
    gzipped: bool
    trusted_buckets: frozenset[str] | None = None


def scan_shard(file: TextFile, shard: Shard, checks: Checks, policy: Policy) -> ShardReport:
    """Scan the lines that begin in the shard. A gzip stream that is damaged or too large is a finding, not an error."""
    chunks = file.source.chunks(max(shard.start - 1, 0), file.source.size)
    if file.gzipped:
        chunks = gunzip(chunks, policy.limits.object_bytes)
    blocks = read_blocks(chunks, start=shard.start, end=shard.end, record_bytes=policy.limits.record_bytes)
    reader = Reader(Form.TEXT if file.content is Content.TEXT else Form.JSONL, file.trusted_buckets)
    failure = _Failure()
    report = scan_records(failure.watch(blocks), reader, checks, policy)
    if failure.kind:
        report.add(Detection(Category.FORMAT, failure.kind, Place(report.lines + 1), detector="form"))
    return report


class _Failure:
    """Ends the lines where the stream breaks, so that what was read before it still counts."""

    def __init__(self) -> None:
        self.kind = ""

    def watch[T](self, blocks: Iterator[T]) -> Iterator[T]:
        try:
            yield from blocks
        except NotGzipError:
            self.kind = "damaged_gzip"
        except TooLargeError:
            self.kind = "too_large"
