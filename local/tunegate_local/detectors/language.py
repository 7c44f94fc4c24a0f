"""Which language a text is in: by its commonest words where it is short, else by Google's CLD3 (offline).

CLD3 takes a Spanish sentence of ten words for Esperanto; a sentence of ten words has three of its language's
commonest, which spaCy lists.
"""

import re
import threading

import gcld3
from spacy.lang.de.stop_words import STOP_WORDS as GERMAN_WORDS
from spacy.lang.en.stop_words import STOP_WORDS as ENGLISH_WORDS
from spacy.lang.es.stop_words import STOP_WORDS as SPANISH_WORDS
from spacy.lang.fr.stop_words import STOP_WORDS as FRENCH_WORDS
from spacy.lang.it.stop_words import STOP_WORDS as ITALIAN_WORDS
from spacy.lang.pt.stop_words import STOP_WORDS as PORTUGUESE_WORDS

from tunegate_local.detectors.pii_patterns import ANY, ENGLISH, SPANISH

_MOST_BYTES = 100_000
_SURE = 0.9
_SHORT = 400
_COMMON_WORDS = {
    "de": GERMAN_WORDS,
    "en": ENGLISH_WORDS,
    "es": SPANISH_WORDS,
    "fr": FRENCH_WORDS,
    "it": ITALIAN_WORDS,
    "pt": PORTUGUESE_WORDS,
}

# The detector keeps buffers between calls, so threads take turns.
_lock = threading.Lock()
_detector = gcld3.NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=_MOST_BYTES)


def guesses(text: str, most: int = 3) -> list[tuple[str, float]]:
    """Language codes with a score from 0 to 1, likeliest first; nothing for a text without letters."""
    if len(text) <= _SHORT and (language := _by_common_words(text)):
        return [(language, _SURE)]
    with _lock:
        found = _detector.FindTopNMostFreqLangs(text, most)
        return [(guess.language, guess.probability * guess.proportion) for guess in found if guess.language != "und"]


def pipeline(text: str) -> str:
    """The analyser's pipeline for a text of unknown language: English unless it is surely something else."""
    language, score = next(iter(guesses(text, 1)), (ENGLISH, 0.0))
    if language in (ENGLISH, SPANISH) and score >= _SURE:
        return language
    return ENGLISH if text.isascii() else ANY


def _by_common_words(text: str) -> str | None:
    """The language with most of its commonest words in the text: at least three, and more than any other."""
    words = set(re.findall(r"[^\W\d_]+", text.casefold()))
    counts = sorted(((len(words & common), code) for code, common in _COMMON_WORDS.items()), reverse=True)
    (most, language), (second, _) = counts[:2]
    return language if most >= 3 and most > second else None
