"""Each different text goes to a service once; what it answers is said of every place the text stands at."""

import json
from collections.abc import Callable, Iterator
from typing import Protocol

from tunegate.model import Category, Detection, Place, Record, Text, value_digest
from tunegate.policy import Policy
from tunegate.scan.answers import MOST_KEYS, Answer, Answers, Seen
from tunegate.scan.packs import split_text
from tunegate.scan.search import Answered, Item
from tunegate.scan.text import PromptCheck

MOST_WAITING = 20_000
"""Places that may wait for the answers of texts not yet asked about."""

type Interrupt = Callable[[], None]
"""Raises when there is no time for more requests."""


class Service(Protocol):
    """A service that is handed different texts and answers each once, perhaps later."""

    limit: int
    """A text's most UTF-8 bytes."""

    def add(self, item: Item) -> Iterator[Answered]: ...
    def finish(self) -> Iterator[Answered]: ...


class TextsOnce:
    """A `TextScan` over a service."""

    def __init__(self, service: Service, answers: Answers, policy: Policy, interrupt: Interrupt) -> None:
        self._service = service
        self._answers = answers
        self._policy = policy
        self._interrupt = interrupt
        self._fresh: dict[bytes, str] = {}
        self._texts: dict[bytes, str] = {}
        self._waiting: dict[bytes, list[tuple[int, str, int]]] = {}
        self._places = 0

    def add(self, line: int, text: Text) -> Iterator[Detection]:
        for offset, part in split_text(text.value, self._service.limit):
            key = self._answers.key(part)
            place = (line, text.pointer, offset)
            if (answer := self._answers.recall(key)) is not None:
                yield from _said(answer, part, place)
            else:
                yield from self._wait(key, part, place)

    def finish(self) -> Iterator[Detection]:
        yield from self._ask()
        yield from self._told(self._service.finish())

    def _wait(self, key: bytes, part: str, place: tuple[int, str, int]) -> Iterator[Detection]:
        if key not in self._waiting:
            self._waiting[key] = []
            self._fresh[key] = self._texts[key] = part
        else:
            self._answers.tally.repeated += 1
        self._waiting[key].append(place)
        self._places += 1
        if len(self._fresh) >= MOST_KEYS:
            yield from self._ask()
        if self._places >= MOST_WAITING:
            yield from self.finish()

    def _ask(self) -> Iterator[Detection]:
        fresh, self._fresh = self._fresh, {}
        known = self._answers.find({key: len(text) for key, text in fresh.items()})
        for key, text in fresh.items():
            if key in known:
                yield from self._tell(key, known[key])
            else:
                self._interrupt()
                yield from self._told(self._service.add((key, text)))

    def _told(self, answered: Iterator[Answered]) -> Iterator[Detection]:
        for key, answer in answered:
            kept = tuple(seen for seen in answer if _counts(seen, self._policy))
            self._answers.keep(key, kept, len(self._texts[key]))
            yield from self._tell(key, kept)

    def _tell(self, key: bytes, answer: Answer) -> Iterator[Detection]:
        text, places = self._texts.pop(key), self._waiting.pop(key)
        self._places -= len(places)
        for place in places:
            yield from _said(answer, text, place)


class RecordsOnce:
    """A `PromptCheck` over another. A record is the same where all its texts and who says them are."""

    def __init__(self, check: PromptCheck, answers: Answers, policy: Policy, interrupt: Interrupt) -> None:
        self._check = check
        self._answers = answers
        self._policy = policy
        self._interrupt = interrupt

    def check(self, record: Record, *, with_pii: bool) -> Iterator[Detection]:
        content = json.dumps([with_pii, [[text.role, text.value] for text in record.texts]])
        key = self._answers.key(content)
        answer = self._answers.recall(key)
        if answer is None:
            answer = self._answers.find({key: len(content)}).get(key)
        if answer is None:
            answer = self._asked(record, with_pii)
            self._answers.keep(key, answer, sum(len(text.value) for text in record.texts))
        for seen in answer:
            yield _of_record(seen, record)

    def _asked(self, record: Record, with_pii: bool) -> Answer:
        self._interrupt()
        pointers = [text.pointer for text in record.texts]
        seen = (_seen(detection, pointers) for detection in self._check.check(record, with_pii=with_pii))
        return tuple(one for one in seen if _counts(one, self._policy))


def _counts(seen: Seen, policy: Policy) -> bool:
    return seen.score >= policy.rule(seen.category, seen.type).threshold


def _said(answer: Answer, text: str, place: tuple[int, str, int]) -> Iterator[Detection]:
    for seen in answer:
        yield seen.at(*place, _digest(seen, text))


def _digest(seen: Seen, text: str) -> str | None:
    """By which an allow-list names the value: made where the text is at hand, and kept nowhere."""
    return value_digest(text[seen.begin : seen.end]) if seen.category in (Category.PII, Category.SECRET) else None


def _seen(detection: Detection, pointers: list[str]) -> Seen:
    place = detection.place
    text = pointers.index(place.pointer) if place.end > place.begin else -1
    return Seen(detection.category, detection.type, text, place.begin, place.end, detection.score, detection.detector)


def _of_record(seen: Seen, record: Record) -> Detection:
    if seen.text < 0:
        return Detection(seen.category, seen.type, Place(record.line), seen.score, seen.detector)
    text = record.texts[seen.text]
    return seen.at(record.line, text.pointer, 0, _digest(seen, text.value))
