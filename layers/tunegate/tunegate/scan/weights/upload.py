"""A whole model upload: each file examined as what it claims to be, then all of them against each other.

    facts = examine_upload([ModelFile("config.json", source), ModelFile("model.safetensors", source)])

A shard costs its header and a fixed number of looks into its data; any file at most `FILE_BYTES`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tunegate.scan.source import Source
from tunegate.scan.weights.config import ConfigFacts, config_facts
from tunegate.scan.weights.examine import examine
from tunegate.scan.weights.findings import FileReport
from tunegate.scan.weights.index import examine_index
from tunegate.scan.weights.kinds import Kind, kind_of
from tunegate.scan.weights.reading import Ranges, ReadLimitError, ShortReadError

FILE_BYTES = 160 * 1024**2


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of an upload: `name` is relative to the upload's prefix, `source` its bytes."""

    name: str
    source: Source


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What was seen in an upload: one report a file, in the upload's order, and what its config says."""

    files: tuple[FileReport, ...]
    config: ConfigFacts | None

    @property
    def bytes_read(self) -> int:
        return sum(report.bytes_read for report in self.files)

    @property
    def shards(self) -> tuple[FileReport, ...]:
        return tuple(report for report in self.files if kind_of(report.file) is Kind.WEIGHTS)


def examine_upload(files: Iterable[ModelFile]) -> ModelFacts:
    """Examine every file, then the index against the shards. Raises what the sources raise, and nothing else."""
    reports = [examine_file(file) for file in files]
    config = next((report for report in reports if kind_of(report.file) is Kind.CONFIG), None)
    facts = ModelFacts(tuple(reports), config_facts(config.file, config.document) if config else None)
    index = next((report for report in reports if kind_of(report.file) is Kind.INDEX), None)
    if index is None or index.document is not None:
        examine_index(index, {shard.file: shard for shard in facts.shards})
    return facts


def examine_file(file: ModelFile) -> FileReport:
    """Examine one file. What could not be read is said in `unread`, and is never a pass."""
    report = FileReport(file.name, file.source.size)
    ranges = Ranges(file.source, FILE_BYTES)
    try:
        examine(kind_of(file.name), ranges, report)
    except ReadLimitError:
        report.unread = f"judging it takes more than {FILE_BYTES} bytes"
    except ShortReadError:
        report.unread = "its bytes could not all be read"
    report.bytes_read = ranges.bytes_read
    return report
