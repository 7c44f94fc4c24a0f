"""The words view of a text: lower case, and a space for every character that is no ASCII letter or digit.

Keywords and the model's n-grams are plain substrings of it; a space in one is the border of a word. Characters keep
their places, so a place in the view is a place in the text.
"""

import string

_KEPT = (string.ascii_lowercase + string.digits).encode()
_TABLE = bytes(c if c in _KEPT else 32 for c in range(256))


def as_words(lowered: str) -> str:
    """The view of text in lower case."""
    return lowered.encode("ascii", "replace").translate(_TABLE).decode("ascii")
