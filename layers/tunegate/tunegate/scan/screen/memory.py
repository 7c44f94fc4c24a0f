"""The traces of strings met before: a system prompt that repeats from record to record is read once."""

from collections.abc import Callable, Iterable, Mapping

from tunegate.scan.screen.traces import NOTHING, Trace

MOST_CHARACTERS = 4_000_000
"""Of strings remembered. Then all are forgotten: what repeats is soon known again, and memory stays flat."""


class Memory:
    """Traces by string. Equal strings have equal traces, so what is remembered is what reading again would give.

    `telling` are the strings that have a trace of anything.
    """

    def __init__(self) -> None:
        self._known: dict[str, Trace] = {}
        self.telling: set[str] = set()
        self._characters = 0

    def traces(self, strings: Iterable[str], read: Callable[[list[str]], list[Trace]]) -> Mapping[str, Trace]:
        """A mapping that holds the trace of each string, worked out by `read` for those not met before."""
        if self._characters > MOST_CHARACTERS:
            self._known, self._characters = {}, 0
            self.telling = set()
        known = self._known
        new = [value for value in dict.fromkeys(strings) if value not in known]
        if new:
            found = read(new)
            known.update(zip(new, found, strict=True))
            self.telling.update(value for value, trace in zip(new, found, strict=True) if trace is not NOTHING)
            self._characters += sum(map(len, new))
        return known
