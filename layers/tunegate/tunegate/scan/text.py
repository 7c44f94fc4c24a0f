"""The scan of a text shard: every record through form, screen and services, into one report."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol

from tunegate.model import Detection, Record, Text
from tunegate.policy import Policy
from tunegate.scan.form import Form
from tunegate.scan.language import language_of
from tunegate.scan.lines import Line
from tunegate.scan.records import Parsed, Reader
from tunegate.scan.report import ShardReport
from tunegate.scan.sifted import Sifted


class RecordScreen(Protocol):
    """The built-in screen."""

    def sift(self, lines: Sequence[Line], form: Form) -> Sifted:
        """Which of the lines have to be read; in all others nothing is found."""
        ...

    def screen_all(self, records: Sequence[Parsed]) -> Iterable[Sequence[Detection]]:
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

    def run(self, records: Sequence[Parsed], suspect: Container[int]) -> Iterator[Iterator[Detection]]:
        """What is found in each record, in order; the screen reads those on the lines in `suspect`."""
        ask = self.ask
        screened = iter(self.screen.screen_all([parsed for parsed in records if parsed.line in suspect]))
        for parsed in records:
            found = next(screened) if parsed.line in suspect else ()
            record = parsed.record if ask else None
            yield iter(found) if record is None else chain(found, self._asked(record))

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
"""Lines are screened together up to this size: one pass over many is far cheaper than many over one."""


def scan_records(lines: Iterable[Line], reader: Reader, checks: Checks, policy: Policy) -> ShardReport:
    """Scan the lines of a shard. Only what the policy keeps enters the report."""
    report = ShardReport()
    for batch in _batches(lines):
        _scan_batch(batch, reader, checks, policy, report)
    _keep(checks.finish(), policy, report)
    return report


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    batch: list[Line] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line.data or b"") + 1
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _scan_batch(batch: Sequence[Line], reader: Reader, checks: Checks, policy: Policy, report: ShardReport) -> None:
    sifted = checks.screen.sift(batch, reader.form)
    to_read = [batch[at] for at in sifted.to_read]
    if not checks.ask:
        report.records += sifted.clean
        for shape, at in sifted.shapes():
            report.saw_shape(shape, batch[at].number)
    parsed = list(reader.read(batch if checks.ask else to_read))
    found = checks.run([item for item in parsed if item.is_record], {line.number for line in to_read})
    for item in parsed:
        if item.shape is not None:
            report.saw_shape(item.shape, item.line)
        if item.faults:
            _keep(item.faults, policy, report)
        if item.is_record:
            report.records += 1
            _keep(next(found), policy, report)
    report.lines = batch[-1].number


def _keep(detections: Iterable[Detection], policy: Policy, report: ShardReport) -> None:
    for detection in detections:
        if policy.keeps(detection):
            report.add(detection)
