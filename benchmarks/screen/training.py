"""Training of the linear jailbreak model: windows of words, the telling ones found by the model itself."""

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from screen.corpora import Sample

TOKEN = re.compile(r"[a-z0-9]+")  # as tunegate.scan.screen.linear reads text
WINDOW, STRIDE = 60, 20
LEAST_TEXTS = 4  # jailbreaks an n-gram must occur in
RARE = 0.01  # share of windows of benign prose that an n-gram may occur in: common words tell little and cost time
WINDOWS_OF_BENIGN = 8  # windows taken of one benign record in the first round
ROUNDS = 3
FALSE_FLAGS = 0.0015  # share of benign training records, scored by a model that did not see them, above the threshold
PROSE_FALSE_FLAGS = 0.004  # and of those among them that are prose and chat rather than generated exercises
PROSE_WEIGHT = 5.0
FOLDS = 3
ROLE_WEIGHT = 20.0
PRUNE = 0.02
SEED = 20261122
STAND_IN = "how do i do that"
NAMES = {
    "chatgpt",
    "gpt",
    "openai",
    "claude",
    "gemini",
    "llama",
    "niccolo",
}  # whom a prompt speaks to says nothing of its intent

type Grams = frozenset[str]
type Token = re.Match[str]


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows as sets of n-grams, and the record each is from."""

    grams: list[Grams]
    record: list[int]


def ordinary_roles() -> list[Sample]:
    lines = (Path(__file__).parent / "ordinary_roles.txt").read_text("utf-8").splitlines()
    return [Sample("roles", ((None, line),)) for line in lines if line and not line.startswith("#")]


def tokens(text: str) -> list[Token]:
    return list(TOKEN.finditer(text.lower().replace(STAND_IN, "")))


def grams(words: Sequence[Token]) -> Grams:
    """Words, and pairs of words with one character between them: a pair does not reach over a comma or full stop."""
    pairs = ((one, other) for one, other in pairwise(words) if other.start() == one.end() + 1)
    return frozenset(word[0] for word in words) | frozenset(f"{one[0]} {other[0]}" for one, other in pairs)


def windows(samples: Iterable[Sample], vocabulary: frozenset[str] | None = None) -> Windows:
    found = Windows([], [])
    for at, sample in enumerate(samples):
        for _, text in sample.texts:
            words = tokens(text)
            last = max(0, len(words) - WINDOW)
            for first in dict.fromkeys((*range(0, last, STRIDE), last)):
                seen = grams(words[first : first + WINDOW])
                kept = seen if vocabulary is None else seen & vocabulary
                if kept:
                    found.grams.append(kept)
                    found.record.append(at)
    return found


def vocabulary_of(jailbreaks: Sequence[Sample], benign: Sequence[Sample]) -> list[str]:
    """n-grams of at least LEAST_TEXTS jailbreaks, as names of single personas say nothing about the next, that are
    rare in benign prose.
    """
    counts: Counter[str] = Counter()
    for sample in jailbreaks:
        counts.update(grams(tokens(sample.joined)))
    prose = windows(sample for sample in benign if is_prose(sample))
    common: Counter[str] = Counter(gram for seen in prose.grams for gram in seen)
    most = RARE * len(prose.grams)
    told = (gram for gram, count in counts.items() if count >= LEAST_TEXTS and common[gram] <= most)
    return sorted(gram for gram in told if NAMES.isdisjoint(gram.split()))


def is_prose(sample: Sample) -> bool:
    return "/" not in sample.source


class Trainer:
    """One vocabulary and its windows as matrices; fits on any part of the records."""

    def __init__(self, jailbreaks: Sequence[Sample], benign: Sequence[Sample], roles: Sequence[Sample]) -> None:
        self.names = vocabulary_of(jailbreaks, benign)
        self._index = {name: at for at, name in enumerate(self.names)}
        known = frozenset(self.names)
        self.bad, self.good, self.roles = (windows(samples, known) for samples in (jailbreaks, benign, roles))
        self.prose = {at for at, sample in enumerate(benign) if is_prose(sample)}
        self.x_bad, self.x_good, self.x_roles = (self._matrix(part) for part in (self.bad, self.good, self.roles))

    def _matrix(self, part: Windows) -> csr_matrix:
        indices = [[self._index[gram] for gram in sorted(seen)] for seen in part.grams]
        pointers = np.cumsum([0, *map(len, indices)])
        flat = np.fromiter((at for row in indices for at in row), dtype=np.int32, count=int(pointers[-1]))
        return csr_matrix((np.ones(len(flat)), flat, pointers), shape=(len(indices), len(self.names)))

    def fit(self, bad_records: set[int], good_records: set[int]) -> tuple[np.ndarray, float]:
        """Weights and intercept. Each round keeps what tells: the top half of jailbreaks, the worst benign windows."""
        chance = random.Random(SEED)  # noqa: S311 - a sample, the same every run
        bad = np.array([at for at, record in enumerate(self.bad.record) if record in bad_records])
        good_all = np.array([at for at, record in enumerate(self.good.record) if record in good_records])
        good = np.array(_some_of_each(good_all, self.good.record, chance))
        model = None
        for _ in range(ROUNDS):
            kept = bad if model is None else _top_half(bad, self.bad.record, model.decision_function(self.x_bad[bad]))
            if model is not None:
                scores = model.decision_function(self.x_good[good_all])
                good = np.union1d(good, good_all[np.argsort(-scores, kind="stable")[: 4 * len(bad)]])
            x = _stack(self.x_bad[kept], self.x_good[good], self.x_roles)
            y = np.array([1] * len(kept) + [0] * (len(good) + self.x_roles.shape[0]))
            ordinary = [PROSE_WEIGHT if self.good.record[row] in self.prose else 1.0 for row in good]
            weights = np.array([2.0] * len(kept) + ordinary + [ROLE_WEIGHT] * self.x_roles.shape[0])
            model = LogisticRegression(C=0.3, penalty="l1", solver="liblinear", random_state=SEED, max_iter=300)
            model.fit(x, y, sample_weight=weights)
        if model is None:
            raise ValueError("no round was trained")
        return model.coef_[0], float(model.intercept_[0])

    def best(
        self, part: Windows, x: csr_matrix, fitted: tuple[np.ndarray, float], records: set[int]
    ) -> dict[int, float]:
        """The score of each record's best window."""
        rows = np.array([at for at, record in enumerate(part.record) if record in records])
        scores = x[rows] @ fitted[0] + fitted[1]
        found: dict[int, float] = {}
        for row, score in zip(rows, scores, strict=True):
            record = part.record[row]
            found[record] = max(found.get(record, -99.0), float(score))
        return found


