"""Every flow with every call failing in every way, and what is left of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from faults import answers
from faults.account import FIXED, Account, in_memory
from faults.flows import Flow, World
from faults.injector import Call, Injector, Point, Way
from faults.platform import Platform, module
from faults.promises import Ended, Promises


@dataclass
class Outcome:
    """How a flow did: the points tried, and what became of those it did not survive."""

    points: int = 0
    broken: dict[str, str] = field(default_factory=dict)


@dataclass
class Ground:
    """An account in memory in which one flow after another can run."""

    account: Account
    injector: Injector
    empty: Callable[[], None]

    def world(self) -> World:
        """A new account with nothing in it, and what goes on there."""
        self.empty()
        self.account.fill()
        promises = Promises(self.account)
        self.injector.reset(None)
        platform = Platform(self.account, self.injector)
        self.injector.replies = {**answers.services(), **promises.bedrock.replies(), **platform.replies()}
        promises.bedrock.tell = lambda event: platform.send("verify_job", event)
        return World(self.account, platform, promises)

    def run(self, flow: Flow, point: Point | None, undisturbed: Ended | None) -> Ended:
        """Raises `AssertionError` where a promise does not hold."""
        world = self.world()
        flow.before(world)
        self.injector.reset(point)
        world.platform.watch = world.promises.at_any_time
        flow.happens(world)
        world.platform.settle()
        return world.promises.in_the_end(undisturbed)

    def calls(self, flow: Flow) -> tuple[Ended, list[Call]]:
        """How the flow ends undisturbed, and every call it makes."""
        ended = self.run(flow, None, None)
        return ended, list(self.injector.calls)

    def disturb(self, flow: Flow, way: Way, every: int = 1) -> Outcome:
        """Have each call that can, or each so manieth of them, fail in one way."""
        ended, calls = self.calls(flow)
        outcome = Outcome()
        for number in [number for number, call in enumerate(calls) if way in call.ways][::every]:
            outcome.points += 1
            try:
                self.run(flow, Point(number, way), ended)
            except AssertionError as error:
                outcome.broken[f"{calls[number]} ({number}), {way}"] = str(error)
        return outcome


@contextmanager
def ground() -> Iterator[Ground]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FIXED.items():
            patch.setenv(name, value)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        injector = Injector()
        forget()
        try:
            with in_memory(injector.session) as (account, mock):
                yield Ground(account, injector, mock.reset)
        finally:
            forget()


def forget() -> None:
    """Have the functions make their clients anew."""
    from tunegate.handler import clients

    clients.cache_clear()
    module.cache_clear()
