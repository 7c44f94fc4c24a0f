"""The language of a text, to choose the service that understands it. Compact Language Detector 3 does the work."""

from functools import cache, lru_cache

import gcld3

_ENOUGH_LETTERS = 16
_SAMPLE_CHARACTERS = 600
# Short Spanish is often taken for its neighbours, and a model of Spanish reads those better than one of English does.
_READ_AS = {"gl": "es", "ca": "es", "ast": "es"}


def language_of(text: str, default: str = "en") -> str:
    """ISO 639-1 code, or `default` where the text is too short or too mixed to tell."""
    return _detect(text[:_SAMPLE_CHARACTERS]) or default


@lru_cache(maxsize=4096)
def _detect(sample: str) -> str | None:
    letters = sum(map(str.isalpha, sample))
    if letters < _ENOUGH_LETTERS and sample.isascii():
        return None
    found = _identifier().FindLanguage(text=sample)
    language = str(found.language).split("-")[0]
    if language in _READ_AS:
        return _READ_AS[language]
    return language if found.is_reliable else None


@cache
def _identifier() -> "gcld3.NNetLanguageIdentifier":
    return gcld3.NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=1000)
