"""Strangers' words, fit to be shown: keys and names may hold what a terminal obeys or what begins a forged line."""

import unicodedata

_CONTROLS = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def spelled_out(text: str, keep: str = "") -> str:
    """The text with control and invisible characters as escapes (`\\n`, `\\u200b`), save those to keep."""
    return "".join(c if c in keep or unicodedata.category(c) not in _CONTROLS else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
