"""Records out of lines: parsed strictly, with a detection for every line that is not what Bedrock expects."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import orjson

from tunegate.model import Category, Detection, Place, Record, Text
from tunegate.scan.lines import Line
from tunegate.scan.shapes import Shape, shape_of, texts_of

_KEY_END = re.compile(rb'"\s*:')
_S3_URI = re.compile(r"s3a?://([^/\s]+)(?:/\S*)?", re.IGNORECASE)


class Form(StrEnum):
    """How the lines of a file are read."""

    JSONL = "jsonl"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Parsed:
    """One line as read: its record (blank lines have none), its shape and what is wrong with its form."""

    line: int
    record: Record | None
    shape: Shape | None
    faults: tuple[Detection, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads lines of one form. `trusted_buckets` are those a record may refer to; None means they are not known."""

    form: Form
    trusted_buckets: frozenset[str] | None

    def read(self, lines: Iterable[Line]) -> Iterator[Parsed]:
        for line in lines:
            if line.data is None:
                yield _fault(line.number, "record_too_long")
            elif not line.data.strip():
                yield Parsed(line.number, None, None)
            else:
                yield self._parse(line.number, line.data)

    def _parse(self, number: int, data: bytes) -> Parsed:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            return _fault(number, "invalid_utf8")
        if self.form is Form.TEXT:
            return Parsed(number, Record(number, (Text("", text),)), Shape.PLAIN_TEXT)
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError:
            # The line is still screened as plain text: what cannot be parsed can hold secrets all the same.
            return Parsed(number, Record(number, (Text("", text),)), None, (_detect("not_json", number),))
        record = Record(number, tuple(texts_of(value)))
        return Parsed(number, record, shape_of(value), tuple(self._faults(data, value, record)))

    def _faults(self, data: bytes, value: object, record: Record) -> Iterator[Detection]:
        if _has_duplicate_keys(data, value):
            # JSON leaves open which value counts: what we scan need not be what Bedrock trains on.
            yield _detect("duplicate_keys", record.line)
        for text in record.texts:
            if (match := _S3_URI.fullmatch(text.value)) is None:
                continue
            if self.trusted_buckets is None:
                yield _detect("s3_reference_unchecked", record.line, text.pointer)
            elif match[1] not in self.trusted_buckets:
                yield _detect("foreign_s3_reference", record.line, text.pointer)


def _has_duplicate_keys(data: bytes, value: object) -> bool:
    # Every key ends in `":`. As many of those as parsed keys means no repeat; a surplus may also stand inside
    # strings, so only then the line is parsed again, slowly and exactly.
    if len(_KEY_END.findall(data)) == _count_keys(value):
        return False
    repeated = False

    def pairs(items: list[tuple[str, object]]) -> None:
        nonlocal repeated
        repeated = repeated or len({key for key, _ in items}) < len(items)

    json.loads(data, object_pairs_hook=pairs)
    return repeated


def _count_keys(value: object) -> int:
    count, stack = 0, [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            count += len(item)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return count


def _detect(kind: str, line: int, pointer: str = "") -> Detection:
    return Detection(Category.FORMAT, kind, Place(line, pointer), detector="form")


def _fault(line: int, kind: str) -> Parsed:
    return Parsed(line, None, None, (_detect(kind, line),))
