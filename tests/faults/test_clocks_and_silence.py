"""Clocks that are an hour off, and an hour in which SNS takes nothing: each verdict is the same, each alert arrives."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from faults.clocks import HOUR, Skew, ahead, ahead_and_behind, backwards, behind, wrong
from faults.flows import FLOWS, UNREADABLE, Flow, World
from faults.injector import Params, Refusal
from faults.run import Ground, ground
from faults.stream import MAPPING, Stream
from faults.uploads import CLEAN, FLAGGED, OTHER, Put, current, put, settled, tell

FOLLOWED = (
    "scan that waits for GuardDuty",
    "release",
    "late revocation",
    "late revocation, such a model is deployed",
    "a job is done, its model approved",
    "a job broke a rule, its model rejected",
)
"""Flows in which something is decided again, and the later decision must count."""


@pytest.fixture(scope="module")
def account() -> Iterator[Ground]:
    with ground() as made:
        yield made


@pytest.fixture
def world(account: Ground) -> World:
    return account.world()


@pytest.mark.parametrize("flow", [flow for flow in FLOWS if flow.name in FOLLOWED], ids=lambda flow: flow.name)
def test_clocks_that_run_backwards_change_no_verdict_no_place_and_no_alert(
    account: Ground, monkeypatch: pytest.MonkeyPatch, flow: Flow
) -> None:
    undisturbed = account.run(flow, None, None)
    wrong(monkeypatch, backwards())
    assert account.run(flow, None, undisturbed) == undisturbed


@pytest.mark.parametrize("skew", [ahead, behind, ahead_and_behind, backwards])
@pytest.mark.parametrize("orders", [("01", "02"), ("02", "01")], ids=["in order", "in reverse"])
def test_the_order_of_versions_is_s3s_whatever_the_functions_clocks_say(
    world: World, monkeypatch: pytest.MonkeyPatch, orders: tuple[str, str], skew: Callable[[], Skew]
) -> None:
    wrong(monkeypatch, skew())
    puts = [put(world, body, order) for body, order in zip((CLEAN, OTHER), orders, strict=True)]
    tell(world, *puts)
    world.platform.settle()
    assert all(settled(world, one, "clean") for one in puts)
    assert current(world) == max(puts, key=lambda one: one.order).body


@pytest.mark.parametrize("skew", [ahead, behind])
def test_reconcile_by_a_clock_an_hour_off_finds_what_waits_an_hour_sooner_or_later(
    world: World, monkeypatch: pytest.MonkeyPatch, skew: Callable[[], Skew]
) -> None:
    wrong(monkeypatch, skew())
    before = put_at(world, monkeypatch, datetime.now(UTC) - HOUR - timedelta(minutes=1))
    world.platform.invoke_async("reconcile", {})
    world.platform.settle()
    assert settled(world, before, "clean")
    # An event that comes after all.
    tell(world, before)
    world.platform.settle()
    assert len(world.platform.executions) == 1


def put_at(world: World, patch: pytest.MonkeyPatch, at: datetime) -> Put:
    """An upload that S3 dates so."""
    with patch.context() as dated:
        dated.setattr("moto.s3.models.utcnow", lambda: at.replace(tzinfo=None))
        return put(world, CLEAN)


@pytest.fixture
def stream(world: World, monkeypatch: pytest.MonkeyPatch) -> Stream:
    """The stream, read in its own time."""
    made = Stream(world.platform)
    monkeypatch.setattr(world.platform, "_deliver", made.take)
    return made


def silence(world: World) -> None:
    """SNS is down."""

    def down(_: Params) -> None:
        raise Refusal("ServiceUnavailable", 503)

    injector = world.platform.injector
    injector.replies = {**injector.replies, ("sns", "Publish"): down}


def speech(world: World) -> None:
    """SNS is up again."""
    injector = world.platform.injector
    injector.replies = {name: reply for name, reply in injector.replies.items() if name != ("sns", "Publish")}


def put_several(world: World, *, beside: int) -> list[str]:
    """Uploads that on-call is to be told of, behind some of which it is not; returns the versions of the former."""
    due = [FLAGGED, FLAGGED.replace(b"my", b"your"), UNREADABLE]
    others = [CLEAN.replace(b"Paris", b"Paris, %d" % number) for number in range(beside)]
    puts = [put(world, body, f"{number:02}") for number, body in enumerate([*others, *due])]
    tell(world, *puts)
    world.platform.settle()
    return sorted(one.version.version_id for one in puts if one.body in due)


def told(world: World) -> list[str]:
    """The versions that on-call was told of, as often as it was, in order."""
    return sorted(alert["object"]["version_id"] for alert in world.account.alerts())


def test_alerts_of_an_hour_without_sns_all_arrive_after_it_and_once(world: World, stream: Stream) -> None:
    silence(world)
    due = put_several(world, beside=MAPPING["BatchSize"])
    stream.pass_time(HOUR)
    assert told(world) == []
    speech(world)
    stream.pass_time(timedelta(minutes=5))
    assert told(world) == due
    assert stream.letters == []
    stream.pass_time(HOUR)
    assert told(world) == due


@pytest.mark.parametrize("skew", [ahead, behind, None])
def test_alerts_of_a_silence_longer_than_the_stream_is_read_arrive_when_redriven_and_once(
    world: World, stream: Stream, monkeypatch: pytest.MonkeyPatch, skew: Callable[[], Skew] | None
) -> None:
    if skew is not None:
        wrong(monkeypatch, skew())
    silence(world)
    due = put_several(world, beside=1)
    stream.pass_time(23 * HOUR)
    assert stream.letters
    speech(world)
    stream.redrive()
    assert told(world) == due
    stream.pass_time(HOUR)
    stream.redrive()
    assert told(world) == due
