"""The built-in screen: what can be found in text with no service behind it.

    screen = Screen()
    for detection in screen.screen(record):
        ...

Found: identifiers with a form or check digits of their own, credentials, prompt attacks (by rule and by a small linear
model, also when hidden), the EICAR test file. Not found: names and postal addresses, which need a language model.
A detection says what and where, never the text.
"""

from collections.abc import Iterator, Sequence

from tunegate.model import Category, Detection, Record
from tunegate.scan.form import Form
from tunegate.scan.lines import Block
from tunegate.scan.screen.answers import Answers
from tunegate.scan.screen.engine import Engine
from tunegate.scan.screen.traces import Trace, Traced
from tunegate.scan.screen.turns import seams
from tunegate.scan.sieve import TO_READ, Sieve
from tunegate.scan.sifted import Sifted

__all__ = ["Screen"]


class Screen:
    """All rules of the screen, loaded once; safe to use for any number of records."""

    def __init__(self) -> None:
        self._engine = Engine()
        self._sieve = Sieve()
        self._answers = Answers(self._engine)

    def forget(self) -> None:
        """Forget the strings met so far, as at the end of a file."""
        self._engine.forget()
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
        [traced] = self._engine.traced([record.texts])
        return self._found(record, traced)

    def screen_all(self, records: Sequence[Record]) -> Iterator[list[Detection]]:
        """The same of many records, together."""
        traced = self._engine.traced([record.texts for record in records])
        return map(self._found, records, traced)

    def _found(self, record: Record, traced: Traced) -> list[Detection]:
        """What is found in each string, and across them where that is possible."""
        found = [
            hit.at(record.line, text.pointer)
            for text, trace in zip(record.texts, traced.texts, strict=True)
            for hit in self._engine.scan(text.value, trace)
        ]
        if traced.across.tells and not any(detection.category is Category.PROMPT_ATTACK for detection in found):
            found += dict.fromkeys(self._across(record, traced.across))
        return found

    def _across(self, record: Record, could_be: Trace) -> Iterator[Detection]:
        for seam in seams(record):
            for hit in self._engine.across(seam.value, could_be):
                placed = seam.place(hit.begin, hit.end)
                if placed is not None:
                    text, begin, end = placed
                    yield hit.within(begin, end).at(record.line, text.pointer)
