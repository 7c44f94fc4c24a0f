"""JSON as strictly as it can be read: UTF-8, one value, no key twice, nothing that parsers disagree on."""

import json
from collections.abc import Iterable, Iterator

import orjson


class StrictJsonError(Exception):
    """The bytes are not strict JSON; the message says how, without any of them."""


class DuplicateKeyError(StrictJsonError):
    """A key stands twice in one object, so that two readers may see two documents."""


def strict_json(data: bytes) -> object:
    """Parse one JSON document. Raises `StrictJsonError`, and `DuplicateKeyError` for a repeated key at any level."""
    try:
        orjson.loads(data)  # refuses NaN, lone surrogates, bad UTF-8, control characters and excessive depth
    except orjson.JSONDecodeError as error:
        raise StrictJsonError(f"it is not strict JSON (near byte {error.pos})") from None
    try:
        return json.loads(data, object_pairs_hook=_object, parse_int=_integer)
    except (RecursionError, ValueError):
        raise StrictJsonError("it is not JSON that every reader takes") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    built = dict(pairs)
    if len(built) != len(pairs):
        raise DuplicateKeyError("a key stands twice in one object")
    return built


def _integer(digits: str) -> int:
    # Readers disagree on -0: an integer here, a float in others.
    if digits == "-0":
        raise StrictJsonError("it holds the number -0")
    return int(digits)


def strings_of(value: object) -> Iterator[tuple[str, str]]:
    """Every string of a document with the key it stands under, the nearest one for items of a list; no recursion."""
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        key, item = waiting.pop()
        if isinstance(item, str):
            yield key, item
        elif isinstance(item, list):
            waiting += [(key, one) for one in item]
        elif isinstance(item, dict):
            waiting += item.items()


def entries_of(value: object) -> Iterator[tuple[str, object]]:
    """Every key of a document, at any level, with its value."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            yield from item.items()
            waiting += item.values()


def encoded_strings(texts: Iterable[str]) -> Iterator[bytes]:
    """Strings as the bytes they may stand for: one a character where that is possible, else UTF-8."""
    for text in texts:
        try:
            yield text.encode("latin-1")
        except UnicodeEncodeError:
            yield text.encode("utf-8", "surrogatepass")
