"""The linear model: jailbreaks that no single sentence gives away, by the words of a stretch of text."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

from tunegate.model import Category
from tunegate.scan.screen.hits import Hit
from tunegate.scan.screen.words import as_words

DATA = Path(__file__).parent / "data"
TOKEN = re.compile("[a-z0-9]+")


class LinearModel:
    """Logistic regression over the word 1- and 2-grams that occur in a window of `window` words, `stride` apart.

    A window's log-odds are the sum of the weights of its distinct n-grams and the intercept. So the positive weights
    present in a text bound all its windows from above, and texts that cannot pass are left unread (see `possible`).
    """

    def __init__(self) -> None:
        model = json.loads((DATA / "jailbreak_model.json").read_text("utf-8"))
        self._weights: dict[str, float] = model["weights"]
        self._openers = frozenset(gram.split()[0] for gram in self._weights)
        self._intercept: float = model["intercept"]
        self.threshold: float = model["threshold"]
        self._window: int = model["window"]
        self._stride: int = model["stride"]
        self.gains = {gram: weight for gram, weight in self._weights.items() if weight > 0}
        self.least_gain: float = self.threshold - self._intercept

    def possible(self, gain: float, margin: float = 0.0) -> bool:
        """False where no window can pass the threshold by `margin`: `gain` is the sum of `gains` in the text."""
        return gain >= self.least_gain + margin - 1e-6

    def find(self, lowered: str, margin: float = 0.0) -> Iterator[Hit]:
        """The best window of the text, where it passes the threshold by `margin`."""
        best = max(self.windows(lowered, self.threshold + margin), default=None)
        if best is not None and best[0] >= self.threshold + margin:
            score, first, last = best
            words = [match.span() for match in TOKEN.finditer(lowered)]
            begin, end = words[first][0], words[min(last, len(words)) - 1][1]
            yield Hit(Category.PROMPT_ATTACK, "JAILBREAK", begin, end, probability(score), rank=1)

    def windows(self, lowered: str, least: float) -> Iterator[tuple[float, int, int]]:
        """(log-odds, first word, end of the last) of the windows of the text that can reach `least`.

        A window is a few blocks of `stride` words, so what its blocks can add bounds it before it is put together.
        """
        needed = least - self._intercept
        blocks = self._blocks(lowered)
        gains = [math.fsum(max(0.0, self._weights[gram]) for gram in block) for block in blocks]
        size = self._window // self._stride
        for first in range(max(1, len(blocks) - size + 1)):
            if math.fsum(gains[first : first + size]) >= needed:
                inside = set().union(*blocks[first : first + size])
                score = self._intercept + math.fsum(self._weights[gram] for gram in inside)
                yield score, first * self._stride, (first + size) * self._stride

    def _blocks(self, lowered: str) -> list[set[str]]:
        """The n-grams with a weight that begin in each `stride` words. A pair has one character between its words."""
        weights, openers = self._weights, self._openers
        # Where more than one character stands between two words, there is an empty one between them here.
        words = as_words(lowered).split(" ")
        count = len(words) - words.count("")
        blocks: list[set[str]] = [set() for _ in range(0, count, self._stride)]
        number = 0
        for word, following in zip(words, [*words[1:], ""], strict=True):
            if word in openers:
                block = blocks[number // self._stride]
                if word in weights:
                    block.add(word)
                if (pair := f"{word} {following}") in weights:
                    block.add(pair)
            if word:
                number += 1
        return blocks


def probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, log_odds))))
