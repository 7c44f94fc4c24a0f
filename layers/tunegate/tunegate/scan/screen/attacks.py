"""Prompt attacks by rule: what the text asks the model to do to its instructions, in one sentence."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import re2

from tunegate.model import Category
from tunegate.scan.screen.hits import Hit, bits
from tunegate.scan.screen.patterns import Among, Finder, Pattern
from tunegate.scan.screen.words import as_words

DATA = Path(__file__).parent / "data"
AROUND = 500  # characters on either side of a match in which `require_text` is looked for
SCORE = 0.9
WORD = re.compile(r"<(\w+)>")


@dataclass(frozen=True, slots=True)
class Attack:
    """One rule of attacks.toml. `script` rules read the text with its own letters, all others the folded text.

    `apart`: its keywords and companions may stand anywhere in the text; those of all others stand in the match.
    """

    type: str
    pattern: Pattern
    keywords: tuple[str, ...]
    companions: tuple[str, ...] = ()
    require: Pattern | None = None
    require_text: Pattern | None = None
    unless: Pattern | None = None
    script: bool = False
    apart: bool = False


class Attacks:
    """All rules of attacks.toml."""

    def __init__(self) -> None:
        document = tomllib.loads((DATA / "attacks.toml").read_text("utf-8"))
        self.rules = [_rule(entry, document["words"]) for entry in document["attack"]]
        self.among = [Among(rule.pattern.source) for rule in self.rules]
        self.script_keywords = sorted({word for rule in self.rules if rule.script for word in rule.keywords})
        self._in_script = Finder("|".join(map(re2.escape, self.script_keywords)))

    def find(self, text: str, awake: Iterable[int]) -> Iterator[Hit]:
        """Hits of the rules in `awake`: the first match of each that holds its keywords and is meant as an attack."""
        for at in awake:
            rule = self.rules[at]
            for match in rule.pattern.finditer(text):
                begin, end = match.span()
                if end > begin and _keyed(rule, text, begin, end) and _meant(rule, text, begin, end):
                    yield Hit(Category.PROMPT_ATTACK, rule.type, begin, end, SCORE, rank=2)
                    break  # one sentence proves the attack; the same rule need not count its echoes

    def in_script(self, lowered: str) -> bool:
        """Whether the text holds a keyword of one of the rules for other scripts."""
        return self._in_script.search(lowered.encode("utf-8", "replace")) is not None

    def plain(self, rules: int) -> Iterator[int]:
        """Of rules, as bits, the numbers of those that read the folded text."""
        return (at for at in bits(rules) if not self.rules[at].script)


def _rule(entry: Mapping[str, Any], words: Mapping[str, str]) -> Attack:
    patterns = {
        name: Pattern("(?i)" + _filled(entry[name], words))
        for name in ("pattern", "require", "require_text", "unless")
        if name in entry
    }
    script = entry.get("script", False)
    keywords = entry["keywords"] if script else map(as_words, entry["keywords"])
    return Attack(
        entry["type"],
        keywords=tuple(keywords),
        companions=tuple(entry.get("with", ())),
        script=script,
        apart=entry.get("apart", False),
        **patterns,
    )


def _filled(source: str, words: Mapping[str, str]) -> str:
    """`source` with the vocabulary put in for each <name> that is one."""
    return WORD.sub(lambda match: words.get(match[1], match[0]), source)


def _keyed(rule: Attack, text: str, begin: int, end: int) -> bool:
    """Whether a match, or the text, holds one of the companions of the rule and one of its keywords, as words."""
    if rule.apart:
        begin, end = 0, len(text)
    lowered = text[max(0, begin - 1) : end + 1].lower()
    if rule.companions and not any(word in lowered for word in rule.companions):
        return False
    if rule.script:
        return any(keyword in lowered for keyword in rule.keywords)
    before, after = " " * (begin == 0), " " * (end >= len(text))
    read = f"{before}{as_words(lowered)}{after}"
    return any(keyword in read for keyword in rule.keywords)


def _meant(rule: Attack, text: str, begin: int, end: int) -> bool:
    found = text[begin:end]
    if rule.require is not None and not rule.require.holds(found):
        return False
    if rule.unless is not None and rule.unless.holds(found):
        return False
    around = text[max(0, begin - AROUND) : end + AROUND]
    return rule.require_text is None or rule.require_text.holds(around)
