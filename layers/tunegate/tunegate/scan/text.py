"""The scan of a text shard: every record through form, screen and services, into one report."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tunegate.model import Detection, Record, Text
from tunegate.policy import Policy
from tunegate.scan.language import language_of
from tunegate.scan.records import Parsed
from tunegate.scan.report import ShardReport


class RecordScreen(Protocol):
    """The built-in screen."""

    def screen(self, record: Record) -> list[Detection]: ...


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

    def run(self, record: Record) -> Iterator[Detection]:
        yield from self.screen.screen(record)
        language = language_of(" ".join(text.value for text in record.texts)) if self._services() else ""
        for services in (self.pii, self.toxicity):
            if language in services:
                for text in record.texts:
                    yield from services[language].add(record.line, text)
        if self.prompts is not None:
            yield from self.prompts.check(record, with_pii=language not in self.pii)

    def finish(self) -> Iterator[Detection]:
        for service in (*self.pii.values(), *self.toxicity.values()):
            yield from service.finish()

    def _services(self) -> bool:
        return bool(self.pii or self.toxicity or self.prompts)


def scan_records(parsed: Iterable[Parsed], checks: Checks, policy: Policy) -> ShardReport:
    """Scan the records of a shard. Only what the policy keeps enters the report."""
    report = ShardReport()
    for item in parsed:
        for detection in _detections(item, checks, report):
            if policy.keeps(detection):
                report.add(detection)
    for detection in checks.finish():
        if policy.keeps(detection):
            report.add(detection)
    return report


def _detections(item: Parsed, checks: Checks, report: ShardReport) -> Iterator[Detection]:
    report.lines = item.line
    if item.shape is not None:
        report.saw_shape(item.shape, item.line)
    yield from item.faults
    if item.record is not None:
        report.records += 1
        yield from checks.run(item.record)
