"""One pass over a text that says which rules could match at all; most texts of real training data wake none."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import ahocorasick_rs


class Gate:
    """Keywords of all rules in one Aho-Corasick automaton.

    A rule wakes when the text holds one of its keywords and, where it has companions, one of those too. Companions are
    common words, so they are looked for only then. `watched` are words that are only reported.
    """

    def __init__(self, rules: Iterable[tuple[int, Sequence[str], Sequence[str]]], watched: Iterable[str]) -> None:
        self._rules: dict[str, set[int]] = defaultdict(set)
        self._companions: dict[int, Sequence[str]] = {}
        for rule, keywords, companions in rules:
            self._companions[rule] = companions
            for keyword in keywords:
                self._rules[keyword].add(rule)
        self._words = sorted({*self._rules, *watched})
        self._search = ahocorasick_rs.AhoCorasick(self._words, implementation=ahocorasick_rs.Implementation.DFA)

    def seen(self, lowered: str) -> set[str]:
        """The keywords that the text holds."""
        return {self._words[match[0]] for match in self._search.find_matches_as_indexes(lowered, overlapping=True)}

    def awake(self, seen: set[str], lowered: str) -> list[int]:
        """The rules that could match, in order."""
        rules = set().union(*(self._rules[word] for word in seen if word in self._rules))
        return sorted(rule for rule in rules if self._accompanied(rule, lowered))

    def _accompanied(self, rule: int, lowered: str) -> bool:
        companions = self._companions[rule]
        return not companions or any(word in lowered for word in companions)