def _some_of_each(rows: np.ndarray, record: list[int], chance: random.Random) -> list[int]:
    by_record: dict[int, list[int]] = {}
    for row in rows:
        by_record.setdefault(record[row], []).append(int(row))
    return sorted(row for mine in by_record.values() for row in chance.sample(mine, min(len(mine), WINDOWS_OF_BENIGN)))


def _top_half(rows: np.ndarray, record: list[int], scores: np.ndarray) -> np.ndarray:
    by_record: dict[int, list[tuple[float, int]]] = {}
    for row, score in zip(rows, scores, strict=True):
        by_record.setdefault(record[row], []).append((-float(score), int(row)))
    return np.array(sorted(row for mine in by_record.values() for _, row in sorted(mine)[: (len(mine) + 1) // 2]))


def _stack(*parts: csr_matrix) -> csr_matrix:
    from scipy.sparse import vstack

    return csr_matrix(vstack(parts))


def train(jailbreaks: Sequence[Sample], benign: Sequence[Sample], roles: Sequence[Sample]) -> dict[str, Any]:
    """The model as served: weights, intercept and threshold."""
    trainer = Trainer(jailbreaks, benign, roles)
    threshold = cross_validated_threshold(trainer, len(jailbreaks), benign)
    coefficients, intercept = trainer.fit(set(range(len(jailbreaks))), set(range(len(benign))))
    weights = {name: round(float(w), 3) for name, w in zip(trainer.names, coefficients, strict=True) if abs(w) >= PRUNE}
    return {
        "window": WINDOW,
        "stride": STRIDE,
        "intercept": round(intercept, 3),
        "threshold": round(threshold, 3),
        "weights": weights,
    }


def cross_validated_threshold(trainer: Trainer, bad_count: int, benign: Sequence[Sample]) -> float:
    """The score that no more than the allowed share of benign records reaches under models that did not see them."""
    good_count = len(benign)
    good_scores: list[float] = []
    prose_scores: list[float] = []
    bad_scores: list[float] = []
    for fold in range(FOLDS):
        rest_bad = {at for at in range(bad_count) if at % FOLDS != fold}
        rest_good = {at for at in range(good_count) if at % FOLDS != fold}
        fitted = trainer.fit(rest_bad, rest_good)
        mine_good, mine_bad = set(range(good_count)) - rest_good, set(range(bad_count)) - rest_bad
        scored = trainer.best(trainer.good, trainer.x_good, fitted, mine_good)
        good_scores += scored.values()
        prose_scores += [score for record, score in scored.items() if record in trainer.prose]
        bad_scores += trainer.best(trainer.bad, trainer.x_bad, fitted, mine_bad).values()
    good_scores.sort(reverse=True)
    prose_scores.sort(reverse=True)
    threshold = max(
        0.0, good_scores[int(FALSE_FLAGS * good_count)], prose_scores[int(PROSE_FALSE_FLAGS * len(trainer.prose))]
    )
    found = sum(score >= threshold for score in bad_scores) / bad_count
    print(f"threshold {threshold:.3f}; cross-validated: recall {found:.3f} at {FALSE_FLAGS:.2%} benign flagged")
    return threshold
