"""Credentials: Gitleaks' rules and our own, found by keyword and pattern, judged by how random the value is."""

import json
import math
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunegate.model import Category, value_digest
from tunegate.scan.screen.hits import Hit
from tunegate.scan.screen.patterns import Among, Pattern, compile_all

DATA = Path(__file__).parent / "data"
NEAR = 80  # characters on either side in which a `near` word counts
# What people write where a secret would stand.
PLACEHOLDER = Pattern(
    r"(?i)your|xxxx|\*\*\*|\.\.\.|<|>|\$\{|\{\{|placeholder|example|changeme|change_me|insert|replace|redacted|dummy|"
    r"my[_-]?(?:secret|token|key|pass)|[_-]here|none|null|undefined|process\.env|os\.environ|getenv|"
    r"(?:password|secret|token|key|name|value|string|str|int)$|^(?:https?|ftp)://|^\w+(?:\.\w+){0,3}\(|^/|^[\w-]+\.(?:com|org|py|js|txt|json|html?|yaml|pem|key)$"
)
LONG_RUN = r"[A-Za-z0-9_/+=.:-]{20}"  # prose has few; every match of a `long` rule holds one
DRAWN = Pattern(r"(?i)generated?\b|\bnew password|random|\bstrong password|example")


@dataclass(frozen=True, slots=True)
class Secret:
    """One rule. `mixed`: kinds of characters the value must hold. `random`: it may be no word, path or placeholder.

    `long`: its keywords are short and common, and each match has a run of LONG_RUN, which is looked for instead.
    """

    id: str
    pattern: Pattern
    keywords: tuple[str, ...]
    entropy: float = 0.0
    mixed: int = 0
    near: Pattern | None = None
    random: bool = False
    long: bool = False
    rank: int = 2


class Secrets:
    """All credential rules; `keywords[i]` are those of rule i."""

    def __init__(self) -> None:
        ours = tomllib.loads((DATA / "secrets.toml").read_text("utf-8"))["secret"]
        theirs = json.loads((DATA / "gitleaks.json").read_text("utf-8"))["rules"]
        self.rules = [_rule(entry, 3) for entry in ours] + [_rule(entry, 2) for entry in theirs]
        self.among = [Among(rule.pattern.source) for rule in self.rules]
        self._long = [at for at, rule in enumerate(self.rules) if rule.long]
        self._any_long = compile_all(self.rules[at].pattern.source for at in self._long)

    def find(self, text: str, awake: Iterable[int]) -> Iterator[Hit]:
        """Hits of the rules in `awake`, where the text holds a keyword of the rule."""
        lowered = text.lower()
        for at in awake:
            rule = self.rules[at]
            if any(keyword in lowered for keyword in rule.keywords):
                yield from matches(rule, text)

    def long(self, text: str) -> int:
        """The `long` rules, as bits, whose pattern matches; all of them are tried in one pass."""
        return sum(1 << self._long[number] for number in self._any_long.Match(text) or ())


def _rule(entry: dict[str, Any], rank: int) -> Secret:
    return Secret(
        entry["id"],
        Pattern(entry["pattern"], captures=True),
        tuple(entry["keywords"]),
        entry.get("entropy", 0.0),
        entry.get("mixed", 0),
        Pattern(entry["near"]) if "near" in entry else None,
        entry.get("random", False),
        entry.get("long", False),
        rank - entry.get("random", False),
    )


def matches(rule: Secret, text: str) -> Iterator[Hit]:
    for match in rule.pattern.finditer(text):
        group = next((at for at, value in enumerate(match.groups(), 1) if value), 0)
        begin, end = match.span(group)
        value = text[begin:end].rstrip(".,;:") if rule.random else text[begin:end]
        if _credible(rule, value) and _near(rule.near, text, begin, end) and not _made_up(rule, text, begin):
            score = 0.8 if rule.random else 1.0
            yield Hit(Category.SECRET, rule.id, begin, begin + len(value), score, value_digest(value), rule.rank)


def _credible(rule: Secret, value: str) -> bool:
    if not value or kinds(value) < rule.mixed or entropy(value) < rule.entropy:
        return False
    return not rule.random or _looks_random(rule, value)


def _looks_random(rule: Secret, value: str) -> bool:
    """Not a placeholder, a path, a call or a name; a key or token also holds digits."""
    if PLACEHOLDER.holds(value) or value.startswith(("$", "%", "#{", "[")):
        return False
    if rule.id == "password_assignment":
        return True
    return sum(char.isdigit() for char in value) >= 3 and any(char.isalpha() for char in value)


def _made_up(rule: Secret, text: str, begin: int) -> bool:
    """A password that was drawn for the reader a moment ago opens nothing yet."""
    return rule.id == "password_assignment" and DRAWN.holds(text[max(0, begin - NEAR) : begin])


def _near(near: Pattern | None, text: str, begin: int, end: int) -> bool:
    return near is None or near.holds(text[max(0, begin - NEAR) : begin] + " " + text[end : end + NEAR])


def kinds(value: str) -> int:
    """How many of lower case, upper case, digits and others `value` holds."""
    lower = any(char.islower() for char in value)
    upper = any(char.isupper() for char in value)
    digit = any(char.isdigit() for char in value)
    other = any(not char.isalnum() for char in value)
    return lower + upper + digit + other


def entropy(value: str) -> float:
    """Shannon entropy of the characters, in bits."""
    counts = Counter(value)
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
