"""The scan of a text shard: every record through form, screen and services, into one report."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol

from tunegate.model import Detection, Record, Text
from tunegate.policy import Policy
from tunegate.scan.language import language_of
from tunegate.scan.records import Parsed
from tunegate.scan.report import ShardReport


class RecordScreen(Protocol):
    """The built-in screen."""

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

    def run(self, records: Sequence[Parsed]) -> Iterator[Iterator[Detection]]:
        """What is found in each record, in order."""
        asks = bool(self.pii or self.toxicity or self.prompts)
        for parsed, found in zip(records, self.screen.screen_all(records), strict=True):
            record = parsed.record if asks else None
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


BATCH_CHARACTERS = 1 << 19
"""Lines are screened together up to so much text: one pass over many is far cheaper than many over one."""
BATCH_BYTES = 4 * BATCH_CHARACTERS
"""And up to so long lines: parsed, a line of no text at all may take twenty-five times its bytes of memory."""


def scan_records(parsed: Iterable[Parsed], checks: Checks, policy: Policy) -> ShardReport:
    """Scan the records of a shard. Only what the policy keeps enters the report."""
    report = ShardReport()
    for batch in _batches(parsed):
        _scan_batch(batch, checks, policy, report)
    _keep(checks.finish(), policy, report)
    return report


def _batches(parsed: Iterable[Parsed]) -> Iterator[list[Parsed]]:
    batch: list[Parsed] = []
    characters = size = 0
    for item in parsed:
        batch.append(item)
        characters += sum(map(len, item.strings)) + 1
        size += item.size
        if characters >= BATCH_CHARACTERS or size >= BATCH_BYTES:
            yield batch
            batch, characters, size = [], 0, 0
    if batch:
        yield batch


def _scan_batch(batch: Sequence[Parsed], checks: Checks, policy: Policy, report: ShardReport) -> None:
    found = checks.run([item for item in batch if item.is_record])
    for item in batch:
        report.lines = item.line
        if item.shape is not None:
            report.saw_shape(item.shape, item.line)
        _keep(item.faults, policy, report)
        if item.is_record:
            report.records += 1
            _keep(next(found), policy, report)


def _keep(detections: Iterable[Detection], policy: Policy, report: ShardReport) -> None:
    for detection in detections:
        if policy.keeps(detection):
            report.add(detection)
