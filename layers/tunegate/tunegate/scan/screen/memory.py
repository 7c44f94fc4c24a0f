"""The traces of strings met before: a system prompt that repeats from record to record is read once."""

from collections.abc import Callable, Iterable, Mapping

from tunegate.scan.screen.traces import NOTHING, Trace

MOST_CHARACTERS = 4_000_000
"""Of strings remembered. Then all are forgotten: what repeats is soon known again, and memory stays flat."""


class Memory:
    """Traces by string. Equal strings have equal traces, so what is remembered is what reading again would give.

    `suspect` are the strings of whose traces `suspects` says that they have to be read, `reaching` those that could be
    part of a phrase across several.
    """

    def __init__(self, suspects: Callable[[Trace], bool]) -> None:
        self._suspects = suspects
        self._known: dict[str, Trace] = {}
        self.suspect: set[str] = set()
        self.reaching: set[str] = set()
        self._characters = 0

    def traces(self, strings: Iterable[str], read: Callable[[list[str]], list[Trace]]) -> Mapping[str, Trace]:
        """A mapping that holds the trace of each string, worked out by `read` for those not met before."""
        if self._characters > MOST_CHARACTERS:
            self._known, self._characters = {}, 0
            self.suspect, self.reaching = set(), set()
        known = self._known
        new = [value for value in dict.fromkeys(strings) if value not in known]
        if new:
            found = list(zip(new, read(new), strict=True))
            known.update(found)
            telling = [(value, trace) for value, trace in found if trace is not NOTHING]
            self.suspect.update([value for value, trace in telling if self._suspects(trace)])
            self.reaching.update([value for value, trace in telling if trace.reaches])
            self._characters += sum(map(len, new))
        return known
