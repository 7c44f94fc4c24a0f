"""The words view of a text: lower case, and a space for every character that is no ASCII letter or digit.

Keywords and the model's n-grams are plain substrings of it; a space in one is the border of a word. Characters keep
their places, so a place in the view is a place in the text.
"""

import string

BORDER = " \0 "
"""Stands between texts that are searched together: no keyword, n-gram or pattern of the screen matches across it."""
_KEPT = (string.ascii_lowercase + string.digits).encode()
_UPPER = string.ascii_uppercase.encode()
_TABLE = bytes(c if c in _KEPT or c == 0 else c + 32 if c in _UPPER else 32 for c in range(256))


def as_words(lowered: str) -> bytes:
    """The view of text in lower case, a byte for each character. A NUL stays, as the border between texts."""
    return ascii_as_words(lowered.encode("ascii", "replace"))


def ascii_as_words(text: bytes) -> bytes:
    """The same of ASCII in either case."""
    return text.translate(_TABLE)


def words_of(text: str) -> str:
    """The view of one text, with the border of a word at either end."""
    return f" {as_words(text.lower().replace('\0', ' ')).decode('ascii')} "
