"""Automata that say, character by character of a text, which of many patterns or words end there.

A text is read as one byte a character: ASCII as it is, OTHER for everything else.
"""

import importlib
import re
from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

OTHER = 0x80
SYMBOLS = range(OTHER + 1)
_parser: Any = importlib.import_module("re._parser")
WORD = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
_DIGITS = frozenset(b"0123456789")
_SPACE = frozenset(b"\t\n\f\r ")  # RE2's \s, which has no vertical tab
_ALL = frozenset(SYMBOLS)
_CATEGORIES = {
    "CATEGORY_WORD": WORD,
    "CATEGORY_NOT_WORD": _ALL - WORD,
    "CATEGORY_DIGIT": _DIGITS,
    "CATEGORY_NOT_DIGIT": _ALL - _DIGITS,
    "CATEGORY_SPACE": _SPACE,
    "CATEGORY_NOT_SPACE": _ALL - _SPACE,
}


@dataclass(frozen=True, slots=True)
class Automaton:
    """`steps[state][classes[symbol]]` is the next state; `outputs[state]` are the numbers of what ends there.

    The start is state 0. States without outputs stand before all others.
    """

    classes: Sequence[int]
    steps: Sequence[Sequence[int]]
    outputs: Sequence[Sequence[int]]

    @property
    def quiet(self) -> int:
        """How many states have no outputs."""
        return sum(not output for output in self.outputs)


def of_words(words: Sequence[bytes], view: Sequence[int]) -> Automaton:
    """Which of `words` end at a place (Aho-Corasick). `view` says as which byte of words each symbol is read."""
    classes, count = _classes(dict(enumerate(view)))
    class_of = {byte: classes[symbol] for symbol, byte in enumerate(view)}
    children: list[dict[int, int]] = [{}]
    outputs: list[set[int]] = [set()]
    for number, word in enumerate(words):
        at = 0
        for byte in word:
            if class_of[byte] not in children[at]:
                children[at][class_of[byte]] = len(children)
                children.append({})
                outputs.append(set())
            at = children[at][class_of[byte]]
        outputs[at].add(number)
    steps = [[children[0].get(letter, 0) for letter in range(count)]] + [[]] * (len(children) - 1)
    fallback = [0] * len(children)
    order = deque(children[0].values())
    while order:
        at = order.popleft()
        outputs[at] |= outputs[fallback[at]]
        steps[at] = [children[at].get(letter, step) for letter, step in enumerate(steps[fallback[at]])]
        for letter, child in children[at].items():
            fallback[child] = steps[fallback[at]][letter]
            order.append(child)
    return _ordered(classes, steps, outputs)


@dataclass(slots=True)
class _Node:
    """A place in a pattern: what it reads, or that it needs the border of a word, and where it leads."""

    symbols: frozenset[int] = frozenset()
    border: bool = False
    accepts: int | None = None
    after: list[int] = field(default_factory=list)

    @property
    def is_fork(self) -> bool:
        return not self.symbols and not self.border and self.accepts is None


@dataclass(frozen=True, slots=True)
class Places:
    """Patterns as places that are stood at before the next character is known.

    `reads[place]` are the classes a place reads and `after[place]` where one stands then. `crossed[place]` is where a
    place that needs the border of a word leads; it reads nothing. `ends[place]` is the pattern that ends at a place.
    `words` are the classes of characters of words.
    """

    classes: Sequence[int]
    words: frozenset[int]
    starts: Sequence[int]
    reads: Sequence[frozenset[int]]
    after: Sequence[Sequence[int]]
    crossed: Sequence[Sequence[int]]
    ends: Sequence[int | None]


def of_patterns(patterns: Sequence[str]) -> Places:
    """The places of `patterns` (RE2). A pattern that ends with the border of a word ends one character later."""
    return _Patterns(patterns).places()


