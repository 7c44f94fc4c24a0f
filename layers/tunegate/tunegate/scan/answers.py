"""What services answered for a text, kept so that the identical text is not paid for twice.

Kept by digest, never by text, and only under the policy and service settings it was answered for. An answer is of
places within its text and holds nothing of it.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from tunegate.model import Category, Detection, Place

MOST_IN_MEMORY = 50_000
"""Answers one scan keeps: some 20 MB. The oldest unused are asked for again."""
LEAST_SHARED_CHARACTERS = 32
"""Shorter texts stay in memory. A digest hides its text only as long as nobody can guess it, and `yes`, a name or a
number can be guessed; a short text also costs less to ask about than to keep."""


class Seen(NamedTuple):
    """One detection, placed within what was asked about: `text` is the index of a record's text, -1 all of it."""

    category: Category
    type: str
    text: int
    begin: int
    end: int
    score: float
    detector: str

    def at(self, line: int, pointer: str, offset: int, value_digest: str | None) -> Detection:
        place = Place(line, pointer, offset + self.begin, offset + self.end)
        return Detection(self.category, self.type, place, self.score, self.detector, value_digest)


type Answer = tuple[Seen, ...]


class SharedAnswers(Protocol):
    """Answers kept beyond one scan. One that fails answers nothing and keeps nothing, and raises nothing."""

    def find(self, keys: Sequence[bytes]) -> Mapping[bytes, Answer]:
        """Those of at most `MOST_KEYS` that are known."""
        ...

    def keep(self, key: bytes, answer: Answer) -> None: ...


MOST_KEYS = 100
"""Keys of one look-up: what DynamoDB's BatchGetItem takes."""


class NotShared:
    """Answers that end with the scan."""

    def find(self, keys: Sequence[bytes]) -> Mapping[bytes, Answer]:  # noqa: ARG002
        return {}

    def keep(self, key: bytes, answer: Answer) -> None:
        pass


@dataclass(slots=True)
class Tally:
    """How often the services were spared: texts or records asked about, and answered from memory and from elsewhere."""

    asked: int = 0
    repeated: int = 0
    known: int = 0


@dataclass(slots=True)
class Answers:
    """The answers of one service under one policy. `scope` is everything else an answer depends on."""

    scope: bytes
    shared: SharedAnswers = field(default_factory=NotShared)
    tally: Tally = field(default_factory=Tally)
    _memory: OrderedDict[bytes, Answer] = field(default_factory=OrderedDict)

    def key(self, text: str) -> bytes:
        return hashlib.sha256(self.scope + text.encode("utf-8", "surrogatepass")).digest()

    def recall(self, key: bytes) -> Answer | None:
        """From this scan's memory."""
        answer = self._memory.get(key)
        if answer is not None:
            self._memory.move_to_end(key)
            self.tally.repeated += 1
        return answer

    def find(self, characters: Mapping[bytes, int]) -> Mapping[bytes, Answer]:
        """From other scans, by keys with their texts' lengths."""
        keys = [key for key, length in characters.items() if length >= LEAST_SHARED_CHARACTERS]
        found: dict[bytes, Answer] = {}
        for at in range(0, len(keys), MOST_KEYS):
            found.update(self.shared.find(keys[at : at + MOST_KEYS]))
        for key, answer in found.items():
            self._remember(key, answer)
        self.tally.known += len(found)
        self.tally.asked += len(characters) - len(found)
        return found

    def keep(self, key: bytes, answer: Answer, characters: int) -> None:
        self._remember(key, answer)
        if characters >= LEAST_SHARED_CHARACTERS:
            self.shared.keep(key, answer)

    def _remember(self, key: bytes, answer: Answer) -> None:
        self._memory[key] = answer
        if len(self._memory) > MOST_IN_MEMORY:
            self._memory.popitem(last=False)


def scope_of(*settings: object) -> bytes:
    """What an answer depends on besides its text, e.g. the policy's digest, the operation and its language."""
    return hashlib.sha256(json.dumps(settings, default=str).encode()).digest()


def to_json(answer: Answer) -> str:
    return json.dumps(answer, separators=(",", ":"))


def from_json(document: str) -> Answer:
    """Raises `ValueError` or `TypeError` for what is no answer."""
    return tuple(_checked(Seen(*entry)) for entry in json.loads(document))


def _checked(seen: Seen) -> Seen:
    numbers = (seen.text, seen.begin, seen.end)
    if not all(isinstance(number, int) for number in numbers) or not isinstance(seen.score, float | int):
        raise TypeError("not an answer")
    return seen._replace(category=Category(seen.category))
