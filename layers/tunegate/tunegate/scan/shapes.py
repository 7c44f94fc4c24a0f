"""The shapes of training records Bedrock documents, and every string inside a record of any shape.

Source: Bedrock user guide, "Prepare your training datasets", and its pages on distillation and reinforcement
fine-tuning.
"""

import re
from collections.abc import Iterator, Mapping, ValuesView
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tunegate.model import Text

CONVERSATION_SCHEMAS = frozenset({"bedrock-conversation-2024", "bedrock-conversion-2024"})
"""The second is a spelling the distillation page gives; files that follow it exist."""

# A key is part of what the uploader wrote, so a pointer may only spell out keys that cannot hold a value:
# the documented ones and plain words. Any other is named by its position.
_PLAIN_KEY = re.compile(r"[A-Za-z][A-Za-z_-]{0,23}|image-ref|schemaVersion|s3Location")
LONGEST_POINTER = 200
"""Characters of a pointer that are told. Findings travel in payloads of bounded size, and nesting is the uploader's."""

# What the formats prescribe says nothing; left in, the role would stand between the turns of a split phrase.
_ROLES = frozenset({"system", "user", "assistant"})
_STRUCTURE = {"role": _ROLES, "schemaVersion": CONVERSATION_SCHEMAS}
_SMALLEST_TELLING_NUMBER = 10**8
"""Numbers of nine digits and more may be identifiers (SSN, cards); shorter ones are walked past."""


class Shape(StrEnum):
    PROMPT_COMPLETION = "prompt_completion"
    CONVERSE = "converse"
    MESSAGES = "messages"
    INPUT = "input"
    IMAGE_CAPTION = "image_caption"
    PLAIN_TEXT = "plain_text"
    UNKNOWN = "unknown"


def shape_of(record: object) -> Shape:
    """Which documented shape a parsed record has. Extra fields are allowed, as RFT graders need them."""
    if not isinstance(record, dict):
        return Shape.UNKNOWN
    if "messages" in record:
        schema = record.get("schemaVersion")
        if isinstance(schema, str) and schema in CONVERSATION_SCHEMAS and _is_messages(record, list):
            return Shape.CONVERSE
        if _is_messages(record, str):
            return Shape.MESSAGES
    for shape, first, last in _FIELDS:
        if isinstance(record.get(first), str) and isinstance(record.get(last), str):
            return shape
    return Shape.UNKNOWN


_FIELDS = (
    (Shape.PROMPT_COMPLETION, "prompt", "completion"),
    (Shape.IMAGE_CAPTION, "image-ref", "caption"),
    (Shape.INPUT, "input", "input"),
)


def _is_messages(record: Mapping[str, object], content: type) -> bool:
    messages = record.get("messages")
    return (
        isinstance(messages, list)
        and bool(messages)
        and all(
            isinstance(turn, dict) and isinstance(turn.get("role"), str) and isinstance(turn.get("content"), content)
            for turn in messages
        )
    )


def texts_of(record: object) -> Iterator[Text]:
    """Every string of a record with its JSON pointer, keys and long numbers included, in the record's order.

    Iterative, so that nesting costs no stack.
    """
    stack: list[tuple[object, str, str | None]] = [(record, "", None)]
    while stack:
        value, pointer, role = stack.pop()
        if isinstance(value, str):
            if value not in _STRUCTURE.get(pointer.rpartition("/")[2], ()):
                yield Text(_bounded(pointer), value, role)
        elif isinstance(value, dict):
            own_role = _role(value, pointer) or role
            stack.extend(
                reversed(
                    [
                        (v, f"{pointer}/{_step(k, i)}", own_role or _field_role(k))
                        for i, (k, v) in enumerate(value.items())
                    ]
                )
            )
            yield from _unusual_keys(value, pointer)
        elif isinstance(value, list):
            stack.extend(reversed([(item, f"{pointer}/{i}", role) for i, item in enumerate(value)]))
        elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _SMALLEST_TELLING_NUMBER:
            yield Text(_bounded(pointer), str(value), role)


