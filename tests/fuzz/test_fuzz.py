"""Rubbish of a fixed kind, the same on every run: a small part of what `make fuzz` tries."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from fuzz.targets import TARGETS

EXAMPLES = 150


@pytest.mark.parametrize("name", TARGETS)
def test_rubbish_is_read_refused_or_held_and_never_passed(name: str) -> None:
    target = TARGETS[name]
    fixed = settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
    )
    fixed(given(target.inputs)(target.check))()
