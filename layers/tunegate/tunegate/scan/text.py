"""The scan of a text shard: every record through form, screen and services, into one report."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol

from tunegate.model import Detection, Record, Text
from tunegate.policy import Policy
from tunegate.scan.form import Form
from tunegate.scan.language import language_of
from tunegate.scan.lines import Block, Line
from tunegate.scan.records import Reader
from tunegate.scan.report import ShardReport
from tunegate.scan.sifted import Sifted


class RecordScreen(Protocol):
    """The built-in screen."""

    def sift(self, block: Block, form: Form) -> Sifted:
        """Which of the lines have to be read; in all others nothing is found."""
        ...

    def screen_all(self, records: Sequence[Record]) -> Iterable[Sequence[Detection]]:
        """What is found in each record, in order."""
        ...


class TextScan(Protocol):
    """A service that is handed texts one by one and may answer later, when it has enough of them for a call."""

    def add(self, line: int, text: Text) -> Iterator[Detection]: ...
    def finish(self) -> Iterator[Detection]: ...


class PromptCheck(Protocol):
    """What judges prompt attacks besides the built-in screen."""

    def check(self, record: Record, *, with_pii: bool) -> Iterator[Detection]:
        """Attacks in the record; sensitive data too where `with_pii` says that no other service knows its language."""
        ...


@dataclass(frozen=True, slots=True)
class Checks:
    """Everything a record goes through. Services are absent in the pre-flight, or where the policy leaves them out.

    `pii` and `toxicity` are keyed by the language they understand.
    """

    screen: RecordScreen
    pii: Mapping[str, TextScan] = field(default_factory=dict)
    toxicity: Mapping[str, TextScan] = field(default_factory=dict)
    prompts: PromptCheck | None = None

    @property
    def ask(self) -> bool:
        """Whether services are asked, which see every text."""
        return bool(self.pii or self.toxicity or self.prompts)

    def run(self, records: Sequence[Record], suspect: Container[int]) -> Iterator[Iterator[Detection]]:
        """What is found in each record, in order; the screen reads those on the lines in `suspect`."""
        screened = iter(self.screen.screen_all([record for record in records if record.line in suspect]))
        for record in records:
            found = next(screened) if record.line in suspect else ()
            yield chain(found, self._asked(record)) if self.ask else iter(found)

    def _asked(self, record: Record) -> Iterator[Detection]:
        language = language_of(" ".join(text.value for text in record.texts))
        for services in (self.pii, self.toxicity):
            if language in services:
                for text in record.texts:
                    yield from services[language].add(record.line, text)
        if self.prompts is not None:
            yield from self.prompts.check(record, with_pii=language not in self.pii)

    def finish(self) -> Iterator[Detection]:
        for service in (*self.pii.values(), *self.toxicity.values()):
            yield from service.finish()


BATCH_BYTES = 1 << 19
"""Lines that have to be read are read together up to this size: one pass over many is cheaper than many over one."""


@dataclass(slots=True)
class _Batch:
    """Lines to read. `suspect` are the numbers of those that the screen reads; services read all."""

    lines: list[Line] = field(default_factory=list)
    suspect: set[int] = field(default_factory=set)
    size: int = 0

    def add(self, lines: Iterable[Line], suspect: Iterable[Line]) -> None:
        for line in lines:
            self.lines.append(line)
            self.size += len(line.data or b"") + 1
        self.suspect.update([line.number for line in suspect])


def scan_records(blocks: Iterable[Block], reader: Reader, checks: Checks, policy: Policy) -> ShardReport:
    """Scan the lines of a shard. Only what the policy keeps enters the report."""
    report = ShardReport()
    batch = _Batch()
    for block in blocks:
        sifted = checks.screen.sift(block, reader.form)
        if checks.ask:
            batch.add(block.lines(), sifted.to_read)
        else:
            batch.add(sifted.to_read, sifted.to_read)
            report.saw_clean(sifted.clean, sifted.shapes(), block.number)
        report.lines += len(sifted.said)
        if batch.size >= BATCH_BYTES:
            _scan_batch(batch, reader, checks, policy, report)
            batch = _Batch()
    _scan_batch(batch, reader, checks, policy, report)
    _keep(checks.finish(), policy, report)
    return report


def _scan_batch(batch: _Batch, reader: Reader, checks: Checks, policy: Policy, report: ShardReport) -> None:
    parsed = list(reader.read(batch.lines))
    found = checks.run([item.record for item in parsed if item.record is not None], batch.suspect)
    for item in parsed:
        if item.shape is not None:
            report.saw_shape(item.shape, item.line)
        _keep(item.faults, policy, report)
        if item.record is not None:
            report.records += 1
            _keep(next(found), policy, report)


def _keep(detections: Iterable[Detection], policy: Policy, report: ShardReport) -> None:
    for detection in detections:
        if policy.keeps(detection):
            report.add(detection)
