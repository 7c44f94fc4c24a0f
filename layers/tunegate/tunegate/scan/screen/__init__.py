"""The built-in screen: what can be found in text with no service behind it.

    screen = Screen()
    for detection in screen.screen(record):
        ...

Found: identifiers with a form or check digits of their own, credentials, prompt attacks (by rule and by a small linear
model, also when hidden), the EICAR test file. Not found: names and postal addresses, which need a language model.
A detection says what and where, never the text.
"""

from collections.abc import Iterator

from tunegate.model import Category, Detection, Record
from tunegate.scan.screen.engine import Engine
from tunegate.scan.screen.turns import seams

__all__ = ["Screen"]


class Screen:
    """All rules of the screen, loaded once; safe to use for any number of records."""

    def __init__(self) -> None:
        self._engine = Engine()

    def screen(self, record: Record) -> list[Detection]:
        """What is found in each string of the record, and in phrases that begin in one string and end in another."""
        found = [hit.at(record.line, text.pointer) for text in record.texts for hit in self._engine.scan(text.value)]
        if not any(detection.category is Category.PROMPT_ATTACK for detection in found):
            found += dict.fromkeys(self._across(record))
        return found

    def _across(self, record: Record) -> Iterator[Detection]:
        for seam in seams(record):
            for hit in self._engine.attacks(seam.value):
                placed = seam.place(hit.begin, hit.end)
                if placed is not None:
                    text, begin, end = placed
                    yield hit.within(begin, end).at(record.line, text.pointer)
