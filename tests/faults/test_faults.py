"""Some of the points of failure, always the same ones; `make faults` tries them all."""

from collections.abc import Iterator

import pytest

from faults.flows import FLOWS, Flow
from faults.injector import Way
from faults.run import Ground, ground

EVERY = 3
"""One of so many calls fails, in the way that leaves the most behind."""


@pytest.fixture(scope="module")
def account() -> Iterator[Ground]:
    with ground() as made:
        yield made


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_process_killed_after_a_call_leaves_nothing_lost_or_readable_or_untold(account: Ground, flow: Flow) -> None:
    outcome = account.disturb(flow, Way.KILLED_AFTER, EVERY)
    assert outcome.points > 0
    assert outcome.broken == {}
