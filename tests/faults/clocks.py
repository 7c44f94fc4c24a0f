"""Clocks of functions that differ from AWS's and from each other's."""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from itertools import count, cycle
from types import SimpleNamespace
from typing import Any, Self

import pytest

from faults.platform import module

HOUR = timedelta(hours=1)
type Skew = Callable[[], timedelta]
"""How far a clock is off, each time somebody looks at it."""


def ahead() -> Skew:
    return lambda: HOUR


def behind() -> Skew:
    return lambda: -HOUR


def ahead_and_behind() -> Skew:
    turns = cycle([HOUR, -HOUR])
    return lambda: next(turns)


def backwards() -> Skew:
    """Each look is an hour before the last one."""
    looks = count(1)
    return lambda: -HOUR * next(looks)


def wrong(patch: pytest.MonkeyPatch, skew: Skew) -> None:
    """Have every clock of the product be off; AWS's are not."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromisoformat((datetime.now(tz) + skew()).isoformat())

    functions: list[Any] = [module(name) for name in ("ask_macie", "gather_models", "reconcile")]
    library = [found for name, found in sys.modules.items() if name.startswith("tunegate.")]
    for holder in [*functions, *library]:
        if getattr(holder, "datetime", None) is datetime:
            patch.setattr(holder, "datetime", Wrong)
    wall = SimpleNamespace(time=lambda: (datetime.now() + skew()).timestamp())
    patch.setattr("tunegate.scan.cache.time", wall)
