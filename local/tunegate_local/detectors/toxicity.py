"""How toxic an English text is: a weighted lexicon of words and short patterns, by Comprehend's seven labels.

It reads words, not intentions: quoted abuse scores like abuse, and abuse without its usual words scores nothing.
Words that offend only as an address ("you idiot") count in full when somebody is addressed. The lexicon is
`toxicity.toml`. Labels: https://docs.aws.amazon.com/comprehend/latest/dg/trust-safety.html
"""

import re
import unicodedata
from collections.abc import Iterable

from tunegate_local.detectors.scoring import combine, severity, table

LABELS = ("GRAPHIC", "HARASSMENT_OR_ABUSE", "HATE_SPEECH", "INSULT", "PROFANITY", "SEXUAL", "VIOLENCE_OR_THREAT")
# Guardrails' content filter categories by the entries of the lexicon that speak for them.
CONTENT_CATEGORIES = {
    "VIOLENCE": ("VIOLENCE_OR_THREAT", "GRAPHIC"),
    "HATE": ("HATE_SPEECH",),
    "SEXUAL": ("SEXUAL",),
    "MISCONDUCT": ("MISCONDUCT",),
    "INSULTS": ("INSULT", "HARASSMENT_OR_ABUSE", "PROFANITY"),
}

_LEXICON = {
    name: [(row["weight"], re.compile(rf"(?<!\w)(?:{row['expression']})(?!\w)")) for row in rows]
    for name, rows in table("toxicity.toml").items()
}


def labels(text: str) -> dict[str, float]:
    """All seven labels with a score from 0 to 1.

    >>> labels("Thanks, that solved it.")["INSULT"]
    0.0
    """
    folded = _fold(text)
    return {label: _weigh(folded, label) for label in LABELS}


def content_severities(texts: Iterable[str]) -> dict[str, float]:
    """Guardrails' five content filter categories for the texts of a request, in its steps of 0.2."""
    folded = [_fold(text) for text in texts]
    return {
        category: severity(max((_weigh(text, source) for text in folded for source in sources), default=0.0))
        for category, sources in CONTENT_CATEGORIES.items()
    }


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").casefold()
    return " ".join("".join(c for c in plain if unicodedata.category(c) != "Cf").split())


def _weigh(folded: str, name: str) -> float:
    return combine(weight for weight, pattern in _LEXICON[name] if pattern.search(folded))
