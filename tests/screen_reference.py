"""The screen's rules, applied one by one to every string: no traces, no batches, nothing remembered.

What is slow here is what the fast screen must never skip: each rule sees each text, and so does each encoding.
"""

from collections.abc import Iterable, Iterator

from tunegate.model import Category, Detection, Record
from tunegate.scan.screen import hidden, identifiers, malware, secrets
from tunegate.scan.screen.attacks import Attacks
from tunegate.scan.screen.engine import DEPTH, SEAM_MARGIN
from tunegate.scan.screen.hits import Hit, settle
from tunegate.scan.screen.identifiers import Identifiers
from tunegate.scan.screen.linear import LinearModel
from tunegate.scan.screen.normalize import fold
from tunegate.scan.screen.secrets import Secrets
from tunegate.scan.screen.turns import seams


class ReferenceScreen:
    """Finds what the rules say, with no thought of time."""

    def __init__(self) -> None:
        self._identifiers = Identifiers()
        self._secrets = Secrets()
        self._attacks = Attacks()
        self._model = LinearModel()

    def screen(self, record: Record) -> list[Detection]:
        found = [
            hit.at(record.line, text.pointer)
            for text in record.texts
            for hit in self._text(text.value, attacks_only=False, margin=0.0)
        ]
        if not any(detection.category is Category.PROMPT_ATTACK for detection in found):
            found += dict.fromkeys(self._across(record))
        return found

    def _across(self, record: Record) -> Iterator[Detection]:
        for seam in seams(record):
            for hit in self._text(seam.value, attacks_only=True, margin=SEAM_MARGIN):
                placed = seam.place(hit.begin, hit.end)
                if placed is not None:
                    text, begin, end = placed
                    yield hit.within(begin, end).at(record.line, text.pointer)

    def _text(self, original: str, *, attacks_only: bool, margin: float) -> list[Hit]:
        view, own = fold(original), fold(original, confusables=False)
        found = [
            hit.within(*view.span(hit.begin, hit.end))
            for hit in self._folded(view.text, attacks_only=attacks_only, depth=0, margin=margin)
        ]
        found += [hit.within(*own.span(hit.begin, hit.end)) for hit in self._attacks_in(own.text, script=True)]
        return settle(found)

    def _folded(self, text: str, *, attacks_only: bool, depth: int, margin: float) -> Iterator[Hit]:
        if not attacks_only:
            for rule in self._identifiers.rules:
                yield from identifiers.matches(rule, text)
            for secret in self._secrets.rules:
                if any(keyword in text.lower() for keyword in secret.keywords):
                    yield from secrets.matches(secret, text)
            yield from malware.find(text)
        yield from self._attacks_in(text, script=False)
        yield from self._model.find(text.lower(), margin)
        if depth < DEPTH:
            yield from self._hidden(text, attacks_only=attacks_only, depth=depth + 1)

    def _hidden(self, text: str, *, attacks_only: bool, depth: int) -> Iterator[Hit]:
        for piece in every_piece(text):
            only = attacks_only or piece.attacks_only
            for hit in self._folded(fold(piece.text).text, attacks_only=only, depth=depth, margin=0.0):
                yield hit.within(piece.begin, piece.end)

    def _attacks_in(self, text: str, *, script: bool) -> Iterator[Hit]:
        return self._attacks.find(text, [at for at, rule in enumerate(self._attacks.rules) if rule.script is script])


def every_piece(text: str) -> Iterable[hidden.Piece]:
    for reader in hidden.READERS:
        yield from reader(text)
    yield from hidden.deciphered(text, text.lower())
