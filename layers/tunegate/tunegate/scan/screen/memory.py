"""The traces of strings met before: a system prompt that repeats from record to record is read once."""

from collections.abc import Callable, Iterable, Mapping

from tunegate.scan.screen.traces import Trace

MOST_CHARACTERS = 4_000_000
"""Of strings remembered. Then all are forgotten: what repeats is soon known again, and memory stays flat."""


class Memory:
    """Traces by string. Equal strings have equal traces, so what is remembered is what reading again would give."""

    def __init__(self) -> None:
        self._known: dict[str, Trace] = {}
        self._characters = 0

    def traces(self, strings: Iterable[str], read: Callable[[list[str]], list[Trace]]) -> Mapping[str, Trace]:
        """A mapping that holds the trace of each string, worked out by `read` for those not met before."""
        if self._characters > MOST_CHARACTERS:
            self._known, self._characters = {}, 0
        known = self._known
        new = list(dict.fromkeys([value for value in strings if value not in known]))
        if new:
            known.update(zip(new, read(new), strict=True))
            self._characters += sum(map(len, new))
        return known
