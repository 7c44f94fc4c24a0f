"""One pass over a text that says which rules could match at all; most texts of real training data wake none."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import ahocorasick_rs


class Gate:
    """Keywords of all rules in one Aho-Corasick automaton.

    A rule wakes when the text holds one of its keywords and, where it has companions, one of those too.
    `watched` are words that are only reported.
    """

    def __init__(self, rules: Iterable[tuple[int, Sequence[str], Sequence[str]]], watched: Iterable[str]) -> None:
        self._first: dict[str, set[int]] = defaultdict(set)
        self._second: dict[str, set[int]] = defaultdict(set)
        for rule, keywords, companions in rules:
            for keyword in keywords:
                self._first[keyword].add(rule)
            for keyword in companions or ("",):
                self._second[keyword].add(rule)
        self._words = sorted({*self._first, *self._second, *watched} - {""})
        self._search = ahocorasick_rs.AhoCorasick(self._words, implementation=ahocorasick_rs.Implementation.DFA)

    def seen(self, lowered: str) -> set[str]:
        """The keywords that the text holds."""
        return {self._words[match[0]] for match in self._search.find_matches_as_indexes(lowered, overlapping=True)}

    def awake(self, seen: set[str]) -> list[int]:
        """The rules that could match, in order."""
        first = _rules(seen, self._first)
        return sorted(first & (_rules(seen, self._second) | self._second[""])) if first else []


def _rules(words: Iterable[str], table: Mapping[str, set[int]]) -> set[int]:
    return set().union(*(table[word] for word in words if word in table))