@dataclass(slots=True)
class Strings:
    """The values of `texts_of`, how many keys the record has, and whether one of them says who speaks."""

    values: list[str] = field(default_factory=list)
    keys: int = 0
    spoken: bool = False


_STRING = frozenset({str})


def strings_of(record: object) -> Strings:
    """What most records (parsed by orjson) are asked for, without the pointers that only a finding needs."""
    found = Strings()
    values = found.values
    pending: list[Any] = [record]
    while pending:
        value = pending.pop()
        kind = type(value)
        if kind is str:
            values.append(value)
        elif kind is dict and len(value) == 2 and "content" in value and _given("role", value.get("role")):
            found.keys += 2
            pending.append(value["content"])
        elif kind is dict or kind is list:
            inside: Any = _opened(value, found) if kind is dict else value
            if _STRING.issuperset(map(type, inside)):
                values.extend(inside)
            else:
                pending.extend(reversed(inside))
        elif kind is int and abs(value) >= _SMALLEST_TELLING_NUMBER:
            values.append(str(value))
    return found


def _opened(value: dict[str, Any], found: Strings) -> list[Any] | ValuesView[Any]:
    """The values of an object, without what the formats prescribe. Those of its keys that are text are noted."""
    keys = value.keys()
    found.keys += len(keys)
    if not keys <= _PLAIN_KEYS_MET:
        found.values.extend(key for key in keys if not _is_plain(key))
    if _SPEAKING.isdisjoint(keys):
        return value.values()
    found.spoken = found.spoken or not _SPEAKERS.isdisjoint(keys)
    return [item for key, item in value.items() if key not in _STRUCTURE or not _given(key, item)]


def _given(key: str, item: object) -> bool:
    return isinstance(item, str) and item in _STRUCTURE[key]


_SPEAKERS = frozenset({"messages", "prompt", "completion", "system"})
"""Keys by which `texts_of` tells who speaks."""
_SPEAKING = _SPEAKERS | _STRUCTURE.keys()
_PLAIN_KEYS_MET: set[str] = set()
_MOST_KEYS_MET = 10_000


def _is_plain(key: str) -> bool:
    if key in _PLAIN_KEYS_MET:
        return True
    plain = _PLAIN_KEY.fullmatch(key) is not None
    if plain and len(_PLAIN_KEYS_MET) < _MOST_KEYS_MET:
        _PLAIN_KEYS_MET.add(key)
    return plain


def one_text_each(record: object, texts: int) -> bool:
    """Whether it is plain to see that each of so many texts has a speaker of its own: a prompt, or one turn a role."""
    if not isinstance(record, dict):
        return False
    messages = record.get("messages", ())
    turns = messages if isinstance(messages, list) else ()
    roles = [turn.get("role") for turn in turns if isinstance(turn, dict) and isinstance(turn.get("content"), str)]
    roles += [_field_role(key) for key in ("prompt", "completion", "system") if isinstance(record.get(key), str)]
    return len(roles) == texts and all(isinstance(role, str) for role in roles) and len(set(roles)) == texts


def _unusual_keys(value: Mapping[str, object], pointer: str) -> Iterator[Text]:
    for index, key in enumerate(value):
        if not _is_plain(key):
            yield Text(_bounded(f"{pointer}/{_step(key, index)}"), key)


def _step(key: str, index: int) -> str:
    return key if _is_plain(key) else f"*{index}"


def _bounded(pointer: str) -> str:
    return pointer if len(pointer) <= LONGEST_POINTER else f"{pointer[:LONGEST_POINTER]}/*"


def _role(value: Mapping[str, object], pointer: str) -> str | None:
    role = value.get("role")
    return role if isinstance(role, str) and role in _ROLES and "/messages/" in f"{pointer}/" else None


def _field_role(key: str) -> str | None:
    return {"prompt": "user", "completion": "assistant", "system": "system"}.get(key)
