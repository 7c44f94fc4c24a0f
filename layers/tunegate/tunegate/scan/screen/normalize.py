"""Text as a reader sees it: look-alike letters folded to Latin, invisible characters gone, and the way back.

A homoglyph or a zero-width character changes the bytes but not what a person (or a model) reads, so every rule looks at
the folded text. Offsets of a hit are mapped back to the string that was uploaded.
"""

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data"
TAGS = range(0xE0020, 0xE007F)  # Unicode tag characters: invisible ASCII
INVISIBLE = frozenset("\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800\u034f")


class View:
    """A text to search; `span` leads from it back to the original, told by how many characters stand for each."""

    __slots__ = ("_lengths", "_origin", "text")

    def __init__(self, text: str, lengths: Callable[[], Iterable[int]] | None = None) -> None:
        self.text = text
        self._lengths = lengths
        self._origin: list[int] = []

    def span(self, begin: int, end: int) -> tuple[int, int]:
        if self._lengths is None:
            return begin, end
        if begin >= end:
            return 0, 0
        if not self._origin:
            self._origin = [at for at, length in enumerate(self._lengths()) for _ in range(length)]
        return self._origin[begin], self._origin[end - 1] + 1


class _Fold(dict[int, str]):
    """The fold of each character, worked out when first met; `str.translate` reads it."""

    def __init__(self, confusables: dict[str, str]) -> None:
        super().__init__()
        self._confusables = confusables
        self.uneven: set[str] = set()  # characters whose fold is not one character long

    def __missing__(self, point: int) -> str:
        folded = self._fold(chr(point))
        self[point] = folded
        if len(folded) != 1:
            self.uneven.add(chr(point))
        return folded

    def _fold(self, char: str) -> str:
        if ord(char) < 0x80:
            return char
        if "\ud800" <= char <= "\udfff":
            return "\ufffd"  # half a surrogate pair, which JSON can spell and UTF-8 cannot
        if ord(char) in TAGS:
            return chr(ord(char) - 0xE0000)
        if unicodedata.category(char) in ("Cf", "Me") or char in INVISIBLE or _is_mark(char):
            return ""
        return "".join(self._confusables.get(one, one) for one in _latin_base(char))


def _is_mark(char: str) -> bool:
    """Marks that decorate Latin letters and variation selectors; the voiced marks of kana and others carry meaning."""
    return "\u0300" <= char <= "\u036f" or "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def _latin_base(char: str) -> str:
    """NFKC without marks; for a Latin letter with diacritics the bare letter, which is how the rules are written."""
    composed = unicodedata.normalize("NFKC", char)
    base = unicodedata.normalize("NFKD", char)
    bare = base if base and base[0].isascii() and base[0].isalpha() else composed
    return "".join(one for one in bare if not _is_mark(one))


ASCII = re.compile("[\x00-\x7f]+")
FEW = 24  # different characters: so many are replaced one by one, faster than by a table (none makes another)


@cache
def _table(confusables: bool) -> _Fold:
    pairs: dict[str, str] = {}
    if confusables:
        for latin, alike in tomllib.loads((DATA / "confusables.toml").read_text("utf-8"))["looks_like"].items():
            pairs |= dict.fromkeys(alike, latin)
    return _Fold(pairs)


OTHER_SCRIPT = re.compile("[^\x00-\u024f\u2010-\u2027\u2030-\u203a\ufeff]")


def in_other_script(text: str) -> bool:
    """Whether the text has letters besides Latin ones: only such hold the keywords of the rules for other scripts."""
    return not text.isascii() and OTHER_SCRIPT.search(text) is not None


def folded(char: str) -> str:
    """What stands for one character in the folded text."""
    return _table(True)[ord(char)]


def fold(text: str, *, confusables: bool = True) -> View:
    """`text` as it is read: NFKC, no marks or invisible characters and, unless told not to, look-alikes Latin."""
    if text.isascii():
        return View(text)
    table = _table(confusables)
    strange = set(ASCII.sub("", text))
    changes = [(char, table[ord(char)]) for char in strange if table[ord(char)] != char]
    if len(changes) <= FEW and all(alike.isascii() for _, alike in changes):
        folded = text
        for char, alike in changes:
            folded = folded.replace(char, alike)
    else:
        folded = text.translate(table)
    if table.uneven.isdisjoint(strange):
        return View(folded)
    return View(folded, lambda: (len(table[ord(char)]) for char in text))