class _Patterns:
    """Patterns as nodes that lead to nodes (Thompson)."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._nodes: list[_Node] = []
        self._starts = []
        for number, pattern in enumerate(patterns):
            parsed = _parser.parse(pattern)
            ignore_case = bool(parsed.state.flags & re.IGNORECASE)
            self._starts.append(self._sequence(parsed, self._node(accepts=number), ignore_case=ignore_case))

    def places(self) -> Places:
        """The nodes that are no forks, numbered anew."""
        kept = [at for at, node in enumerate(self._nodes) if not node.is_fork]
        number = {at: new for new, at in enumerate(kept)}
        nodes = [self._nodes[at] for at in kept]
        classes, _ = _classes({symbol: self._read_by(symbol) for symbol in SYMBOLS})

        def standing(places: Iterable[int], *, cross: bool = False) -> list[int]:
            return sorted(number[at] for at in self._standing(places, cross=cross))

        return Places(
            classes,
            frozenset(classes[symbol] for symbol in WORD),
            standing(self._starts),
            [frozenset(classes[symbol] for symbol in node.symbols) for node in nodes],
            [standing(node.after) if node.symbols else [] for node in nodes],
            [standing(node.after, cross=True) if node.border else [] for node in nodes],
            [node.accepts for node in nodes],
        )

    def _read_by(self, symbol: int) -> Hashable:
        """What tells a symbol from others: by which nodes it is read, and whether it is of a word."""
        return symbol in WORD, frozenset(at for at, node in enumerate(self._nodes) if symbol in node.symbols)

    def _standing(self, nodes: Iterable[int], *, cross: bool) -> frozenset[int]:
        """The nodes reached without reading anything; through borders of words only where `cross` says so."""
        found, pending = set[int](), list(nodes)
        while pending:
            at = pending.pop()
            if at not in found:
                found.add(at)
                if self._nodes[at].is_fork or (cross and self._nodes[at].border):
                    pending.extend(self._nodes[at].after)
        return frozenset(at for at in found if not self._nodes[at].is_fork)

    def _node(self, **what: Any) -> int:
        self._nodes.append(_Node(**what))
        return len(self._nodes) - 1

    def _sequence(self, parsed: Iterable[Any], end: int, *, ignore_case: bool) -> int:
        """The place from which `parsed` leads to `end`."""
        for operator, argument in reversed(list(parsed)):
            end = self._one(str(operator), argument, end, ignore_case=ignore_case)
        return end

    def _one(self, operator: str, argument: Any, end: int, *, ignore_case: bool) -> int:
        match operator:
            case "LITERAL" | "NOT_LITERAL" | "IN" | "ANY":
                return self._node(symbols=symbols_of(operator, argument, ignore_case=ignore_case), after=[end])
            case "AT" if str(argument) == "AT_BOUNDARY":
                return self._node(border=True, after=[end])
            case "BRANCH":
                ways = [self._sequence(way, end, ignore_case=ignore_case) for way in argument[1]]
                return self._node(after=ways)
            case "SUBPATTERN":
                _, added, _, inside = argument
                return self._sequence(inside, end, ignore_case=ignore_case or bool(added & re.IGNORECASE))
            case "MAX_REPEAT" | "MIN_REPEAT":
                return self._repeat(*argument, end=end, ignore_case=ignore_case)
            case _:
                raise ValueError(f"a pattern has {operator}, which is not known here")

    def _repeat(self, least: int, most: Any, inside: Any, *, end: int, ignore_case: bool) -> int:
        if str(most) == "MAXREPEAT":
            loop = self._node()
            self._nodes[loop].after = [self._sequence(inside, loop, ignore_case=ignore_case), end]
            at = loop
        else:
            at = end
            for _ in range(most - least):
                at = self._node(after=[self._sequence(inside, at, ignore_case=ignore_case), end])
        for _ in range(least):
            at = self._sequence(inside, at, ignore_case=ignore_case)
        return at


def symbols_of(operator: str, argument: Any, *, ignore_case: bool) -> frozenset[int]:
    """What one place of a parsed pattern reads."""
    if operator == "ANY":
        return _ALL - {ord("\n")}
    if operator != "IN":
        found = _cased(_symbol(argument), ignore_case)
        return found if operator == "LITERAL" else _ALL - found
    found, negated = frozenset[int](), False
    for kind, value in argument:
        match str(kind):
            case "NEGATE":
                negated = True
            case "LITERAL":
                found |= _cased(_symbol(value), ignore_case)
            case "RANGE":
                for point in range(value[0], min(value[1], OTHER) + 1):
                    found |= _cased(_symbol(point), ignore_case)
            case "CATEGORY":
                found |= _CATEGORIES[str(value)]
    # Of what is no ASCII only some may be meant, or all but some: what may match is taken to match.
    return (_ALL - found) | {OTHER} if negated else found


def _symbol(point: int) -> int:
    return min(point, OTHER)


def _cased(symbol: int, ignore_case: bool) -> frozenset[int]:
    letter = chr(symbol)
    return (
        frozenset(map(ord, (letter.lower(), letter.upper()))) if ignore_case and symbol < OTHER else frozenset({symbol})
    )


def _classes(told_by: Mapping[int, Hashable]) -> tuple[list[int], int]:
    """A class for each symbol, and how many there are: symbols told by the same are of one class.

    What is frequent in texts has the first numbers, so that little of a table is read for most of a text.
    """
    numbers: dict[Hashable, int] = {}
    for symbol in (*b" etaoinsrhldcumfpgwybvkxjqz,.", *SYMBOLS):
        numbers.setdefault(told_by[symbol], len(numbers))
    return [numbers[told_by[symbol]] for symbol in SYMBOLS], len(numbers)


def _ordered(classes: Sequence[int], steps: Sequence[Sequence[int]], outputs: Sequence[set[int]]) -> Automaton:
    """The same, with the states that have outputs behind the others."""
    order = sorted(range(len(steps)), key=lambda at: bool(outputs[at]))
    number = {old: new for new, old in enumerate(order)}
    return Automaton(classes, [[number[to] for to in steps[at]] for at in order], [sorted(outputs[at]) for at in order])
