"""What botocore's service model says of a value: required members, lengths, enumerations, patterns, ranges.

botocore itself checks only a part of this, and only on the way out of a client; AWS checks all of it on the way in.
"""

import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    # In JSON a blob is a base64 string, in CBOR it is bytes.
    "blob": (str, bytes),
    "boolean": (bool,),
    "timestamp": (datetime,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
}

_JAVA_CLASSES = {"ASCII": r"\x00-\x7f", "Alnum": "a-zA-Z0-9"}


class WrongTypeError(Exception):
    """A value is not of its shape's type at all, so that no constraint can be asked of it."""


def violations(shape: Shape | None, value: Any, path: str = "") -> Iterator[str]:
    """Sentences in AWS's wording, one per broken constraint, none of which repeats a value that was sent.

    `path` is AWS's way of naming a member: `messages.1.member.content`. A `WrongTypeError` is raised where the value is
    not of the type the model gives it.
    """
    if shape is None or _is_document(shape):
        return iter(())
    if not _is_of_type(shape, value):
        raise WrongTypeError(f"{path or shape.name} is not a {shape.type_name}")
    match shape:
        case StructureShape():
            return _structure(shape, value, path)
        case MapShape():
            return _map(shape, value, path)
        case ListShape():
            return _list(shape, value, path)
        case StringShape():
            return _string(shape, value, path)
    if shape.type_name in ("boolean", "timestamp"):
        return iter(())
    return _size(shape, len(value), path, "length") if shape.type_name == "blob" else _size(shape, value, path, "value")


def unknown_members(shape: Shape | None, value: Any, path: str = "") -> Iterator[str]:
    """Paths of what the model does not know, which a client would drop without a word."""
    if isinstance(shape, StructureShape) and not _is_document(shape):
        for name, member in value.items():
            if name not in shape.members:
                yield f"{path}.{name}"
            else:
                yield from unknown_members(shape.members[name], member, f"{path}.{name}")
    elif isinstance(shape, ListShape):
        for number, item in enumerate(value):
            yield from unknown_members(shape.member, item, f"{path}[{number}]")
    elif isinstance(shape, MapShape):
        for name, item in value.items():
            yield from unknown_members(shape.value, item, f"{path}.{name}")


def _is_document(shape: Shape) -> bool:
    """Any JSON at all."""
    return isinstance(shape, StructureShape) and shape.is_document_type


def _is_of_type(shape: Shape, value: Any) -> bool:
    # bool is a kind of int to Python alone.
    return isinstance(value, _PYTHON_TYPES[shape.type_name]) and (shape.type_name == "boolean") == isinstance(
        value, bool
    )


def _structure(shape: StructureShape, value: dict[str, Any], path: str) -> Iterator[str]:
    given = {name: member for name, member in value.items() if member is not None}
    for name in shape.required_members:
        if name not in given:
            yield _sentence(_join(path, name), "Member must not be null")
    if shape.is_tagged_union and len(given.keys() & shape.members.keys()) != 1:
        yield _sentence(path, "Member must have exactly one of its members set")
    for name, member in given.items():
        if name in shape.members:
            yield from violations(shape.members[name], member, _join(path, name))


def _list(shape: ListShape, value: list[Any], path: str) -> Iterator[str]:
    yield from _size(shape, len(value), path, "length")
    for number, item in enumerate(value, start=1):
        yield from violations(shape.member, item, f"{path}.{number}.member")


def _map(shape: MapShape, value: dict[str, Any], path: str) -> Iterator[str]:
    yield from _size(shape, len(value), path, "length")
    for name, item in value.items():
        yield from violations(shape.key, name, f"{path}.key")
        yield from violations(shape.value, item, f"{path}.value")


def _string(shape: StringShape, value: str, path: str) -> Iterator[str]:
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise WrongTypeError(f"{path} holds half a surrogate pair and is no Unicode text")
    yield from _size(shape, len(value), path, "length")
    if shape.enum and value not in shape.enum:
        yield _sentence(path, f"Member must satisfy enum value set: {_listed(shape.enum)}")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(_in_python(pattern), value):
        yield _sentence(path, f"Member must satisfy regular expression pattern: {pattern}")


@cache
def _in_python(pattern: str) -> str:
    """A pattern of a model, which is one of Java's: Python has no `\\p{L}`, so its characters are written out."""

    def written_out(found: re.Match[str]) -> str:
        before = pattern[: found.start()]
        inside = before.rfind("[") > before.rfind("]")
        return _characters(found[1]) if inside else f"[{_characters(found[1])}]"

    return re.sub(r"\\p\{(\w+)\}", written_out, pattern)


@cache
def _characters(name: str) -> str:
    """The characters of a Unicode category, or of one of Java's own classes, as the inside of a character class."""
    if name in _JAVA_CLASSES:
        return _JAVA_CLASSES[name]
    return "".join(ranges for category, ranges in _categories().items() if category.startswith(name))


@cache
def _categories() -> dict[str, str]:
    """The characters of every Unicode category, as ranges."""
    ranges: defaultdict[str, str] = defaultdict(str)
    for category, codes in groupby(range(sys.maxunicode + 1), lambda code: unicodedata.category(chr(code))):
        run = list(codes)
        ranges[category] += f"\\U{run[0]:08x}-\\U{run[-1]:08x}"
    return dict(ranges)


def _size(shape: Shape, size: float, path: str, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _sentence(path, f"Member must have {what} greater than or equal to {least}")
    if most is not None and size > most:
        yield _sentence(path, f"Member must have {what} less than or equal to {most}")


def _sentence(path: str, constraint: str) -> str:
    return f"Value at '{path}' failed to satisfy constraint: {constraint}"


def _join(path: str, name: str) -> str:
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name


def _listed(values: Sequence[str]) -> str:
    return f"[{', '.join(values)}]"
