"""What a scan of a shard says: counts and places, never text. Shards' reports add up to the file's."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tunegate.model import Category, Detection, Place

MOST_ENTRIES = 2_000
"""Places listed one by one, of a shard and of a file; beyond, they still count in `totals`."""
MOST_OFFSETS = 10


class Subject(NamedTuple):
    """What detections are counted by."""

    category: Category
    type: str
    line: int
    pointer: str


@dataclass(slots=True)
class Entry:
    """All detections of one type at one line and pointer."""

    count: int = 0
    score: float = 0.0
    detectors: set[str] = field(default_factory=set)
    offsets: list[tuple[int, int]] = field(default_factory=list)

    def add(self, detection: Detection) -> None:
        self.confirm(detection)
        self.count += 1
        if len(self.offsets) < MOST_OFFSETS:
            self.offsets.append((detection.place.begin, detection.place.end))

    def confirm(self, detection: Detection) -> None:
        """Take note that another detector saw what is counted already."""
        self.score = max(self.score, detection.score)
        self.detectors.add(detection.detector)

    def overlaps(self, place: Place) -> bool:
        return any(place.begin < end and begin < place.end for begin, end in self.offsets)


@dataclass(slots=True)
class ShardReport:
    """The scan of the lines of one shard. Line numbers count from the shard's first line."""

    lines: int = 0
    records: int = 0
    shapes: dict[str, int] = field(default_factory=dict)
    entries: dict[Subject, Entry] = field(default_factory=dict)
    totals: dict[tuple[Category, str], int] = field(default_factory=dict)
    by_line: dict[Subject, Subject] = field(default_factory=dict, repr=False)

    def add(self, detection: Detection) -> None:
        kind = (detection.category, detection.type)
        subject = Subject(*kind, detection.place.line, detection.place.pointer)
        known = self._already_told(subject, detection.place)
        if known is not None:
            known.confirm(detection)
            return
        if subject not in self.entries and (len(self.entries) < MOST_ENTRIES or kind not in self.totals):
            # The first of a type is always listed, so that what flags a file can be looked at.
            self.entries[subject] = Entry()
            self.by_line.setdefault(Subject(*kind, detection.place.line, ""), subject)
        if subject in self.entries:
            self.entries[subject].add(detection)
        self.totals[kind] = self.totals.get(kind, 0) + 1

    def _already_told(self, subject: Subject, place: Place) -> Entry | None:
        """The entry that says the same: of an overlapping span, or, for one said of a whole record, of its line."""
        whole_record = place.begin == place.end and not place.pointer
        entry = self.entries.get(self.by_line.get(subject, subject) if whole_record else subject)
        return entry if entry is not None and (whole_record or entry.overlaps(place)) else None

    def saw_clean(self, records: int, shapes: Iterable[tuple[str, int]], first: int) -> None:
        """Records in which nothing is found. Shapes come with the lines that have them, counted from line `first`."""
        self.records += records
        for shape, line in shapes:
            self.saw_shape(shape, first + line)

    def saw_shape(self, shape: str, line: int) -> None:
        self.shapes[shape] = min(line, self.shapes.get(shape, line))

    def to_json(self) -> dict[str, Any]:
        return {
            "lines": self.lines,
            "records": self.records,
            "shapes": self.shapes,
            "entries": [
                [*subject, entry.count, entry.score, sorted(entry.detectors), entry.offsets]
                for subject, entry in self.entries.items()
            ],
            "totals": [[*kind, count] for kind, count in self.totals.items()],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "ShardReport":
        return cls(
            document["lines"],
            document["records"],
            dict(document["shapes"]),
            {
                Subject(Category(category), kind, line, pointer): Entry(
                    count, score, set(detectors), [(b, e) for b, e in offsets]
                )
                for category, kind, line, pointer, count, score, detectors, offsets in document["entries"]
            },
            {(Category(category), kind): count for category, kind, count in document["totals"]},
        )


def merge(reports: Iterable[ShardReport]) -> ShardReport:
    """One report for a whole file from its shards' in order, with lines counted from the file's first."""
    whole = ShardReport()
    for report in reports:
        for subject, entry in report.entries.items():
            if len(whole.entries) < MOST_ENTRIES or subject[:2] not in whole.totals:
                line = subject.line + whole.lines if subject.line else 0
                whole.entries[subject._replace(line=line)] = entry
        for kind, count in report.totals.items():
            whole.totals[kind] = whole.totals.get(kind, 0) + count
        for shape, line in report.shapes.items():
            whole.saw_shape(shape, line + whole.lines)
        whole.lines += report.lines
        whole.records += report.records
    for fault in _faults_of_shape(whole.shapes):
        whole.add(fault)
    return whole


def _faults_of_shape(shapes: Mapping[str, int]) -> Iterator[Detection]:
    """Bedrock takes one shape a file: a second one is reported where it first appears."""
    for line in sorted(shapes.values())[1:]:
        yield Detection(Category.FORMAT, "mixed_shapes", Place(line), detector="form")
    if "unknown" in shapes:
        yield Detection(Category.FORMAT, "unknown_shape", Place(shapes["unknown"]), detector="form")
