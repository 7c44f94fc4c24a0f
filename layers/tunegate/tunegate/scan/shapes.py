"""The shapes of training records Bedrock documents, and every string inside a record of any shape.

Source: Bedrock user guide, "Prepare your training datasets", and its pages on distillation and reinforcement
fine-tuning.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum

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


_PLAIN_KEYS_MET: set[str] = set()
_MOST_KEYS_MET = 10_000


def _is_plain(key: str) -> bool:
    if key in _PLAIN_KEYS_MET:
        return True
    plain = _PLAIN_KEY.fullmatch(key) is not None
    if plain and len(_PLAIN_KEYS_MET) < _MOST_KEYS_MET:
        _PLAIN_KEYS_MET.add(key)
    return plain


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
