"""RE2 patterns that compile when first used: a cold start pays only for what the text needs."""

import string
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import re2

BETWEEN = b"\n \0 \n"
SET_MEMORY = 256 << 20  # bytes RE2 may use for the automaton of one set; it grows only as texts need it


class Pattern:
    """One RE2 pattern, compiled on first use. Where a match's groups are not asked for, RE2 need not trace them."""

    __slots__ = ("_captures", "_compiled", "source")

    def __init__(self, source: str, *, captures: bool = False) -> None:
        self.source = source
        self._captures = captures
        self._compiled: Any = None

    def finditer(self, text: str) -> Iterator[Any]:
        """The matches, for their places: RE2 reads bytes, and in ASCII they are where the characters are."""
        return iter(self._ready().finditer(text.encode() if text.isascii() else text))

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the text matches."""
        return (match.span() for match in self.finditer(text))

    def holds(self, text: str) -> bool:
        """Whether it matches anywhere in the text."""
        return self._ready().search(text.encode("utf-8", "replace")) is not None

    def sub(self, replacement: str, text: str) -> str:
        return str(self._ready().sub(replacement, text))

    def _ready(self) -> Any:
        if self._compiled is None:
            self._compiled = _compiled(self.source, captures=self._captures)
        return self._compiled


class Finder:
    """A pattern that is asked where it matches in UTF-8 bytes."""

    __slots__ = ("_compiled", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self._compiled: Any = None

    def search(self, text: bytes, begin: int = 0) -> Any:
        if self._compiled is None:
            self._compiled = _compiled(self.source, captures=False)
        return self._compiled.search(text, begin)


def _compiled(source: str, *, captures: bool) -> Any:
    options = re2.Options()
    options.never_capture = not captures
    return re2.compile(source, options)


class Among:
    """A pattern that is asked which of many UTF-8 texts it matches in; they are searched joined, in one pass.

    The ends of lines count as ends of a text: where texts are joined, and so everywhere.
    """

    __slots__ = ("_finder",)

    def __init__(self, source: str) -> None:
        self._finder = Finder("(?m)" + source)

    def holding_joined(self, joined: bytes, starts: Sequence[int]) -> Iterator[int]:
        """The numbers of the texts in which it matches; they are joined by BETWEEN, each from its place on."""
        at, behind = 0, [*starts[1:], len(joined) + len(BETWEEN)]
        while at < len(starts) and (match := self._finder.search(joined, starts[at])) is not None:
            # It may reach into the next text: what is within one text is found from its beginning.
            at = bisect_right(starts, match.start()) - 1
            end = behind[at] - len(BETWEEN)
            if match.end() <= end or self._finder.search(joined[starts[at] : end]) is not None:
                yield at
            at += 1


def compile_all(sources: Iterable[str]) -> Any:
    """One RE2 set that says which of the patterns a text holds, in a single pass."""
    options = re2.Options()
    options.max_mem = SET_MEMORY
    found = re2.Set.SearchSet(options)
    for source in sources:
        found.Add(source)
    found.Compile()
    return found


def edges(spec: str) -> frozenset[str]:
    """The characters of a plain bracket expression such as `0-9A-Za-z_.`"""
    ranges = {"0-9": string.digits, "A-Z": string.ascii_uppercase, "a-z": string.ascii_lowercase}
    for short, long in ranges.items():
        spec = spec.replace(short, long)
    return frozenset(spec)
