"""The answers to what the sieve asks: each rule and each kind of finding, of the texts that it could be in."""

from collections.abc import Callable, Iterator, Sequence

from tunegate.scan.screen.engine import SEAM_MARGIN, Engine
from tunegate.scan.sieve import Asked, Kind, OfText

MOST_CHARACTERS = 4_000_000
"""Of texts whose answers are remembered."""


class Answers:
    """Answers, and those given before: short texts repeat from record to record."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[tuple[float, int, str], bool] = {}
        self._characters = 0

    def forget(self) -> None:
        self._known, self._characters = {}, 0

    def yes(self, asked: Asked) -> set[int]:
        """Whose texts hold something."""
        return {
            *self._of_rules(asked),
            *self._of_texts(asked.of_texts, 0.0, self._engine.hiding),
            *self._of_texts(asked.of_stretches, SEAM_MARGIN, self._engine.hiding_across),
        }

    def _of_rules(self, asked: Asked) -> Iterator[int]:
        for rule, joined, starts, owners in asked.of_rules:
            for at in self._engine.of_rule(rule, joined, starts):
                yield owners[at]

    def _of_texts(
        self, texts: Sequence[OfText], margin: float, hiding: Callable[[Sequence[str]], set[int]]
    ) -> Iterator[int]:
        if self._characters > MOST_CHARACTERS:
            self.forget()
        known = self._known
        new = {(margin, kinds, value): None for _, kinds, value in texts if (margin, kinds, value) not in known}
        hidden = [value for _, kinds, value in new if kinds & Kind.HIDDEN]
        held = {hidden[at] for at in hiding(hidden)}
        for margin_, kinds, value in new:
            known[margin_, kinds, value] = value in held or self._engine.holds(kinds, value, margin_)
            self._characters += len(value)
        return (owner for owner, kinds, value in texts if known[margin, kinds, value])
