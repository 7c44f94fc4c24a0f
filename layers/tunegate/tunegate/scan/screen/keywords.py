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
