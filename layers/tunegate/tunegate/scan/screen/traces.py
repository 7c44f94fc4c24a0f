"""What a text could hold: one pass over many texts at once, so that only few are read rule by rule.

Sound because a trace is a part of every match: a rule's keyword, an n-gram the model gives weight to, a form that all
identifiers or encodings share. A text without the trace cannot have the hit; a text with it is read by the rule itself.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from tunegate.scan.screen import hidden, identifiers, malware
from tunegate.scan.screen.hidden import Piece
from tunegate.scan.screen.hits import Hit
from tunegate.scan.screen.keywords import automaton, by_word
from tunegate.scan.screen.patterns import Finder
from tunegate.scan.screen.turns import REACH
from tunegate.scan.screen.words import BORDER, as_words, ascii_as_words


@dataclass(slots=True)
class Trace:
    """What one text could hold. Rules are bits by their number; gains are log-odds the model could give at most.

    `seam_attacks`, `seam_gain` and `seam_hidden` are what a phrase reaching into a neighbouring text could have here;
    `pieces` are what hides in the text, with what each as it is read could hold; `hits` is what reading the text gave,
    once it was read.
    """

    identifiers: int = 0
    secrets: int = 0
    attacks: int = 0
    gain: float = 0.0
    hidden: bool = False
    malware: bool = False
    script: bool = False
    seam_attacks: int = 0
    seam_gain: float = 0.0
    seam_hidden: bool = False
    pieces: list[tuple[Piece, str, "Trace"]] | None = None
    hits: tuple[Hit, ...] | None = None

    @property
    def reaches(self) -> bool:
        """Whether the text could be part of a phrase across texts."""
        return self.seam_attacks > 0 or self.seam_gain > 0 or self.seam_hidden or self.script


NOTHING = Trace()
"""The trace of a text that can hold nothing; told by identity."""


def either(one: Trace | None, other: Trace | None) -> Trace | None:
    """What either of two stretches of a record could be."""
    if one is None or other is None:
        return one or other
    return Trace(
        attacks=one.attacks | other.attacks,
        gain=max(one.gain, other.gain),
        hidden=one.hidden or other.hidden,
        script=one.script or other.script,
    )


class Word(NamedTuple):
    """What a substring of the words view is a trace of. `at_head`: only of a phrase begun in the text before."""

    attacks: int = 0
    gain: float = 0.0
    cipher: bool = False
    at_head: bool = False


class Traces:
    """All traces of all rules.

    `identified` says of a text that holds one of identifiers.TRACES which rules could match, and `long_secrets` of one
    with a long run of characters which of the credential rules that it wakes, both as bits. `secrets` are the keywords
    of each other credential rule, in lower case; `attacks` the keywords of each attack rule and `gains` the model's
    n-grams, both as they stand in the words view. `matching` says of texts and, for each, attack rules, as bits, which
    can match.
    """

    def __init__(
        self,
        identified: Callable[[str], int],
        long_secrets: Callable[[str], int],
        secrets: Sequence[Sequence[str]],
        attacks: Sequence[Sequence[str]],
        gains: Mapping[str, float],
        matching: Callable[[Sequence[bytes], Sequence[int]], list[int]],
    ) -> None:
        keywords = by_word(enumerate(secrets))
        names = sorted({*keywords, malware.KEYWORD})
        self._keywords = [(keywords.get(name, 0), name == malware.KEYWORD) for name in names]
        self._keyword_search = automaton(names)
        self._identified = identified
        self._long_secrets = long_secrets
        words = _words(attacks, gains)
        self._words = list(words.values())
        self._word_search = automaton(words)
        self._matching = matching

    def of(self, texts: Sequence[str], *, whole: bool = False) -> list[Trace]:
        """The trace of each text (folded). `whole`: places do not matter, as folding may have moved them."""
        if not texts:
            return []
        batch = _Batch(texts, whole)
        for at in batch.holding(identifiers.TRACES):
            if awake := self._identified(texts[at]):
                batch.trace(at).identifiers = awake
        for at in batch.holding(hidden.TRACES):
            self._read_signs(batch, at)
        if whole:
            self._distrust_short(batch)
        self._find_keywords(batch)
        self._find_words(batch)
        woken = [at for at, trace in enumerate(batch.traces) if trace.attacks]
        attacks = [batch.traces[at].attacks for at in woken]
        confirmed = self._matching([texts[at].encode("utf-8", "replace") for at in woken], attacks)
        for at, rules in zip(woken, confirmed, strict=True):
            batch.traces[at].attacks = rules
        return batch.traces

    def gains(self, texts: Sequence[str]) -> list[float]:
        """What the model could give each text (folded) at most."""
        batch = _Batch(texts, whole=True)
        self._find_words(batch)
        return [trace.gain for trace in batch.traces]

    def _distrust_short(self, batch: "_Batch") -> None:
        """Folding may have made any text shorter than it looks to those who count the short ones."""
        for at, text in enumerate(batch.texts):
            if len(text) <= hidden.SHORT:
                batch.trace(at).seam_hidden = True

    def _read_signs(self, batch: "_Batch", at: int) -> None:
        text = batch.texts[at]
        signs = hidden.signs(text)
        long_secrets = self._long_secrets(text) if signs.long_run else 0
        if signs.whole or signs.part or long_secrets:
            trace = batch.trace(at)
            trace.hidden |= signs.whole
            trace.seam_hidden |= signs.part
            trace.secrets |= long_secrets

    def _find_keywords(self, batch: "_Batch") -> None:
        at, starts = 0, batch.lowered_starts
        for keyword, begin, _ in self._keyword_search.find_matches_as_indexes(batch.lowered, overlapping=True):
            while begin >= starts[at + 1]:
                at += 1
            secrets, is_malware = self._keywords[keyword]
            trace = batch.trace(at)
            trace.secrets |= secrets
            trace.malware |= is_malware

    def _find_words(self, batch: "_Batch") -> None:
        at, starts, seen, near = -1, batch.word_starts, set[int](), set[int]()
        ends, words, trace = starts[0], self._words, NOTHING
        for number, begin, end in self._word_search.find_matches_as_indexes(batch.words, overlapping=True):
            if end > ends:
                at = bisect_left(starts, end, at + 1) - 1
                ends, trace = starts[at + 1], batch.trace(at)
                seen, near = set(), set()
            word = words[number]
            if batch.near_edge(at, begin, end):
                trace.seam_attacks |= word.attacks
                trace.seam_hidden |= word.cipher
                if number not in near:
                    near.add(number)
                    trace.seam_gain += word.gain
            if not word.at_head:
                trace.attacks |= word.attacks
                trace.hidden |= word.cipher
                if number not in seen:
                    seen.add(number)
                    trace.gain += word.gain


class _Batch:
    """Texts joined by borders, as bytes and in lower case, and the traces found in them so far."""

    def __init__(self, texts: Sequence[str], whole: bool) -> None:
        joined = _joined(texts)
        self.texts = texts
        self.traces = [NOTHING] * len(texts)
        self.raw = joined.encode("utf-8", "replace")
        self.starts = _starts(map(len, texts) if joined.isascii() else map(_bytes, texts))
        if joined.isascii() and joined.count("\0") == len(texts) + 1:
            self.lowered, self.lowered_starts = self.raw.lower(), self.starts
            self.words, self.word_starts = ascii_as_words(self.raw), self.starts
        else:
            lowered = [text.replace("\0", " ").lower() for text in texts]
            joined = _joined(lowered)
            self.lowered, self.lowered_starts = joined.encode("utf-8", "replace"), _starts(map(_bytes, lowered))
            self.words, self.word_starts = as_words(joined), _starts(map(len, lowered))
        self._whole = whole

    def trace(self, at: int) -> Trace:
        found = self.traces[at]
        if found is NOTHING:
            found = self.traces[at] = Trace()
        return found

    def holding(self, finder: Finder) -> Iterator[int]:
        """The numbers of the texts in which the pattern matches."""
        begin = self.starts[0]
        while (match := finder.search(self.raw, begin)) is not None:
            at = bisect_right(self.starts, match.start()) - 1
            if at == len(self.texts):
                return
            yield at
            begin = self.starts[at + 1]

    def near_edge(self, at: int, begin: int, end: int) -> bool:
        """Whether a place in the words view is in what a phrase across texts reads of text `at`."""
        starts = self.word_starts
        return self._whole or begin < starts[at] + _REACH or end > starts[at + 1] - _REACH


_REACH = REACH + len(BORDER)


def _joined(texts: Sequence[str]) -> str:
    return BORDER.join(("", *texts, ""))


def _starts(lengths: Iterable[int]) -> list[int]:
    """Where each text begins, counted from the NUL byte before it, and where the last one ends."""
    return list(accumulate((length + len(BORDER) for length in lengths), initial=BORDER.index("\0")))


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _words(attacks: Sequence[Sequence[str]], gains: Mapping[str, float]) -> dict[str, Word]:
    """Every substring of the words view that is a trace, with what it is one of."""
    found: dict[str, Word] = {}

    def add(text: str, attacks: int = 0, gain: float = 0.0, *, cipher: bool = False) -> None:
        old = found.get(text, Word())
        at_head = text.startswith("\0")
        found[text] = Word(old.attacks | attacks, old.gain + gain, old.cipher or cipher, at_head)

    for keyword, rules in by_word(enumerate(attacks)).items():
        for part in (keyword, *_ends(keyword)):
            add(part, attacks=rules)
    for gram, gain in gains.items():
        for part in (f" {gram} ", *_ends(f" {gram} ")):
            add(part, gain=gain)
    for word in hidden.CIPHERED:
        add(word, cipher=True)
    return found


def _ends(phrase: str) -> Iterator[str]:
    """What a text begins with if the phrase began in the text before."""
    words = phrase.split()
    closed = " " if phrase.endswith(" ") else ""
    for at in range(1, len(words)):
        yield "\0 " + " ".join(words[at:]) + closed
