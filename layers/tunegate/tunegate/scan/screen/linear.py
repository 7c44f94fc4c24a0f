"""The linear model: jailbreaks that no single sentence gives away, by the words of a stretch of text."""

import json
import math
import re
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

from tunegate.model import Category
from tunegate.scan.screen.hits import Hit

DATA = Path(__file__).parent / "data"
TOKEN = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")


class LinearModel:
    """Logistic regression over the word 1- and 2-grams that occur in a window of `window` words, `stride` apart.

    A window's log-odds are the sum of the weights of its distinct n-grams and the intercept. So the positive weights
    present in a text bound all its windows from above, and texts that cannot pass are left unread (see `possible`).
    """

    def __init__(self) -> None:
        model = json.loads((DATA / "jailbreak_model.json").read_text("utf-8"))
        self._weights: dict[str, float] = model["weights"]
        self._intercept: float = model["intercept"]
        self.threshold: float = model["threshold"]
        self._window: int = model["window"]
        self._stride: int = model["stride"]
        self.strong: dict[str, float] = model["strong"]
        self._needed = self.threshold - self._intercept - model["slack"]

    def possible(self, seen: set[str]) -> bool:
        """False where no window can pass: `seen` are the words of `strong` that the text holds.

        `strong[word]` is what all n-grams told by that word can add, `slack` what all others can add together.
        """
        return math.fsum(self.strong[word] for word in seen if word in self.strong) >= self._needed

    def find(self, lowered: str, margin: float = 0.0) -> Iterator[Hit]:
        """The best window of the text, where it passes the threshold by `margin`."""
        best = max(self.windows(lowered, self.threshold + margin), default=None)
        if best is not None and best[0] >= self.threshold + margin:
            score, begin, end = best
            yield Hit(Category.PROMPT_ATTACK, "JAILBREAK", begin, end, probability(score), rank=1)

    def windows(self, lowered: str, least: float) -> Iterator[tuple[float, int, int]]:
        """(log-odds, begin, end) of the windows; none where no window can reach `least`."""
        tokens = list(TOKEN.finditer(lowered))
        known = list(self._features([match.group() for match in tokens]))
        if math.fsum(max(0.0, self._weights[gram]) for gram in {gram for _, gram in known}) < least - self._intercept:
            return
        places = [at for at, _ in known]
        last = max(0, len(tokens) - self._window)
        for first in dict.fromkeys((*range(0, last, self._stride), last)):
            end = min(first + self._window, len(tokens))
            inside = {gram for _, gram in known[bisect_left(places, first) : bisect_left(places, end)]}
            if inside:
                score = self._intercept + math.fsum(self._weights[gram] for gram in inside)
                yield score, tokens[first].start(), tokens[end - 1].end()

    def _features(self, words: list[str]) -> Iterator[tuple[int, str]]:
        weights = self._weights
        for at, word in enumerate(words):
            if word in weights:
                yield at, word
            if at + 1 < len(words):
                pair = f"{word} {words[at + 1]}"
                if pair in weights:
                    yield at, pair


def probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, log_odds))))
