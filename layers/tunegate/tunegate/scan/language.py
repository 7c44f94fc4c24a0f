"""The language of a text, to choose the service that understands it. Compact Language Detector 3 does the work."""

from functools import cache, lru_cache

import gcld3

_ENOUGH_LETTERS = 16
_SAMPLE_CHARACTERS = 600


def language_of(text: str, default: str = "en") -> str:
    """ISO 639-1 code, or `default` where the text is too short or too mixed to tell."""
    return _detect(text[:_SAMPLE_CHARACTERS]) or default


@lru_cache(maxsize=4096)
def _detect(sample: str) -> str | None:
    letters = sum(map(str.isalpha, sample))
    if letters < _ENOUGH_LETTERS and sample.isascii():
        return None
    found = _identifier().FindLanguage(text=sample)
    return str(found.language).split("-")[0] if found.is_reliable else None


@cache
def _identifier() -> "gcld3.NNetLanguageIdentifier":
    return gcld3.NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=1000)
