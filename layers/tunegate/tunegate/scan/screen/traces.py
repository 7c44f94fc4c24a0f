"""What each text of a record could hold, by what the sieve asks of it: only few rules have to read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson

from tunegate.model import Text
from tunegate.scan.screen.attacks import Attacks
from tunegate.scan.screen.hidden import Piece
from tunegate.scan.screen.identifiers import Identifiers
from tunegate.scan.screen.normalize import fold, in_other_script
from tunegate.scan.screen.secrets import Secrets
from tunegate.scan.sieve import TO_READ, Asked, Kind, Sieve


@dataclass(slots=True)
class Trace:
    """What one text could hold. Rules are bits by their number.

    `model`: it may pass the model's threshold; `script`: it has letters that only the rules for other scripts read;
    `pieces` are what hides in it, with what each as it is read could hold.
    """

    identifiers: int = 0
    secrets: int = 0
    attacks: int = 0
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
        return self.model or self.hidden or self.malware or (self.identifiers | self.secrets | self.attacks) != 0


@dataclass(frozen=True, slots=True)
class Traced:
    """The traces of a record's texts, and of all of them together."""

    texts: Sequence[Trace]
    across: Trace


NOTHING = Trace()
"""Of a text that can hold nothing."""


class Tracer:
    """Traces by the sieve: what it asks of a text is what the text could hold."""

    def __init__(self, identifiers: Identifiers, secrets: Secrets, attacks: Attacks) -> None:
        self._identifiers = identifiers
        self._secrets = secrets
        self._attacks = len(attacks.rules)
        self._among = [*attacks.among, *secrets.among]
        self._anything = Trace(
            identifiers=(1 << len(identifiers.rules)) - 1,
            secrets=(1 << len(secrets.rules)) - 1,
            attacks=(1 << self._attacks) - 1,
            model=True,
            hidden=True,
            malware=True,
            script=True,
        )
        self._sieve = Sieve()

    def matching(self, asked: Asked) -> dict[int, int]:
        """For each owner of a text that some rule matches these rules, as bits: for attacks, then for credentials."""
        found: dict[int, int] = {}
        for rule, joined, starts, owners in asked.of_rules:
            for at in self._among[rule].holding_joined(joined, starts):
                found[owners[at]] = found.get(owners[at], 0) | 1 << rule
        return found

    def trace(self, text: str, kinds: int, rules: int) -> Trace:
        """Of a text (folded) of which these kinds were asked, and these rules match it or the record it is of."""
        return Trace(
            identifiers=self._identifiers.awake(text) if kinds & Kind.IDENTIFIER else 0,
            secrets=rules >> self._attacks | (self._secrets.long(text) if kinds & Kind.LONG else 0),
            attacks=rules & (1 << self._attacks) - 1,
            model=kinds & Kind.MODEL != 0,
            hidden=kinds & Kind.HIDDEN != 0,
            malware=kinds & Kind.MALWARE != 0,
        )

    def of(self, records: Sequence[Sequence[Text]]) -> list[Traced]:
        """The traces of records, each given by its texts."""
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

    def _unread(self, texts: Sequence[Text]) -> Traced:
        """Of a record that the sieve does not read: each rule reads each text."""
        return Traced([replace(self._anything, pieces=[]) for _ in texts], replace(self._anything, pieces=[]))

    def _traced(self, texts: Sequence[Text], rules: int, inside: Mapping[str, int], across: int) -> Traced:
        traces = [self._of_text(text.value, rules, inside) for text in texts]
        together = self.trace("", across & ~Kind.IDENTIFIER, rules)
        together.script = any(trace.script for trace in traces)
        return Traced(traces, together)

    def _of_text(self, text: str, rules: int, inside: Mapping[str, int]) -> Trace:
        view = fold(text).text
        kinds = inside.get(view, 0)
        script = in_other_script(text)
        if not (rules or kinds or script):
            return NOTHING
        trace = self.trace(view, kinds, rules)
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
