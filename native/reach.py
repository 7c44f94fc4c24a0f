"""How far apart the ends of a match can be: the most words that a pattern's matches hold."""

import importlib
from collections.abc import Iterable, Mapping
from functools import reduce
from math import inf
from typing import Any

from automata import WORD, symbols_of

UNBOUNDED = (1 << 32) - 1
_parser: Any = importlib.import_module("re._parser")

Ends = tuple[bool, bool]
"""Whether a text begins with a character of words, and whether it ends with one."""
Most = Mapping[Ends | None, float]
"""By their ends, the most words in texts that match; None stands for the empty text."""
_EMPTY: Most = {None: 0}
_SETTLED = 4
"""Repeats after which an endless one holds no more words, unless each repeat adds some."""


def most_words(pattern: str) -> int | None:
    """Runs of letters, digits and underscores (RE2's \\w) that a match holds or touches; None if there is no limit."""
    most = max(_sequence(_parser.parse(pattern)).values())
    return None if most == inf else int(most)


def _sequence(parsed: Iterable[Any]) -> Most:
    return reduce(_then, (_one(str(operator), argument) for operator, argument in parsed), _EMPTY)


def _one(operator: str, argument: Any) -> Most:
    match operator:
        case "LITERAL" | "NOT_LITERAL" | "IN" | "ANY":
            kinds = {symbol in WORD for symbol in symbols_of(operator, argument, ignore_case=True)}
            return {(kind, kind): int(kind) for kind in kinds}
        case "AT":
            return _EMPTY
        case "BRANCH":
            return reduce(_either, map(_sequence, argument[1]))
        case "SUBPATTERN":
            return _sequence(argument[3])
        case "MAX_REPEAT" | "MIN_REPEAT":
            return _repeat(*argument)
        case _:
            raise ValueError(f"a pattern has {operator}, which is not known here")


def _repeat(least: int, most: Any, inside: Any) -> Most:
    once = _either(_sequence(inside), _EMPTY if least == 0 else {})
    found: Most = _EMPTY if least == 0 else once
    endless = str(most) == "MAXREPEAT"
    for _ in range(least + _SETTLED if endless else most):
        longer = _either(found, _then(found, once))
        if longer == found:
            return found
        found = longer
    return dict.fromkeys(found, inf) if endless else found


def _then(first: Most, second: Most) -> Most:
    found: dict[Ends | None, float] = {}
    for before, words in first.items():
        for behind, more in second.items():
            if before is None or behind is None:
                ends, both = before or behind, words + more
            else:
                ends, both = (before[0], behind[1]), words + more - (before[1] and behind[0])
            found[ends] = max(found.get(ends, 0), both)
    return found


def _either(one: Most, other: Most) -> Most:
    return {ends: max(one.get(ends, 0), other.get(ends, 0)) for ends in {**one, **other}}
