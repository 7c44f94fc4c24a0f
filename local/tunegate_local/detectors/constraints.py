"""What botocore's service model says of a value: required members, lengths, enumerations, patterns, ranges.

botocore itself checks only a part of this, and only on the way out of a client; AWS checks all of it on the way in.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.model import ListShape, Shape, StringShape, StructureShape

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "list": (list,),
    "string": (str,),
    # In JSON a blob is a base64 string, in CBOR it is bytes.
    "blob": (str, bytes),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
}


class WrongTypeError(Exception):
    """A value is not of its shape's type at all, so that no constraint can be asked of it."""


def violations(shape: Shape | None, value: Any, path: str = "") -> Iterator[str]:
    """Sentences in AWS's wording, one per broken constraint, none of which repeats a value that was sent.

    `path` is AWS's way of naming a member: `messages.1.member.content`. A `WrongTypeError` is raised where the value is
    not of the type the model gives it.
    """
    if shape is None:
        return iter(())
    if not _is_of_type(shape, value):
        raise WrongTypeError(f"{path or shape.name} is not a {shape.type_name}")
    match shape:
        case StructureShape():
            return _structure(shape, value, path)
        case ListShape():
            return _list(shape, value, path)
        case StringShape():
            return _string(shape, value, path)
    if shape.type_name == "boolean":
        return iter(())
    return _size(shape, len(value), path, "length") if shape.type_name == "blob" else _size(shape, value, path, "value")


def unknown_members(shape: Shape | None, value: Any, path: str = "") -> Iterator[str]:
    """Paths of what the model does not know, which a client would drop without a word."""
    if isinstance(shape, StructureShape):
        for name, member in value.items():
            if name not in shape.members:
                yield f"{path}.{name}"
            else:
                yield from unknown_members(shape.members[name], member, f"{path}.{name}")
    elif isinstance(shape, ListShape):
        for number, item in enumerate(value):
            yield from unknown_members(shape.member, item, f"{path}[{number}]")


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


def _string(shape: StringShape, value: str, path: str) -> Iterator[str]:
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise WrongTypeError(f"{path} holds half a surrogate pair and is no Unicode text")
    yield from _size(shape, len(value), path, "length")
    if shape.enum and value not in shape.enum:
        yield _sentence(path, f"Member must satisfy enum value set: {_listed(shape.enum)}")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        yield _sentence(path, f"Member must satisfy regular expression pattern: {pattern}")


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
