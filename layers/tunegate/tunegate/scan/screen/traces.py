"""What each text of a record could hold, by what the sieve asks of it: only few rules have to read it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import orjson

from tunegate.model import Text
from tunegate.scan.screen.attacks import Attacks
from tunegate.scan.screen.hidden import Piece
from tunegate.scan.screen.normalize import fold, in_other_script
from tunegate.scan.screen.secrets import Secrets
from tunegate.scan.screen.turns import MAX_TEXTS
from tunegate.scan.sieve import TO_READ, Asked, Kind, Sieve


@dataclass(slots=True)
class Trace:
    """What one text could hold. Rules are bits by their number.

    `identifier`: it has the form of one; `long`: a run of characters that a credential without keywords could be;
    `model`: it may pass the model's threshold; `script`: it has letters that only the rules for other scripts read;
    `pieces` are what hides in it, with what each as it is read could hold.
    """

    secrets: int = 0
    attacks: int = 0
    identifier: bool = False
    long: bool = False
    model: bool = False
    hidden: bool = False
    malware: bool = False
    script: bool = False
    pieces: list[tuple[Piece, str, "Trace"]] = field(default_factory=list)

    @property
    def tells(self) -> bool:
        """Whether the text has to be read."""
        return self.script or self.tells_folded

    @property
    def tells_folded(self) -> bool:
        """Whether anything but the rules for other scripts has to read it."""
        return self.attacks_possible or self.values_possible

    @property
    def attacks_possible(self) -> bool:
        """Whether it could hold a prompt attack."""
        return self.attacks > 0 or self.hidden or self.model

    @property
    def values_possible(self) -> bool:
        """Whether it could hold an identifier, a credential or malware."""
        return self.secrets > 0 or self.identifier or self.long or self.malware


@dataclass(frozen=True, slots=True)
class Traced:
    """The traces of a record's texts, and of all of them together."""

    texts: Sequence[Trace]
    across: Trace


def either(traces: Iterable[Trace]) -> Trace:
    """What any of several stretches of a record could be."""
    found = Trace()
    for trace in traces:
        found.secrets |= trace.secrets
        found.attacks |= trace.attacks
        found.model |= trace.model
        found.hidden |= trace.hidden
        found.script |= trace.script
    return found


MOST_TEXTS = 50_000
"""Of a record that the sieve is given as one."""
NOTHING = Trace()
"""Of a text that can hold nothing."""


class Tracer:
    """Traces by the sieve: what it asks of a text is what the text could hold."""

    def __init__(self, secrets: Secrets, attacks: Attacks) -> None:
        self._attacks = len(attacks.rules)
        self._among = [*attacks.among, *secrets.among]
        self._anything = Trace(
            secrets=(1 << len(secrets.rules)) - 1,
            attacks=(1 << self._attacks) - 1,
            identifier=True,
            long=True,
            model=True,
            hidden=True,
            malware=True,
            script=True,
        )

    @cached_property
    def _sieve(self) -> Sieve:
        """Its own, as what the screen's was asked is not yet answered; most files need it for nothing."""
        return Sieve()

    def matching(self, asked: Asked) -> dict[int, int]:
        """For each owner of a text that some rule matches these rules, as bits: for attacks, then for credentials."""
        found: dict[int, int] = {}
        for rule, joined, starts, owners in asked.of_rules:
            for at in self._among[rule].holding_joined(joined, starts):
                found[owners[at]] = found.get(owners[at], 0) | 1 << rule
        return found

    def trace(self, kinds: int, rules: int) -> Trace:
        """Of a text of which these kinds were asked, and these rules match it or the record it is of."""
        return Trace(
            secrets=rules >> self._attacks,
            attacks=rules & (1 << self._attacks) - 1,
            identifier=kinds & Kind.IDENTIFIER != 0,
            long=kinds & Kind.LONG != 0,
            model=kinds & Kind.MODEL != 0,
            hidden=kinds & Kind.HIDDEN != 0,
            malware=kinds & Kind.MALWARE != 0,
        )

    def of(self, records: Sequence[Sequence[Text]]) -> list[Traced]:
        """The traces of records, each given by its texts."""
        if any(len(texts) > MOST_TEXTS for texts in records):
            return [
                self._in_parts(texts) if len(texts) > MOST_TEXTS else found
                for texts, found in zip(records, self.of([texts[:MOST_TEXTS] for texts in records]), strict=True)
            ]
        asked = self._sieve.sift(b"\n".join([_line(texts) for texts in records]), None)
        said = self._sieve.settle(())
        rules = self.matching(asked)
        inside: list[dict[str, int]] = [{} for _ in records]
        for owner, kinds, value in asked.of_texts:
            inside[owner][value] = inside[owner].get(value, 0) | kinds
        across = [0] * len(records)
        for owner, kinds, _ in asked.of_stretches:
            across[owner] |= kinds
        return [
            self._unread(texts)
            if said[at] == TO_READ
            else self._traced(texts, rules.get(at, 0), inside[at], across[at])
            for at, texts in enumerate(records)
        ]

    def _in_parts(self, texts: Sequence[Text]) -> Traced:
        """Of a record of more texts than the sieve reads as one: parts that overlap by the most that is joined."""
        step = MOST_TEXTS - MAX_TEXTS
        found = self.of([texts[at : at + MOST_TEXTS] for at in range(0, len(texts), step)])
        traces = [trace for part in found for trace in part.texts[:step]]
        if len({text.role for text in texts}) > 1:
            # What one speaker says may be further apart.
            return Traced(traces, self._unread(()).across)
        return Traced(traces, either(part.across for part in found))

    def _unread(self, texts: Sequence[Text]) -> Traced:
        """Of a record that the sieve does not read: each rule reads each text."""
        return Traced([replace(self._anything, pieces=[]) for _ in texts], replace(self._anything, pieces=[]))

    def _traced(self, texts: Sequence[Text], rules: int, inside: Mapping[str, int], across: int) -> Traced:
        traces = [self._of_text(text.value, rules, inside) for text in texts]
        together = self.trace(across, rules)
        together.script = any(trace.script for trace in traces)
        return Traced(traces, together)

    def _of_text(self, text: str, rules: int, inside: Mapping[str, int]) -> Trace:
        view = fold(text).text
        kinds = inside.get(view, 0)
        script = in_other_script(text)
        if not (rules or kinds or script):
            return NOTHING
        trace = self.trace(kinds, rules)
        trace.script = script
        return trace


_ROLES = (None, "system", "user", "assistant")
_UNREAD = b"?"


def _line(texts: Sequence[Text]) -> bytes:
    """A record of these texts for the sieve, or what it cannot read."""
    if any(text.role not in _ROLES for text in texts):
        return _UNREAD
    turns = [{"role": text.role, "content": text.value} if text.role else text.value for text in texts]
    try:
        return orjson.dumps({"messages": turns})
    except orjson.JSONEncodeError:
        return _UNREAD
