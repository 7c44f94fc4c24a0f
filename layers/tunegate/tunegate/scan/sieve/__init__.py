"""The sieve: of many lines at once, those that can hold nothing the screen finds, told by compiled code.

    sieve = Sieve()
    asked = sieve.sift(data, Form.JSONL)
    ...                            # answer what is asked
    said = sieve.settle(owners)    # of whom the answer was yes

It parses the lines, and looks in all their texts for what each rule needs. Most lines hold nothing of it. Of others it
asks: a text is put to the rules that could match. A line of which no question is answered with yes is clean, that is,
the screen finds nothing in it and its form has no fault. Every other line is read as if there were no sieve.
"""

import ctypes
import weakref
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tunegate.scan.form import Form
from tunegate.scan.sieve.library import SieveError, load, sifted_type
from tunegate.scan.sifted import NO_RECORD, TO_READ

__all__ = ["NO_RECORD", "TO_READ", "Asked", "Kind", "OfText", "Sieve", "SieveError"]


class OfRule(NamedTuple):
    """The texts (folded, UTF-8) that rule `rule` could match, joined by patterns.BETWEEN; attack rules come first."""

    rule: int
    joined: bytes
    starts: Sequence[int]
    owners: Sequence[int]


class Kind:
    """What may be in a text, as bits (native/reading.zig). No IntFlag: it is asked of every text."""

    IDENTIFIER = 1
    MALWARE = 2
    LONG = 4
    HIDDEN = 8
    MODEL = 16
    SCRIPT = 32


class OfText(NamedTuple):
    """What may be in a text, which is folded, or for SCRIPT alone as it was written."""

    owner: int
    kinds: int
    value: str


class Asked(NamedTuple):
    """All that has to be known before the lines are told clean."""

    of_rules: list[OfRule]
    of_texts: list[OfText]
    of_stretches: list[OfText]


_CODES = (Form.JSONL, Form.TEXT, None)  # as in native/sieve.zig


class Sieve:
    """Safe to use for any number of files, one after the other."""

    def __init__(self) -> None:
        self._library = load()
        self._handle = self._library.sieve_new()
        if not self._handle:
            raise MemoryError("no memory for the sieve")
        weakref.finalize(self, self._library.sieve_free, self._handle)
        self._sifted: Any = sifted_type()()

    def sift(self, data: bytes, form: Form | None) -> Asked:
        """Reads lines, separated by line feeds.

        Without a form they are records of JSON of which the texts alone count: all is asked of each, met before or not.
        """
        code = _CODES.index(form)
        if not self._library.sieve_sift(self._handle, data, len(data), code, ctypes.byref(self._sifted)):
            raise MemoryError("no memory for the lines to be sifted")
        found = self._sifted
        return Asked(
            list(_of_rules(found.of_rule[: found.rule_count])),
            list(_of_texts(found.bytes, found.texts[: found.text_count])),
            list(_of_texts(found.bytes, found.stretches[: found.stretch_count])),
        )

    def start(self, line: int) -> int:
        """Where a line begins in what was sifted last."""
        return int(self._sifted.starts[line])

    def settle(self, owners: Sequence[int]) -> bytes:
        """What each line is (see sifted.py), if something is in the texts of `owners` and in no others."""
        self._library.sieve_settle(self._handle, (ctypes.c_uint32 * len(owners))(*owners), len(owners))
        return ctypes.string_at(self._sifted.lines, self._sifted.line_count)

    def forget(self) -> None:
        """Forget the texts met so far, as at the end of a file."""
        self._library.sieve_forget(self._handle)


def _of_rules(rules: Sequence[Any]) -> Iterator[OfRule]:
    for found in rules:
        joined = ctypes.string_at(found.joined, found.size)
        yield OfRule(found.rule, joined, found.starts[: found.count], found.owners[: found.count])


def _of_texts(data: int, asked: Sequence[Any]) -> Iterator[OfText]:
    for one in asked:
        yield OfText(one.owner, one.kinds, ctypes.string_at(data + one.begin, one.end - one.begin).decode("utf-8"))
