"""The built-in screen: what can be found in text with no service behind it.

    screen = Screen()
    for detection in screen.screen(record):
        ...

Found: identifiers with a form or check digits of their own, credentials, prompt attacks (by rule and by a small linear
model, also when hidden), the EICAR test file. Not found: names and postal addresses, which need a language model.
A detection says what and where, never the text.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from tunegate.model import Category, Detection, Record
from tunegate.scan.form import Form
from tunegate.scan.lines import Block
from tunegate.scan.records import Parsed
from tunegate.scan.screen.answers import Answers
from tunegate.scan.screen.engine import Engine
from tunegate.scan.screen.hidden import dealt_out
from tunegate.scan.screen.memory import Memory
from tunegate.scan.screen.traces import Trace, either
from tunegate.scan.screen.turns import MAX_TEXTS, in_order, seams
from tunegate.scan.sieve import TO_READ, Sieve
from tunegate.scan.sifted import Sifted

__all__ = ["Screen"]


class Screen:
    """All rules of the screen, loaded once; safe to use for any number of records."""

    def __init__(self) -> None:
        self._engine = Engine()
        self._known = Memory(self._engine.suspects)
        self._sieve = Sieve()
        self._answers = Answers(self._engine)

    def forget(self) -> None:
        """Forget the strings met so far, as at the end of a file."""
        self._known = Memory(self._engine.suspects)
        self._sieve.forget()
        self._answers.forget()

    def sift(self, block: Block, form: Form) -> Sifted:
        """Which of the lines have to be read, because something is in them or could not be told by the sieve."""
        if block.data is None:
            return Sifted.nothing(block)
        asked = self._sieve.sift(block.data, form)
        said = self._sieve.settle(sorted(self._answers.yes(asked)))
        to_read = [at for at, what in enumerate(said) if what == TO_READ] if TO_READ in said else []
        return Sifted([block.line(at, self._sieve.start(at)) for at in to_read], said)

    def screen(self, record: Record) -> list[Detection]:
        """What is found in each string of the record, and in phrases that begin in one string and end in another."""
        strings = [text.value for text in record.texts]
        traces = self._known.traces(strings, self._engine.traces)
        return self._found(record, traces, self._joined_trace(strings, traces))

    def screen_all(self, records: Sequence[Parsed]) -> Iterator[list[Detection]]:
        """The same of many records, together: those that can hold nothing are not taken apart."""
        strings = chain.from_iterable([record.strings for record in records])
        traces = self._known.traces(strings, self._engine.traces)
        across = self._across_all(records, traces)
        for parsed, could_be in zip(records, across, strict=True):
            suspect = could_be is not None or self._suspects(parsed, traces)
            record = parsed.record if suspect else None
            yield [] if record is None else self._found(record, traces, could_be)

    def _suspects(self, record: Parsed, traces: Mapping[str, Trace]) -> bool:
        """Whether something is found in a string of the record."""
        suspect = self._known.suspect
        if suspect.isdisjoint(record.strings):
            return False
        return any(self._engine.scan(value, traces[value]) for value in record.strings if value in suspect)

    def _found(self, record: Record, traces: Mapping[str, Trace], could_be: Trace | None) -> list[Detection]:
        """What is found in each string, and across them where `could_be` says that this is possible."""
        found = [
            hit.at(record.line, text.pointer)
            for text in record.texts
            for hit in self._engine.scan(text.value, traces[text.value])
        ]
        if could_be is not None and not any(detection.category is Category.PROMPT_ATTACK for detection in found):
            found += dict.fromkeys(self._across(record, could_be))
        return found

    def _across_all(self, records: Sequence[Parsed], traces: Mapping[str, Trace]) -> list[Trace | None]:
        """For each record what a phrase over several of its strings could be; None where it can be nothing."""
        found = [self._joined_trace(record.strings, traces) for record in records]
        asked = [
            (at, stretch)
            for at, trace in enumerate(found)
            if trace is not None
            for stretch in self._stretches(records[at])
        ]
        could_be = [trace for at, _ in asked if (trace := found[at]) is not None]
        narrowed = self._engine.narrowed([stretch for _, stretch in asked], could_be)
        found = [None] * len(records)
        for (at, _), trace in zip(asked, narrowed, strict=True):
            found[at] = either(found[at], trace)
        return found

    def _stretches(self, record: Parsed) -> list[str]:
        """All that is joined of the record's strings: in order and, where speakers take turns, of each speaker."""
        if (record.in_turns or len(record.strings) > MAX_TEXTS) and record.record is not None:
            return [seam.value for seam in seams(record.record)]
        return [in_order(record.strings)]

    def _joined_trace(self, strings: Sequence[str], traces: Mapping[str, Trace]) -> Trace | None:
        """What a phrase over several of these strings could be; None where it can be nothing."""
        if len(strings) < 2:
            return None
        in_small_parts, reaching = dealt_out(strings), self._known.reaching
        if not in_small_parts and reaching.isdisjoint(strings):
            return None
        known = [traces[value] for value in strings if value in reaching]
        return self._engine.suspects_across(known, in_small_parts=in_small_parts)

    def _across(self, record: Record, could_be: Trace) -> Iterator[Detection]:
        for seam in seams(record):
            for hit in self._engine.across(seam.value, could_be):
                placed = seam.place(hit.begin, hit.end)
                if placed is not None:
                    text, begin, end = placed
                    yield hit.within(begin, end).at(record.line, text.pointer)
