"""Records out of lines: parsed strictly, with a detection for every line that is not what Bedrock expects."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import orjson

from tunegate.model import Category, Detection, Place, Record
from tunegate.scan.form import Form
from tunegate.scan.lines import Line
from tunegate.scan.shapes import Shape, shape_of, texts_of

_S3_URI = re.compile(r"s3a?://([^/\s]+)(?:/\S*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Parsed:
    """One line as read: its record, None where it holds none as a blank line does, its shape, and what is wrong."""

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
        parse = self._text if self.form is Form.TEXT else self._json
        for line in lines:
            if line.data is None:
                yield _fault(line.number, "record_too_long")
            elif not line.data or line.data.isspace():
                yield Parsed(line.number, None, None)
            else:
                yield parse(line.number, line.data)

    def _text(self, number: int, data: bytes) -> Parsed:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            return _fault(number, "invalid_utf8")
        return Parsed(number, _record(number, text), Shape.PLAIN_TEXT)

    def _json(self, number: int, data: bytes) -> Parsed:
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError:
            # The line is still screened as plain text: what cannot be parsed can hold secrets all the same.
            parsed, faults = self._text(number, data), (_detect("not_json", number),)
            return parsed if parsed.record is None else replace(parsed, shape=None, faults=faults)
        record = _record(number, value)
        # JSON leaves open which value counts: what we scan need not be what Bedrock trains on.
        repeated = (_detect("duplicate_keys", number),) if _repeats_key(data) else ()
        return Parsed(number, record, shape_of(value), (*repeated, *self._references(record)))

    def _references(self, record: Record) -> Iterator[Detection]:
        for text in record.texts:
            if not text.value.startswith(("s3", "S3")) or (match := _S3_URI.fullmatch(text.value)) is None:
                continue
            if self.trusted_buckets is None:
                yield _detect("s3_reference_unchecked", record.line, text.pointer)
            elif match[1] not in self.trusted_buckets:
                yield _detect("foreign_s3_reference", record.line, text.pointer)


def _record(line: int, value: object) -> Record:
    return Record(line, tuple(texts_of(value)))


class _RepeatedKeyError(Exception):
    pass


def _pairs(items: list[tuple[str, object]]) -> None:
    if len({key for key, _ in items}) < len(items):
        raise _RepeatedKeyError


_KEYS = json.JSONDecoder(object_pairs_hook=_pairs)


def _repeats_key(data: bytes) -> bool:
    try:
        _KEYS.decode(data.decode("utf-8"))
    except _RepeatedKeyError:
        return True
    return False


def _detect(kind: str, line: int, pointer: str = "") -> Detection:
    return Detection(Category.FORMAT, kind, Place(line, pointer), detector="form")


def _fault(line: int, kind: str) -> Parsed:
    return Parsed(line, None, None, (_detect(kind, line),))
