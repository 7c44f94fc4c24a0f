"""The built-in screen: what can be found in text with no service behind it.

    screen = Screen()
    for detection in screen.screen(record):
        ...

Found: identifiers with a form or check digits of their own, credentials, prompt attacks (by rule and by a small linear
model, also when hidden), the EICAR test file. Not found: names and postal addresses, which need a language model.
A detection says what and where, never the text.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from tunegate.model import Category, Detection, Record
from tunegate.scan.records import Parsed
from tunegate.scan.screen.engine import Engine
from tunegate.scan.screen.hidden import MANY_SHORT, SHORT
from tunegate.scan.screen.memory import Memory
from tunegate.scan.screen.traces import NOTHING, Trace
from tunegate.scan.screen.turns import in_order, seams

__all__ = ["Screen"]


class Screen:
    """All rules of the screen, loaded once; safe to use for any number of records."""

    def __init__(self) -> None:
        self._engine = Engine()
        self._known = Memory()

    def forget(self) -> None:
        """Forget the strings met so far, as at the end of a file."""
        self._known = Memory()

    def screen(self, record: Record) -> list[Detection]:
        """What is found in each string of the record, and in phrases that begin in one string and end in another."""
        strings = [text.value for text in record.texts]
        traces = self._known.traces(strings, self._engine.traces)
        found = [
            hit.at(record.line, text.pointer)
            for text in record.texts
            for hit in self._engine.scan(text.value, traces[text.value])
        ]
        if not any(detection.category is Category.PROMPT_ATTACK for detection in found):
            found += dict.fromkeys(self._across(record, strings, traces))
        return found

    def screen_all(self, records: Sequence[Parsed]) -> Iterator[list[Detection]]:
        """The same of many records, together: those that can hold nothing are not taken apart."""
        traces = self._known.traces([value for record in records for value in record.strings], self._engine.traces)
        for parsed in records:
            record = parsed.record if self._suspects(parsed, traces) else None
            yield [] if record is None else self.screen(record)

    def _suspects(self, record: Parsed, traces: Mapping[str, Trace]) -> bool:
        """Whether something is found in a string, or could be across strings: then the record is taken apart."""
        strings = record.strings
        known = [(value, trace) for value in strings if (trace := traces[value]) is not NOTHING]
        if not known and len(strings) < MANY_SHORT:
            return False
        if any(self._engine.suspects(trace) and self._engine.scan(value, trace) for value, trace in known):
            return True
        could_be = self._joined_trace(strings, traces)
        if could_be is None or record.in_turns:
            # Who says what is told apart by reading: the words of one speaker also follow each other.
            return could_be is not None
        return self._engine.narrowed(in_order(strings), could_be) is not None

    def _joined_trace(self, strings: Sequence[str], traces: Mapping[str, Trace]) -> Trace | None:
        """What a phrase over several of these strings could be; None where it can be nothing."""
        if len(strings) < 2:
            return None
        short = sum(len(value) <= SHORT for value in strings)
        return self._engine.suspects_across([traces[value] for value in strings], short)

    def _across(self, record: Record, strings: Sequence[str], traces: Mapping[str, Trace]) -> Iterator[Detection]:
        could_be = self._joined_trace(strings, traces)
        if could_be is None:
            return
        for seam in seams(record):
            trace = self._engine.narrowed(seam.value, replace(could_be))
            for hit in self._engine.across(seam.value, trace) if trace is not None else ():
                placed = seam.place(hit.begin, hit.end)
                if placed is not None:
                    text, begin, end = placed
                    yield hit.within(begin, end).at(record.line, text.pointer)
