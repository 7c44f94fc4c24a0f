"""Prompt attacks by rule: what the text asks the model to do to its instructions, in one sentence."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunegate.model import Category
from tunegate.scan.screen.hits import Hit
from tunegate.scan.screen.patterns import Pattern

DATA = Path(__file__).parent / "data"
AROUND = 500  # characters on either side of a match in which `require_text` is looked for
SCORE = 0.9
WORD = re.compile(r"<(\w+)>")


@dataclass(frozen=True, slots=True)
class Attack:
    """One rule of attacks.toml. `script` rules read the text with its own letters, all others the folded text."""

    type: str
    pattern: Pattern
    keywords: tuple[str, ...]
    companions: tuple[str, ...] = ()
    require: Pattern | None = None
    require_text: Pattern | None = None
    unless: Pattern | None = None
    script: bool = False


class Attacks:
    """All rules of attacks.toml."""

    def __init__(self) -> None:
        document = tomllib.loads((DATA / "attacks.toml").read_text("utf-8"))
        self.rules = [_rule(entry, document["words"]) for entry in document["attack"]]

    def find(self, text: str, awake: Iterable[int]) -> Iterator[Hit]:
        """Hits of the rules in `awake`: those of which `text` holds the keywords."""
        for at in awake:
            rule = self.rules[at]
            for match in rule.pattern.finditer(text):
                begin, end = match.span()
                if end > begin and _meant(rule, text, begin, end):
                    yield Hit(Category.PROMPT_ATTACK, rule.type, begin, end, SCORE, rank=2)
                    break  # one sentence proves the attack; the same rule need not count its echoes


def _rule(entry: Mapping[str, Any], words: Mapping[str, str]) -> Attack:
    patterns = {
        name: Pattern("(?i)" + _filled(entry[name], words))
        for name in ("pattern", "require", "require_text", "unless")
        if name in entry
    }
    return Attack(
        entry["type"],
        keywords=tuple(entry["keywords"]),
        companions=tuple(entry.get("with", ())),
        script=entry.get("script", False),
        **patterns,
    )


def _filled(source: str, words: Mapping[str, str]) -> str:
    """`source` with the vocabulary put in for each <name> that is one."""
    return WORD.sub(lambda match: words.get(match[1], match[0]), source)


def _meant(rule: Attack, text: str, begin: int, end: int) -> bool:
    found = text[begin:end]
    if rule.require is not None and not rule.require.search(found):
        return False
    if rule.unless is not None and rule.unless.search(found):
        return False
    around = text[max(0, begin - AROUND) : end + AROUND]
    return rule.require_text is None or bool(rule.require_text.search(around))
