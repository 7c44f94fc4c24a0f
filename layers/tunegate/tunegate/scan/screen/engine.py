"""All detectors over one string: the rules that its trace says could match."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tunegate.model import Text
from tunegate.scan.screen import hidden, malware
from tunegate.scan.screen.attacks import Attacks
from tunegate.scan.screen.hits import Hit, bits, settle
from tunegate.scan.screen.identifiers import Identifiers
from tunegate.scan.screen.linear import LinearModel
from tunegate.scan.screen.normalize import fold
from tunegate.scan.screen.secrets import Secrets
from tunegate.scan.screen.traces import Trace, Traced, Tracer

SEAM_MARGIN = 1.5  # log-odds by which a window across texts must pass: unlike texts side by side look odd to the model
DEPTH = 2  # encodings within encodings that are followed
MOST_CHARACTERS = 4_000_000
"""Of strings whose hits are remembered. Then all are forgotten: memory stays flat."""


class Engine:
    """The rules, loaded once. Hits carry code-point offsets into the string they were found in."""

    def __init__(self) -> None:
        self._identifiers = Identifiers()
        self._secrets = Secrets()
        self._attacks = Attacks()
        self._model = LinearModel()
        self._script_rules = [at for at, rule in enumerate(self._attacks.rules) if rule.script]
        self.tracer = Tracer(self._secrets, self._attacks)
        self._known: dict[str, tuple[Hit, ...]] = {}
        self._characters = 0

    def forget(self) -> None:
        """Forget the strings met so far."""
        self._known, self._characters = {}, 0

    def traced(self, records: Sequence[Sequence[Text]]) -> list[Traced]:
        """What each text of each record could hold, and all texts of each record together."""
        found = self.tracer.of(records)
        texts = [text.value for record in records for text in record]
        traces = [trace for traced in found for trace in traced.texts]
        hiding = [(fold(text).text, trace) for text, trace in zip(texts, traces, strict=True) if trace.hidden]
        self.uncover([text for text, _ in hiding], [trace for _, trace in hiding])
        return found

    def scan(self, text: str, trace: Trace) -> tuple[Hit, ...]:
        """Everything found in one string."""
        if not trace.tells:
            return ()
        known = self._known.get(text)
        if known is None:
            known = tuple(settle(self._mapped(text, trace, attacks_only=False, margin=0.0)))
            if text.isascii():
                self._keep(text, known)
        return known

    def across(self, text: str, trace: Trace) -> list[Hit]:
        """The prompt attacks of a stretch of several texts, whose trace together is `trace`."""
        own = replace(trace, pieces=[])
        self.uncover([fold(text).text], [own])
        return settle(self._mapped(text, own, attacks_only=True, margin=SEAM_MARGIN))

    def in_script(self, text: str) -> bool:
        """Whether a text holds a keyword of a rule for another script."""
        return self._attacks.in_script(fold(text, confusables=False).text.lower())

    def modelled(self, text: str) -> bool:
        """Whether the model takes several texts joined (folded) for an attack."""
        return any(self._model.find(text.lower(), SEAM_MARGIN))

    def uncover(self, texts: Sequence[str], traces: Sequence[Trace], depth: int = 1) -> None:
        """Reads what hides in texts (folded). `hidden` stays true, with `pieces`, where something could be found."""
        hiding = [(trace, text) for trace, text in zip(traces, texts, strict=True) if trace.hidden]
        owned = [(trace, piece) for trace, text in hiding for piece in hidden.pieces(text, text.lower())]
        views = [fold(piece.text).text for _, piece in owned]
        inner = [traced.texts[0] for traced in self.tracer.of([[Text("", view)] for view in views])] if views else []
        if owned and depth < DEPTH:
            self.uncover(views, inner, depth + 1)
        for (trace, piece), view, found in zip(owned, views, inner, strict=True):
            if _telling(piece, found, deepest=depth == DEPTH):
                trace.pieces.append((piece, view, found))
        for trace, _ in hiding:
            trace.hidden = bool(trace.pieces)

    def _keep(self, text: str, hits: tuple[Hit, ...]) -> None:
        if self._characters > MOST_CHARACTERS:
            self.forget()
        self._known[text] = hits
        self._characters += len(text)

    def _mapped(self, original: str, trace: Trace, *, attacks_only: bool, margin: float) -> Iterator[Hit]:
        if trace.tells_folded:
            view = fold(original)
            for hit in self._view(view.text, trace, attacks_only=attacks_only, margin=margin):
                yield hit if view.text is original else hit.within(*view.span(hit.begin, hit.end))
        if trace.script:
            own = fold(original, confusables=False)
            awake = self._script_rules if self._attacks.in_script(own.text.lower()) else ()
            for hit in self._attacks.find(own.text, awake):
                yield hit.within(*own.span(hit.begin, hit.end))

    def _view(self, text: str, trace: Trace, *, attacks_only: bool, margin: float) -> Iterator[Hit]:
        if not attacks_only:
            if trace.identifier:
                yield from self._identifiers.find(text, bits(self._identifiers.awake(text)))
            if secrets := trace.secrets | (self._secrets.long(text) if trace.long else 0):
                yield from self._secrets.find(text, bits(secrets))
            if trace.malware:
                yield from malware.find(text)
        if trace.attacks:
            yield from self._attacks.find(text, self._attacks.plain(trace.attacks))
        if trace.model:
            yield from self._model.find(text.lower(), margin)
        for piece, view, inner in trace.pieces:
            only = attacks_only or piece.attacks_only
            for hit in self._view(view, inner, attacks_only=only, margin=0.0):
                yield hit.within(piece.begin, piece.end)


def _telling(piece: hidden.Piece, trace: Trace, *, deepest: bool) -> bool:
    """Whether something could be found in a piece."""
    hides = trace.hidden and not deepest
    return hides or trace.attacks > 0 or trace.model or (trace.values_possible and not piece.attacks_only)
