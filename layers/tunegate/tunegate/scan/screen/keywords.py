"""Words of rules, all looked for in one pass (Aho-Corasick); rules are bits by their number."""

from collections.abc import Iterable, Sequence

import ahocorasick_rs


def automaton(words: Iterable[str]) -> ahocorasick_rs.BytesAhoCorasick:
    patterns = [word.encode() for word in words]
    return ahocorasick_rs.BytesAhoCorasick(patterns, implementation=ahocorasick_rs.Implementation.DFA)


def by_word(rules: Iterable[tuple[int, Sequence[str]]]) -> dict[str, int]:
    """For each word the rules it is one of, as bits."""
    found: dict[str, int] = {}
    for rule, words in rules:
        for word in words:
            found[word] = found.get(word, 0) | 1 << rule
    return found


class RuleWords:
    """Which rules have one of their words in texts that are searched together.

    Of a phrase its longest word is looked for, so that it is a trace of the phrase wherever texts divide it.
    """

    def __init__(self, rules: Iterable[Sequence[str]]) -> None:
        numbered = list(enumerate(rules))
        words = by_word(
            (rule, [max(word.split(), key=len) for word in words if word.strip()]) for rule, words in numbered
        )
        self._rules = list(words.values())
        self._search = automaton(words)
        self.asking_none = sum(1 << rule for rule, words in numbered if not words)

    def of(self, joined: bytes, starts: Sequence[int]) -> list[int]:
        """For each text the rules that have a word in it, as bits."""
        found = [0] * (len(starts) - 1)
        at = 0
        border = starts[1]
        for word, _, end in self._search.find_matches_as_indexes(joined, overlapping=True):
            while end > border:
                at += 1
                border = starts[at + 1]
            found[at] |= self._rules[word]
        return found
