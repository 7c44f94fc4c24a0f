"""Where in any bytes a pickle may begin: before a global that is named as opcodes name one, and at a header.

Each search looks for what is rare and then a bounded way back, so that no input makes it slower than its length.
"""

import re
from collections.abc import Iterator

_NAME = rb"[A-Za-z_][A-Za-z0-9_.]{0,127}"
_NAME_BYTES = 128
_NAME_CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_."
_SECOND_LINE = re.compile(rb"\n(?=(" + _NAME + rb")\n)")
_OPCODE = re.compile(rb"[ci](?=[A-Za-z_])")
_GOES_ON = frozenset(b"()]}NIJKLMFGSTUVXBCPcpqrghj." + bytes(range(0x80, 0x99)))
"""Opcodes that can follow a first GLOBAL: those that take nothing more off the stack."""
_INST_GOES_ON = _GOES_ON | frozenset(b"0abst2R")
_MARKS_BACK = 512
_MOST_MARKS = 16
_MOST_NESTED = 8

_STACK_GLOBAL = re.compile(rb"(?<=[A-Za-z0-9_.])(?:\x94|q.|r....)?\x93", re.DOTALL)
_AMBIGUOUS_BYTES = ord(".")
"""From this length on, the byte that gives a name's length may itself be a name's character."""
_PUSHED = rb"(?:\x8c[\x01-\x7f]|X[\x01-\x7f]\0\0\0|U[\x01-\x7f])" + _NAME + rb"(?:\x94|q.|r....)?"
_PUSHED_TWICE = re.compile(_PUSHED + _PUSHED + rb"\x93\Z", re.DOTALL)
_PUSHED_BYTES = 2 * (_NAME_BYTES + 10) + 1

_HEADER = re.compile(rb"\x80[\x01-\x05](?=[\x95}\]()cXK\x8cN\x8f\x96CBJGM])")


MOST_LOOKS = 400_000
"""Honest files hold fewer lines that are one word each, and hardly any of the rest."""


class TooManyError(Exception):
    """There are more places that look like a pickle's begin than are followed."""


def likely_begins(data: bytes, start: int = 0) -> Iterator[int]:
    """Offsets from `start` on, in no order, at which a pickle that names a global may begin.

    Raises `TooManyError` past `MOST_LOOKS` places.
    """
    for match in _few(_HEADER.finditer(data, start)):
        yield match.start()
    for match in _few(_SECOND_LINE.finditer(data, start)):
        yield from _before_lines(data, start, match.start(), match.end(1) + 1)
    for match in _few(_STACK_GLOBAL.finditer(data, start)):
        if not _has_length(data, start, match.start()):
            continue
        pushed = _PUSHED_TWICE.search(data, max(match.end() - _PUSHED_BYTES, start), match.end())
        if pushed is not None:
            yield pushed.start()


def _few(matches: Iterator[re.Match[bytes]]) -> Iterator[re.Match[bytes]]:
    for looks, match in enumerate(matches):
        if looks > MOST_LOOKS:
            raise TooManyError
        yield match


def _has_length(data: bytes, start: int, name_end: int) -> bool:
    """Whether the name that ends here follows its own length; a cheap look before the search for both names."""
    name = data[max(name_end - _NAME_BYTES, start) : name_end]
    size = len(name) - len(name.rstrip(_NAME_CHARACTERS))
    return size >= _AMBIGUOUS_BYTES or data[max(name_end - size - 1, 0)] in (size, 0)


def _before_lines(data: bytes, start: int, newline: int, after: int) -> Iterator[int]:
    """GLOBAL and INST write a module's line, here ended by `newline`, and a name's, ended before `after`."""
    follows = data[after] if after < len(data) else -1
    if follows not in _INST_GOES_ON:
        return
    line = data[max(newline - _NAME_BYTES, start) : newline]
    rest = line.rstrip(_NAME_CHARACTERS)
    opcode = _OPCODE.search(data, newline - len(line) + len(rest), newline)
    if opcode is None:
        return
    if opcode.group() == b"c" and follows in _GOES_ON:
        begin = opcode.start()
        while begin > start and data[begin - 1] == ord("(") and opcode.start() - begin < _MOST_NESTED:
            begin -= 1
        yield begin
    if b"i" in data[opcode.start() : newline]:
        yield from _marks_before(data, start, newline)


def _marks_before(data: bytes, start: int, newline: int) -> Iterator[int]:
    at = newline
    for _ in range(_MOST_MARKS):
        at = data.rfind(b"(", max(newline - _MARKS_BACK, start), at)
        if at < 0:
            return
        yield at
