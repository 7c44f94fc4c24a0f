"""All detectors over one string: the rules that its trace says could match."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tunegate.scan.screen import hidden, malware
from tunegate.scan.screen.attacks import Attacks
from tunegate.scan.screen.hits import Hit, bits, settle
from tunegate.scan.screen.identifiers import Identifiers
from tunegate.scan.screen.linear import LinearModel
from tunegate.scan.screen.normalize import fold, in_other_script
from tunegate.scan.screen.secrets import Secrets
from tunegate.scan.screen.traces import NOTHING, Trace, Traces
from tunegate.scan.sieve import Kind

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
            self._identifiers.awake,
            self._secrets.long,
            [() if rule.long else rule.keywords for rule in secrets],
            [() if rule.script else rule.keywords for rule in self._attacks.rules],
            self._model.gains,
            self._attacks.matching,
        )

    def of_rule(self, rule: int, joined: bytes, starts: Sequence[int]) -> Iterator[int]:
        """The numbers of the joined texts that a rule, of those for attacks and then those for credentials, matches."""
        attacks = self._attacks.among
        among = attacks[rule] if rule < len(attacks) else self._secrets.among[rule - len(attacks)]
        return among.holding_joined(joined, starts)

    def holds(self, kinds: int, text: str, margin: float) -> bool:
        """Whether something of these kinds, but for HIDDEN, is in a text, folded or for SCRIPT as it was written."""
        return (
            (kinds & Kind.SCRIPT != 0 and self._in_script(text))
            or (kinds & Kind.IDENTIFIER != 0 and any(self._identifiers.find(text, bits(self._identifiers.awake(text)))))
            or (kinds & Kind.LONG != 0 and any(self._secrets.find(text, bits(self._secrets.long(text)))))
            or (kinds & Kind.MODEL != 0 and any(self._model.find(text.lower(), margin)))
            or (kinds & Kind.MALWARE != 0 and any(malware.find(text)))
        )

    def hiding(self, texts: Sequence[str]) -> set[int]:
        """The numbers of the texts (folded) in which something hides."""
        traces = [Trace(hidden=True) for _ in texts]
        self._uncover(texts, traces)
        return {at for at, trace in enumerate(traces) if trace.hidden}

    def hiding_across(self, texts: Sequence[str]) -> set[int]:
        """The same of texts that are joined of several, of what their parts do not tell."""
        found = list(hidden.across(texts, [text.encode("utf-8", "replace") for text in texts]))
        return {found[at] for at in self.hiding([texts[at] for at in found])}

    def traces(self, texts: Sequence[str]) -> list[Trace]:
        """What each text could hold; NOTHING where it can hold nothing."""
        plain = [text for text in texts if text.isascii()]
        folded = [fold(text).text for text in texts if not text.isascii()]
        plain_traces, folded_traces = self._traces.of(plain), self._traces.of(folded, whole=True)
        self._uncover([*plain, *folded], [*plain_traces, *folded_traces])
        of_plain, of_folded = iter(plain_traces), iter(folded_traces)
        return [next(of_plain) if text.isascii() else _scripted(next(of_folded), text) for text in texts]

    def scan(self, text: str, trace: Trace) -> tuple[Hit, ...]:
        """Everything found in one string."""
        if not self.suspects(trace):
            return ()
        if trace.hits is None:
            trace.hits = tuple(settle(self._mapped(text, trace, attacks_only=False, margin=0.0)))
            trace.pieces = None
        return trace.hits

    def suspects(self, trace: Trace) -> bool:
        """Whether a string with this trace has to be read."""
        if trace is NOTHING or trace.hits is not None:
            return bool(trace.hits)
        return trace.script or self._suspects_folded(trace)

    def _suspects_folded(self, trace: Trace) -> bool:
        """Whether anything but the rules for other scripts has to read it."""
        return (
            trace.identifiers > 0
            or trace.secrets > 0
            or trace.attacks > 0
            or trace.hidden
            or trace.malware
            or self._model.possible(trace.gain)
        )

    def across(self, text: str, trace: Trace) -> list[Hit]:
        """The prompt attacks of a stretch of several texts, whose traces together are `trace`."""
        own = replace(trace, pieces=None)
        self._uncover([fold(text).text], [own])
        return settle(self._mapped(text, own, attacks_only=True, margin=SEAM_MARGIN))

    def suspects_across(self, traces: Sequence[Trace], *, in_small_parts: bool) -> Trace | None:
        """What a phrase across texts with these traces could be, `in_small_parts` as hidden.dealt_out says; or None."""
        attacks, gain, hiding, script = 0, 0.0, in_small_parts, False
        for trace in traces:
            attacks |= trace.seam_attacks
            gain += trace.seam_gain
            hiding = hiding or trace.seam_hidden
            script = script or trace.script
        return self._across(attacks, gain, hiding=hiding, script=script)

    def narrowed(self, stretches: Sequence[str], traces: Sequence[Trace]) -> list[Trace | None]:
        """Of what each stretch could be, what its text bears out; None where it is nothing."""
        texts = [fold(stretch).text for stretch in stretches]
        encoded = [text.encode("utf-8", "replace") for text in texts]
        attacks = self._attacks.matching(encoded, [trace.attacks for trace in traces])
        gains = self._gains(texts, traces)
        hiding = self._hiding(texts, traces)
        scripts = [trace.script and self._in_script(stretches[at]) for at, trace in enumerate(traces)]
        return [
            self._across(attacks[at], gains[at], hiding=at in hiding, script=scripts[at]) for at in range(len(traces))
        ]

    def _across(self, attacks: int, gain: float, *, hiding: bool, script: bool) -> Trace | None:
        """The trace of several texts; None where a phrase across them can be nothing."""
        if attacks or hiding or script or self._model.possible(gain, SEAM_MARGIN):
            return Trace(attacks=attacks, gain=gain, hidden=hiding, script=script)
        return None

    def _gains(self, texts: Sequence[str], traces: Sequence[Trace]) -> list[float]:
        found = [trace.gain for trace in traces]
        asked = [at for at, gain in enumerate(found) if self._model.possible(gain, SEAM_MARGIN)]
        for at, gain in zip(asked, self._traces.gains([texts[at] for at in asked]), strict=True):
            found[at] = gain
        return found

    def _hiding(self, texts: Sequence[str], traces: Sequence[Trace]) -> set[int]:
        asked = [at for at, trace in enumerate(traces) if trace.hidden]
        return {asked[at] for at in self.hiding_across([texts[at] for at in asked])}

    def _in_script(self, stretch: str) -> bool:
        return self._attacks.in_script(fold(stretch, confusables=False).text.lower())

    def _mapped(self, original: str, trace: Trace, *, attacks_only: bool, margin: float) -> Iterator[Hit]:
        if self._suspects_folded(trace):
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
            yield from self._identifiers.find(text, bits(trace.identifiers))
            if trace.secrets:
                yield from self._secrets.find(text, bits(trace.secrets))
            if trace.malware:
                yield from malware.find(text)
        if trace.attacks:
            yield from self._attacks.find(text, bits(trace.attacks))
        if self._model.possible(trace.gain, margin):
            yield from self._model.find(text.lower(), margin)
        for piece, view, inner in trace.pieces or ():
            only = attacks_only or piece.attacks_only
            for hit in self._view(view, inner, attacks_only=only, margin=0.0):
                yield hit.within(piece.begin, piece.end)

    def _uncover(self, texts: Sequence[str], traces: Sequence[Trace], depth: int = 1) -> None:
        """Reads what hides in texts (folded). `hidden` stays true, with `pieces`, where something could be found."""
        hiding = [(trace, text) for trace, text in zip(traces, texts, strict=True) if trace.hidden]
        owned = [(trace, piece) for trace, text in hiding for piece in hidden.pieces(text, text.lower())]
        views = [fold(piece.text).text for _, piece in owned]
        inner = self._traces.of(views)
        if depth < DEPTH:
            self._uncover(views, inner, depth + 1)
        for (trace, piece), view, found in zip(owned, views, inner, strict=True):
            if self._telling(piece, found, deepest=depth == DEPTH):
                trace.pieces = trace.pieces or []
                trace.pieces.append((piece, view, found))
        for trace, _ in hiding:
            trace.hidden = bool(trace.pieces)

    def _telling(self, piece: hidden.Piece, trace: Trace, *, deepest: bool) -> bool:
        """Whether something could be found in a piece."""
        if trace.attacks or (trace.hidden and not deepest) or self._model.possible(trace.gain):
            return True
        return not piece.attacks_only and (trace.identifiers > 0 or trace.secrets > 0 or trace.malware)


def _scripted(trace: Trace, text: str) -> Trace:
    """The same trace, with a note of letters that only the rules for other scripts read."""
    if not in_other_script(text):
        return trace
    found = Trace() if trace is NOTHING else trace
    found.script = True
    return found
