"""All detectors over one string: the rules that its trace says could match."""

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_

from tunegate.scan.screen import hidden, malware
from tunegate.scan.screen.attacks import Attacks
from tunegate.scan.screen.hits import Hit, bits, settle
from tunegate.scan.screen.identifiers import Identifiers
from tunegate.scan.screen.linear import LinearModel
from tunegate.scan.screen.normalize import fold, in_other_script
from tunegate.scan.screen.secrets import Secrets
from tunegate.scan.screen.traces import NOTHING, Trace, Traces

SEAM_MARGIN = 1.5  # log-odds by which a window across texts must pass: unlike texts side by side look odd to the model
DEPTH = 2  # encodings within encodings that are followed


class Engine:
    """The rules, loaded once. Hits carry code-point offsets into the string they were found in."""

    def __init__(self) -> None:
        self._identifiers = Identifiers()
        self._secrets = Secrets()
        self._attacks = Attacks()
        self._model = LinearModel()
        self._script_rules = [at for at, rule in enumerate(self._attacks.rules) if rule.script]
        secrets = self._secrets.rules
        self._traces = Traces(
            [() if rule.long else rule.keywords for rule in secrets],
            sum(1 << at for at, rule in enumerate(secrets) if rule.long),
            [() if rule.script else rule.keywords for rule in self._attacks.rules],
            self._model.gains,
            [() if rule.script else rule.companions for rule in self._attacks.rules],
            self._attacks.matching,
        )

    def traces(self, texts: Sequence[str]) -> list[Trace]:
        """What each text could hold; NOTHING where it can hold nothing."""
        plain = [text for text in texts if text.isascii()]
        folded = [fold(text).text for text in texts if not text.isascii()]
        of_plain, of_folded = iter(self._traces.of(plain)), iter(self._traces.of(folded, whole=True))
        return [next(of_plain) if text.isascii() else _scripted(next(of_folded), text) for text in texts]

    def scan(self, text: str, trace: Trace) -> tuple[Hit, ...]:
        """Everything found in one string."""
        if not self.suspects(trace):
            return ()
        if trace.hits is None:
            trace.hits = tuple(settle(self._mapped(text, trace, attacks_only=False, margin=0.0)))
        return trace.hits

    def suspects(self, trace: Trace) -> bool:
        """Whether a string with this trace has to be read."""
        if trace is NOTHING or trace.hits is not None:
            return bool(trace.hits)
        return (
            trace.identifiers
            or trace.secrets > 0
            or trace.attacks > 0
            or trace.hidden
            or trace.malware
            or trace.script
            or self._model.possible(trace.gain)
        )

    def across(self, text: str, trace: Trace) -> list[Hit]:
        """The prompt attacks of a stretch of several texts, whose traces together are `trace`."""
        return settle(self._mapped(text, trace, attacks_only=True, margin=SEAM_MARGIN))

    def suspects_across(self, traces: Sequence[Trace], short: int) -> Trace | None:
        """What a phrase across texts with these traces could be, `short` of them being short; None if nothing."""
        attacks = _all([trace.seam_attacks for trace in traces])
        found = Trace(
            attacks=attacks & (_all([trace.companions for trace in traces]) | self._traces.asking_none),
            gain=sum(trace.seam_gain for trace in traces),
            hidden=short >= hidden.MANY_SHORT or any(trace.seam_hidden for trace in traces),
            script=any(trace.script for trace in traces),
        )
        possible = self._model.possible(found.gain, SEAM_MARGIN)
        return found if found.attacks or found.hidden or found.script or possible else None

    def narrowed(self, stretch: str, trace: Trace) -> Trace | None:
        """Of what the stretch could be, what its text bears out; None if nothing."""
        text = fold(stretch).text
        if trace.attacks:
            trace.attacks = self._attacks.matching(text.encode("utf-8", "replace"), trace.attacks)
        if self._model.possible(trace.gain, SEAM_MARGIN):
            trace.gain = self._traces.of([text])[0].gain
        trace.hidden = trace.hidden and (hidden.signs(text).across or hidden.ciphered(text.lower()))
        trace.script = trace.script and self._attacks.in_script(fold(stretch, confusables=False).text.lower())
        possible = self._model.possible(trace.gain, SEAM_MARGIN)
        return trace if trace.attacks or trace.hidden or trace.script or possible else None

    def _mapped(self, original: str, trace: Trace, *, attacks_only: bool, margin: float) -> Iterator[Hit]:
        view = fold(original)
        for hit in self._view(view.text, trace, attacks_only=attacks_only, depth=0, margin=margin):
            yield hit.within(*view.span(hit.begin, hit.end))
        if trace.script:
            own = fold(original, confusables=False)
            awake = self._script_rules if self._attacks.in_script(own.text.lower()) else ()
            for hit in self._attacks.find(own.text, awake):
                yield hit.within(*own.span(hit.begin, hit.end))

    def _view(self, text: str, trace: Trace, *, attacks_only: bool, depth: int, margin: float) -> Iterator[Hit]:
        if not attacks_only:
            if trace.identifiers:
                yield from self._identifiers.find(text)
            yield from self._secrets.find(text, bits(trace.secrets))
            if trace.malware:
                yield from malware.find(text)
        yield from self._attacks.find(text, bits(trace.attacks))
        if self._model.possible(trace.gain, margin):
            yield from self._model.find(text.lower(), margin)
        if trace.hidden and depth < DEPTH:
            yield from self._hidden(text, attacks_only=attacks_only, depth=depth + 1)

    def _hidden(self, text: str, *, attacks_only: bool, depth: int) -> Iterator[Hit]:
        pieces = list(hidden.pieces(text, text.lower()))
        texts = [fold(piece.text).text for piece in pieces]
        for piece, view, trace in zip(pieces, texts, self._traces.of(texts), strict=True):
            only = attacks_only or piece.attacks_only
            for hit in self._view(view, trace, attacks_only=only, depth=depth, margin=0.0):
                yield hit.within(piece.begin, piece.end)


def _scripted(trace: Trace, text: str) -> Trace:
    """The same trace, with a note of letters that only the rules for other scripts read."""
    if not in_other_script(text):
        return trace
    found = Trace() if trace is NOTHING else trace
    found.script = True
    return found


def _all(masks: Sequence[int]) -> int:
    return reduce(or_, masks, 0)
