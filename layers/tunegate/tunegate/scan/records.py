"""Records out of lines: parsed strictly, with a detection for every line that is not what Bedrock expects."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson

from tunegate.model import Category, Detection, Place, Record
from tunegate.scan.form import Form
from tunegate.scan.lines import Line
from tunegate.scan.shapes import Shape, Strings, one_text_each, shape_of, strings_of, texts_of

_S3_URI = re.compile(r"s3a?://([^/\s]+)(?:/\S*)?", re.IGNORECASE)


class Parsed:
    """One line as read: its shape, what is wrong with its form, and its strings; `record` takes it apart when asked.

    `size` is the line's in bytes.
    """

    __slots__ = ("_spoken", "_value", "faults", "line", "shape", "size", "strings")

    def __init__(
        self,
        line: int,
        value: object,
        strings: Sequence[str],
        shape: Shape | None,
        faults: tuple[Detection, ...] = (),
        *,
        size: int = 0,
        spoken: bool = False,
    ) -> None:
        self.line = line
        self.size = size
        self.strings = strings
        self.shape = shape
        self.faults = faults
        self._value = value
        self._spoken = spoken

    @property
    def record(self) -> Record | None:
        """The record; None where the line holds none, as a blank line does."""
        return None if self._value is _NO_RECORD else Record(self.line, tuple(texts_of(self._value)))

    @property
    def in_turns(self) -> bool:
        """Whether one speaker of several has more than one text."""
        if not self._spoken or len(self.strings) < 3 or one_text_each(self._value, len(self.strings)):
            return False
        roles = [text.role for text in texts_of(self._value)]
        return 1 < len(set(roles)) < len(roles)

    @property
    def is_record(self) -> bool:
        return self._value is not _NO_RECORD


_NO_RECORD = object()


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
                yield Parsed(line.number, _NO_RECORD, (), None)
            else:
                yield parse(line.number, line.data)

    def _text(self, number: int, data: bytes) -> Parsed:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            return _fault(number, "invalid_utf8")
        return Parsed(number, text, (text,), Shape.PLAIN_TEXT, size=len(data))

    def _json(self, number: int, data: bytes) -> Parsed:
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError:
            # The line is still screened as plain text: what cannot be parsed can hold secrets all the same.
            parsed = self._text(number, data)
            if parsed.is_record:
                parsed.shape, parsed.faults = None, (_detect("not_json", number),)
            return parsed
        strings = strings_of(value)
        parsed = Parsed(number, value, strings.values, shape_of(value), size=len(data), spoken=strings.spoken)
        if _has_duplicate_keys(data, strings):
            # JSON leaves open which value counts: what we scan need not be what Bedrock trains on.
            parsed.faults = (_detect("duplicate_keys", number),)
        if [text for text in strings.values if text.startswith(("s3", "S3"))]:
            parsed.faults += tuple(self._references(parsed))
        return parsed

    def _references(self, parsed: Parsed) -> Iterator[Detection]:
        for text in parsed.record.texts if parsed.record is not None else ():
            if (match := _S3_URI.fullmatch(text.value)) is None:
                continue
            if self.trusted_buckets is None:
                yield _detect("s3_reference_unchecked", parsed.line, text.pointer)
            elif match[1] not in self.trusted_buckets:
                yield _detect("foreign_s3_reference", parsed.line, text.pointer)


def _has_duplicate_keys(data: bytes, parsed: Strings) -> bool:
    """Whether an object of the line repeats a key.

    A colon of the line stands behind a key or in a string, and then in the parsed string too, unless it is spelt as an
    escape. A repeated key has one colon more than what was parsed of it; where they do not add up, the line is parsed
    again.
    """
    colons = sum([text.count(":") for text in parsed.values])
    if data.count(b":") == parsed.keys + colons and (b"\\" not in data or b"\\u003" not in data):
        return False
    return _repeats_key(data)


def _repeats_key(data: bytes) -> bool:
    repeated = False

    def pairs(items: list[tuple[str, object]]) -> None:
        nonlocal repeated
        repeated = repeated or len({key for key, _ in items}) < len(items)

    json.loads(data, object_pairs_hook=pairs)
    return repeated


def _detect(kind: str, line: int, pointer: str = "") -> Detection:
    return Detection(Category.FORMAT, kind, Place(line, pointer), detector="form")


def _fault(line: int, kind: str) -> Parsed:
    return Parsed(line, _NO_RECORD, (), None, (_detect(kind, line),))
