"""Weighted evidence: expressions with weights in a table beside the code, combined as independent chances."""

import tomllib
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

# A score reaches a step of Guardrails' severity from here on.
_STEPS = ((0.95, 1.0), (0.8, 0.8), (0.6, 0.6), (0.4, 0.4), (0.2, 0.2))


def table(name: str) -> dict[str, list[dict[str, Any]]]:
    """A TOML table of this package: rows by name, `%x%` in their expressions replaced by the fragment `x`."""
    rows_by_name = tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    fragments: dict[str, str] = rows_by_name.pop("fragments")
    for row in chain.from_iterable(rows_by_name.values()):
        for fragment, expression in fragments.items():
            row["expression"] = row["expression"].replace(f"%{fragment}%", expression)
    return rows_by_name


def combine(weights: Iterable[float]) -> float:
    """The chance that one of several independent signs is right: 1 - (1 - w1)(1 - w2)…

    >>> round(combine([0.5, 0.5]), 2)
    0.75
    """
    wrong = 1.0
    for weight in weights:
        wrong *= 1 - weight
    return 1 - wrong


def severity(score: float) -> float:
    """A score in the steps 0, 0.2 … 1.0 that Guardrails answers.

    >>> severity(0.85)
    0.8
    """
    return next((step for least, step in _STEPS if score >= least), 0.0)
