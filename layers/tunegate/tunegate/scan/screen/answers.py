"""The answers to what the sieve asks: each rule and each kind of finding, of the texts that it could be in."""

from collections.abc import Iterator, Sequence

from tunegate.scan.screen.engine import MOST_CHARACTERS, Engine
from tunegate.scan.sieve import Asked, Kind, OfText


class Answers:
    """Answers, and those given before: short texts repeat from record to record."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[tuple[bool, int, str], bool] = {}
        self._characters = 0

    def forget(self) -> None:
        self._known, self._characters = {}, 0

    def yes(self, asked: Asked) -> set[int]:
        """Whose texts may hold something: each where a rule matches, each other where something is found."""
        if self._characters > MOST_CHARACTERS:
            self.forget()
        told = set(self._engine.tracer.matching(asked))
        inside = [one for one in asked.of_texts if one.owner not in told]
        across = [one for one in asked.of_stretches if one.owner not in told]
        return told.union(self._of_texts(inside), self._of_stretches(across))

    def _of_texts(self, texts: Sequence[OfText]) -> Iterator[int]:
        new = self._unknown(texts, across=False)
        traces = [self._engine.tracer.trace(kinds, rules=0) for kinds, _ in new]
        self._engine.uncover([value for _, value in new], traces)
        for (kinds, value), trace in zip(new, traces, strict=True):
            script = kinds & Kind.SCRIPT != 0 and self._engine.in_script(value)
            self._keep(kinds, value, script or bool(self._engine.scan(value, trace)), across=False)
        return (owner for owner, kinds, value in texts if self._known[False, kinds, value])

    def _of_stretches(self, texts: Sequence[OfText]) -> Iterator[int]:
        new = self._unknown(texts, across=True)
        traces = [self._engine.tracer.trace(kinds & Kind.HIDDEN, rules=0) for kinds, _ in new]
        self._engine.uncover([value for _, value in new], traces)
        for (kinds, value), trace in zip(new, traces, strict=True):
            script = kinds & Kind.SCRIPT != 0 and self._engine.in_script(value)
            model = kinds & Kind.MODEL != 0 and self._engine.modelled(value)
            self._keep(kinds, value, trace.hidden or script or model, across=True)
        return (owner for owner, kinds, value in texts if self._known[True, kinds, value])

    def _unknown(self, texts: Sequence[OfText], *, across: bool) -> list[tuple[int, str]]:
        return [
            (kinds, value)
            for kinds, value in dict.fromkeys([one[1:] for one in texts])
            if (across, kinds, value) not in self._known
        ]

    def _keep(self, kinds: int, value: str, answer: bool, *, across: bool) -> None:
        self._known[across, kinds, value] = answer
        self._characters += len(value)
