"""All detectors over one string, in the order that lets most strings pass untouched."""

from collections.abc import Iterator
from functools import lru_cache

from tunegate.scan.screen import hidden, malware
from tunegate.scan.screen.attacks import Attacks
from tunegate.scan.screen.gate import Gate
from tunegate.scan.screen.hits import Hit, settle
from tunegate.scan.screen.identifiers import Identifiers
from tunegate.scan.screen.linear import LinearModel
from tunegate.scan.screen.normalize import View, fold
from tunegate.scan.screen.secrets import Secrets

REMEMBERED = 4096  # texts whose hits are kept: system prompts repeat from record to record
LONGEST_REMEMBERED = 4096  # characters; longer texts seldom repeat
SEAM_MARGIN = 1.5  # log-odds by which a window across texts must pass: unlike texts side by side look odd to the model
DEPTH = 2  # encodings within encodings that are followed


class Engine:
    """The rules, loaded once. `scan` reads one string; hits carry its code-point offsets."""

    def __init__(self) -> None:
        self._identifiers = Identifiers()
        self._secrets = Secrets()
        self._attacks = Attacks()
        self._model = LinearModel()
        self._first_attack = len(self._secrets.rules)
        self._malware = self._first_attack + len(self._attacks.rules)
        self._gate = Gate(self._wakers(), self._model.strong)
        self._remembered = lru_cache(REMEMBERED)(self._scan)

    def scan(self, text: str) -> tuple[Hit, ...]:
        """Everything found in one string."""
        return self._remembered(text) if len(text) <= LONGEST_REMEMBERED else self._scan(text)

    def attacks(self, text: str) -> list[Hit]:
        """Only the prompt attacks of one string: for stretches whose parts were scanned already."""
        return settle(self._mapped(fold(text), text, attacks_only=True))

    def _scan(self, text: str) -> tuple[Hit, ...]:
        return tuple(settle(self._mapped(fold(text), text, attacks_only=False)))

    def _mapped(self, view: View, original: str, *, attacks_only: bool) -> Iterator[Hit]:
        for hit in self._view(view.text, attacks_only=attacks_only, depth=0):
            yield hit.within(*view.span(hit.begin, hit.end))
        if not original.isascii():
            own = fold(original, confusables=False)
            lowered = own.text.lower()
            awake = self._awake_attacks(self._gate.awake(self._gate.seen(lowered), lowered), script=True)
            for hit in self._attacks.find(own.text, awake):
                yield hit.within(*own.span(hit.begin, hit.end))

    def _view(self, text: str, *, attacks_only: bool, depth: int) -> Iterator[Hit]:
        lowered = text.lower()
        seen = self._gate.seen(lowered)
        awake = self._gate.awake(seen, lowered)
        if not attacks_only:
            yield from self._identifiers.find(text)
            yield from self._secrets.find(text, (rule for rule in awake if rule < self._first_attack))
        yield from self._attacks.find(text, self._awake_attacks(awake, script=False))
        if self._model.possible(seen):
            yield from self._model.find(lowered, SEAM_MARGIN if attacks_only and depth == 0 else 0.0)
        if self._malware in awake:
            yield from malware.find(text)
        if depth < DEPTH:
            for piece in hidden.pieces(text, lowered):
                for hit in self._view(
                    fold(piece.text).text, attacks_only=attacks_only or piece.attacks_only, depth=depth + 1
                ):
                    yield hit.within(piece.begin, piece.end)

    def _awake_attacks(self, awake: list[int], *, script: bool) -> list[int]:
        rules = [rule - self._first_attack for rule in awake if self._first_attack <= rule < self._malware]
        return [rule for rule in rules if self._attacks.rules[rule].script is script]

    def _wakers(self) -> Iterator[tuple[int, tuple[str, ...], tuple[str, ...]]]:
        for at, secret in enumerate(self._secrets.rules):
            yield at, secret.keywords, ()
        for at, attack in enumerate(self._attacks.rules, self._first_attack):
            yield at, attack.keywords, attack.companions
        yield self._malware, (malware.KEYWORD,), ()
