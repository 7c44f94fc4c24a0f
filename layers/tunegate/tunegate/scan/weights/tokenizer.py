"""`tokenizer.model`: a SentencePiece model (protocol buffers) or a list of ranked tokens, and nothing else.

Field numbers as in SentencePiece's `ModelProto`: 1 pieces, 2 trainer, 3 normalizer, 4 self test, 5 denormalizer;
numbers from 200 on are extensions. A piece holds 1 its text, 2 a float score, 3 its type.
"""

import re
from collections.abc import Iterator

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_EXTENSIONS = 200
_MODEL = {1: _BYTES, 2: _BYTES, 3: _BYTES, 4: _BYTES, 5: _BYTES}
_PIECE = {1: _BYTES, 2: _FIXED_32, 3: _VARINT}
_RANKED = re.compile(rb"(?:[A-Za-z0-9+/]+={0,2} \d{1,9}(?:\r?\n|$))+")


_MOST_PIECES = 2_000_000


class _ShapeError(Exception):
    """The bytes are not such a message."""


def is_tokenizer_model(data: bytes) -> bool:
    """Whether the whole of `data` is one of the two forms."""
    return bool(_RANKED.fullmatch(data)) or _is_sentencepiece(data)


def _is_sentencepiece(data: bytes) -> bool:
    pieces = 0
    try:
        for number, begin, end in _fields(data, 0, len(data), _MODEL):
            if number == 1:
                pieces += 1
                _piece(data, begin, end)
            if pieces > _MOST_PIECES:
                return False
    except _ShapeError:
        return False
    return pieces > 0


def _piece(data: bytes, begin: int, end: int) -> None:
    if begin == end:
        raise _ShapeError
    for number, first, last in _fields(data, begin, end, _PIECE):
        if number == 1:
            try:
                data[first:last].decode("utf-8")
            except UnicodeDecodeError:
                raise _ShapeError from None


def _fields(data: bytes, at: int, end: int, known: dict[int, int]) -> Iterator[tuple[int, int, int]]:
    """(number, begin, end) of each field's value; raises `_ShapeError` for what is not of `known`'s form."""
    while at < end:
        tag, at = _varint(data, at, end)
        number, wire = tag >> 3, tag & 7
        if number < _EXTENSIONS and known.get(number) != wire:
            raise _ShapeError
        begin = at
        if wire == _BYTES:
            length, begin = _varint(data, at, end)
            at = begin + length
        elif wire == _VARINT:
            _, at = _varint(data, at, end)
        elif wire in (_FIXED_32, _FIXED_64):
            at += 4 if wire == _FIXED_32 else 8
        else:
            raise _ShapeError
        if at > end:
            raise _ShapeError
        yield number, begin, at


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if at >= end:
            raise _ShapeError
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _ShapeError
