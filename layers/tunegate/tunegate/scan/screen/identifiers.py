"""Identifiers of people and accounts: patterns first, then form, check digits and the words around them."""

import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunegate.model import Category, value_digest
from tunegate.scan.screen import checks
from tunegate.scan.screen.hits import Hit
from tunegate.scan.screen.normalize import fold
from tunegate.scan.screen.patterns import Pattern, compile_all, edges

DATA = Path(__file__).parent / "data"
CONTEXT_BEFORE, CONTEXT_AFTER = 80, 40  # characters searched for a context word on either side of a number
CONTEXT_SCORE = 0.85
SHORTEST = 5
"""Characters of a text that holds an identifier: of an IPv6 address; all others are longer."""
# What every identifier has one of: six digits with nothing but separators between them, or a shape or a word that
# stands for fewer. Most texts have none of it, which is found out for far less than the rules cost.
FORMS = "|".join(
    (
        r"(?:\d[ ().\-/]*){6}",
        r"[A-Za-z0-9]@[A-Za-z0-9]|[\[({] ?(?i:at|@)",
        r"\d\.\d{1,3}\.\d{1,3}\.\d|:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:",
        r"(?:[0-9A-Fa-f]{2}-){5}|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]",
        r"[A-Z]{5}\d{4}[A-Z]|(?i:[A-Z]{6}\d{2}[A-Z]\d{2})|[A-HJ-NPR-Z0-9]{17}",
        r"[13][1-9A-HJ-NP-Za-km-z]{25}|(?i:0x[0-9a-f]{40})|[1-9][A-Z][0-9A-Z]\d-?[A-Z][0-9A-Z]\d",
    )
)
WORDS = (
    *("passport", "pasaporte", "passeport", "reisepass", "passaport", "driv", "licenc", "licens", "permis"),
    *("fuhrerschein", "führerschein", "bc1"),
    *("パスポート", "旅券", "护照", "паспорт", "運転免許"),
)
WORD_STARTS, WHOLE_WORDS = ("cvv", "cvc", "cvn", "card "), ("dl", "pin")
# Of a text with one of these words an identifier may be that has no digits; all others have some.
BANKS, WHOLE_BANKS = ("swift",), ("bic",)


@dataclass(frozen=True, slots=True)
class Identifier:
    """One entry of identifiers.toml, ready to run; `by_context` is the freer pattern that needs a context word."""

    type: str
    pattern: Pattern
    by_context: bool
    context: Pattern | None
    check: Callable[[str], bool]
    group: int
    edge: frozenset[str]
    never_after: Pattern | None
    alone: bool
    rank: int


class Identifiers:
    """All identifiers of identifiers.toml."""

    def __init__(self) -> None:
        entries = tomllib.loads((DATA / "identifiers.toml").read_text("utf-8"))["identifier"]
        self.rules = [rule for entry in entries for rule in _rules(entry)]
        contexts = {rule.context.source: rule.context for rule in self.rules if rule.context is not None}
        numbers = {source: len(self.rules) + at for at, source in enumerate(contexts)}
        self._needs = [numbers[rule.context.source] if rule.context else None for rule in self.rules]
        self._any = compile_all([*(rule.pattern.source for rule in self.rules), *map(loosened, contexts)])

    def awake(self, text: str) -> int:
        """The rules, as bits, whose pattern matches in a text with one of FORMS or a word, and their context in it."""
        held = frozenset(self._any.Match(text) or ())
        rules = (at for at in held if at < len(self.rules))
        return sum(1 << at for at in rules if self._needs[at] is None or self._needs[at] in held)

    def find(self, text: str, awake: Iterable[int]) -> Iterator[Hit]:
        """Hits of the rules in `awake`."""
        for at in awake:
            yield from matches(self.rules[at], text)


def loosened(context: str) -> str:
    """A pattern that matches in any text of which `context` matches a window.

    A window may begin and end within a word, and what is put into its gap begins and ends with a space.
    """
    return context.replace(r"\b", "").replace(" ", " ?")


def _rules(entry: dict[str, Any]) -> Iterator[Identifier]:
    # What they are looked for in is folded: Cyrillic letters that look like Latin ones are Latin there.
    context = Pattern("(?i)" + fold(entry["context"]).text) if "context" in entry else None
    loose = entry.get("loose", entry["pattern"] if context else None)
    for source, by_context in ((entry["pattern"], False), (loose, True)):
        if source and (by_context or "loose" in entry or not context):
            yield Identifier(
                entry["type"],
                Pattern(source, captures="group" in entry),
                by_context,
                context if by_context else None,
                _check(entry, by_context),
                entry.get("group", 0),
                edges(entry.get("edge", "0-9A-Za-z_")),
                Pattern(entry["never_after"]) if "never_after" in entry else None,
                entry.get("alone", False),
                entry["rank"],
            )


def _check(entry: dict[str, Any], by_context: bool) -> Callable[[str], bool]:
    name = entry.get("loose_check", entry.get("check")) if by_context else entry.get("check")
    return checks.named(name) if name else _anything


def _anything(_: str) -> bool:
    return True


def matches(rule: Identifier, text: str) -> Iterator[Hit]:
    for match in rule.pattern.finditer(text):
        begin, end = match.span(rule.group)
        value = text[begin:end]
        if rule.type == "INTERNATIONAL_BANK_ACCOUNT_NUMBER":
            end = begin + checks.bank_code(value)
            value = text[begin:end]
        if not value or not _stands_alone(text, begin, end, rule.edge) or not rule.check(value):
            continue
        if _in_place(rule, text, begin, end):
            score = CONTEXT_SCORE if rule.by_context else 1.0
            yield Hit(Category.PII, rule.type, begin, end, score, value_digest(value), rule.rank)


def _stands_alone(text: str, begin: int, end: int, edge: frozenset[str]) -> bool:
    """No edge character touches it; a full stop behind it is the sentence's unless something follows it."""
    if begin > 0 and text[begin - 1] in edge:
        return False
    after = text[end : end + 2]
    return not after or after[0] not in edge or (after[0] in ".-" and not after[1:].isalnum())


def _in_place(rule: Identifier, text: str, begin: int, end: int) -> bool:
    """What stands around the match does not speak against it and, where that is needed, speaks for it."""
    if rule.never_after is not None and rule.never_after.holds(text[max(0, begin - 16) : begin]):
        return False
    spaced_phone = rule.type == "PHONE" and " " in text[begin:end] and text[begin:end].replace(" ", "").isdigit()
    if (rule.alone or spaced_phone) and _in_a_row(text, begin, end):
        return False
    return rule.context is None or _spoken_of(rule.context, text, begin, end)


def _in_a_row(text: str, begin: int, end: int) -> bool:
    """More groups of digits before or after it: a longer number, or a row of a table."""
    before, after = text[max(0, begin - 2) : begin], text[end : end + 2]
    return (before[:1].isdigit() and before[1:] in (" ", "-")) or (after[:1] in (" ", "-") and after[1:].isdigit())


def _spoken_of(context: Pattern, text: str, begin: int, end: int) -> bool:
    return context.holds(text[max(0, begin - CONTEXT_BEFORE) : begin] + " | " + text[end : end + CONTEXT_AFTER])
