"""Events come twice, late, in reverse or not at all; keys are overwritten and deleted while they are scanned."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from faults.account import APPROVED, INTAKE, QUARANTINE, SCAN
from faults.flows import FLOWS, UNREADABLE, World
from faults.run import Ground, ground
from faults.uploads import (
    CLEAN,
    FLAGGED,
    KEY,
    OTHER,
    Put,
    alerts,
    current,
    decisions,
    meanwhile,
    places,
    put,
    settled,
    tell,
    verdicts,
)
from tunegate.act.start import start_scan
from tunegate.act.tags import Tag
from tunegate.model import ObjectVersion

STEPS = ("inspect_object", "scan_text", "judge_object", "settle_object")
PAIRS = [(CLEAN, OTHER), (CLEAN, FLAGGED), (FLAGGED, CLEAN)]
NAMES = ["both clean", "the newer one flagged", "the older one flagged"]
VERDICT = {CLEAN: "clean", OTHER: "clean", FLAGGED: "flagged", UNREADABLE: "held"}


@pytest.fixture(scope="module")
def account() -> Iterator[Ground]:
    with ground() as made:
        yield made


@pytest.fixture
def world(account: Ground) -> World:
    return account.world()


@pytest.mark.parametrize("moment", ["at once", *STEPS, "after it ended"])
def test_an_event_told_five_times_is_one_scan_one_place_one_alert(
    world: World, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    one = put(world, FLAGGED)
    tell(world, one)

    def again() -> None:
        tell(world, *[one] * 4)
        world.platform.settle()

    if moment in STEPS:
        meanwhile(monkeypatch, world, moment, again)
    elif moment == "at once":
        tell(world, *[one] * 4)
    world.platform.settle()
    if moment == "after it ended":
        again()
    assert list(world.platform.executions) == [one.version.digest]
    assert settled(world, one, "flagged")
    assert len(alerts(world)) == 1


@pytest.mark.parametrize("bodies", PAIRS, ids=NAMES)
def test_events_in_reverse_leave_each_version_its_verdict_and_the_newest_current(
    world: World, bodies: tuple[bytes, bytes]
) -> None:
    older, newer = put(world, bodies[0], "01"), put(world, bodies[1], "02")
    tell(world, newer, older)
    world.platform.settle()
    assert settled(world, older, VERDICT[older.body])
    assert settled(world, newer, VERDICT[newer.body])
    assert current(world) == next(one.body for one in (newer, older) if one.body != FLAGGED)


@pytest.mark.parametrize("step", ["scan_text", "settle_object"])
@pytest.mark.parametrize("bodies", PAIRS, ids=NAMES)
def test_two_versions_at_once_each_get_their_verdict_and_the_newest_is_current(
    world: World, monkeypatch: pytest.MonkeyPatch, bodies: tuple[bytes, bytes], step: str
) -> None:
    older, newer = put(world, bodies[0], "01"), put(world, bodies[1], "02")
    tell(world, older)

    def the_other() -> None:
        tell(world, newer)
        world.platform.settle()

    meanwhile(monkeypatch, world, step, the_other)
    world.platform.settle()
    assert settled(world, older, VERDICT[older.body])
    assert settled(world, newer, VERDICT[newer.body])
    assert current(world) == next(one.body for one in (newer, older) if one.body != FLAGGED)
    assert len(alerts(world)) == (FLAGGED in bodies)


@pytest.mark.parametrize("step", ["inspect_object", "scan_text"])
@pytest.mark.parametrize("bodies", PAIRS, ids=NAMES)
def test_a_key_overwritten_after_its_event_leaves_two_versions_each_judged_by_its_own_bytes(
    world: World, monkeypatch: pytest.MonkeyPatch, bodies: tuple[bytes, bytes], step: str
) -> None:
    before = put(world, bodies[0], "01")
    after: list[Put] = []

    def overwrite() -> None:
        after.append(put(world, bodies[1], "02"))
        tell(world, *after)

    tell(world, before)
    meanwhile(monkeypatch, world, step, overwrite)
    world.platform.settle()
    assert settled(world, before, VERDICT[before.body])
    assert settled(world, after[0], VERDICT[bodies[1]])


@pytest.mark.parametrize("lost", [0, 1])
def test_a_version_whose_event_was_dropped_is_found_and_takes_its_place_among_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    now = datetime.now(UTC)
    puts = []
    for second, body in enumerate((CLEAN, OTHER)):
        # S3's clock, which the versions of a key and sequencers have their times from.
        monkeypatch.setattr("moto.s3.models.utcnow", lambda at=now + timedelta(seconds=second): at.replace(tzinfo=None))
        puts.append(put(world, body, f"00{int(now.timestamp()) + second:08X}D90281E5"))
    monkeypatch.undo()
    tell(world, puts[1 - lost])
    world.platform.settle()
    assert settled(world, puts[1 - lost], "clean")
    world.platform.invoke_async("reconcile", {})
    world.platform.settle()
    # The event was late, and not lost.
    tell(world, puts[lost])
    world.platform.settle()
    assert len(world.platform.executions) == len(puts)
    assert all(settled(world, one, "clean") for one in puts)
    assert current(world) == OTHER


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("body", [CLEAN, FLAGGED], ids=["clean", "flagged"])
def test_a_delete_marker_put_while_a_version_is_scanned_changes_nothing_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch, body: bytes, step: str
) -> None:
    one = put(world, body)
    tell(world, one)
    meanwhile(monkeypatch, world, step, lambda: world.account.s3.delete_object(Bucket=INTAKE, Key=KEY))
    world.platform.settle()
    assert settled(world, one, VERDICT[body])
    assert len(alerts(world)) == (body == FLAGGED)


def test_a_version_that_a_delete_marker_hides_is_found_by_reconcile(world: World) -> None:
    one = put(world, CLEAN)
    world.account.s3.delete_object(Bucket=INTAKE, Key=KEY)
    world.platform.invoke_async("reconcile", {})
    world.platform.settle()
    assert settled(world, one, "clean")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("body", [CLEAN, FLAGGED], ids=["clean", "flagged"])
def test_a_version_deleted_for_good_before_it_is_settled_is_told_of_as_gone_and_never_passes(
    world: World, monkeypatch: pytest.MonkeyPatch, body: bytes, step: str
) -> None:
    one = put(world, body)
    # Who may: settle_object's role, which deletes what it has copied, and the break-glass role.
    del world.promises.uploaded[one.version.version_id]
    tell(world, one)
    meanwhile(monkeypatch, world, step, lambda: delete(world, one.version))
    world.platform.settle()
    assert verdicts(world) == {one.version.version_id: ["held"]}
    assert places(world, one) == []
    assert told_as_gone(world)
    # Nobody is to wait for what cannot come.
    world.platform.invoke_async("reconcile", {})
    world.platform.settle()
    assert len(alerts(world)) == len(world.platform.executions) == 1


def test_a_version_deleted_for_good_while_its_scan_waits_for_a_service_does_not_wait_for_ever(world: World) -> None:
    next(flow for flow in FLOWS if "GuardDuty" in flow.name).before(world)
    [(version, _)] = world.account.versions(INTAKE)
    world.promises.uploaded.clear()
    world.platform.on_wait = lambda _: delete(world, version)
    world.platform.send("start_scan", world.noted["event"])
    world.platform.settle()
    assert verdicts(world) == {version.version_id: ["held"]}
    assert told_as_gone(world)


def told_as_gone(world: World) -> bool:
    """Whether on-call was told once, of something that nobody can scan again."""
    [alert] = alerts(world)
    return (
        "deleted" in alert["text"] and "intake, where" not in alert["text"] and "tunegate rescan" not in alert["text"]
    )


def delete(world: World, version: ObjectVersion) -> None:
    world.account.s3.delete_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)


@pytest.mark.parametrize("body", [CLEAN, FLAGGED], ids=["clean", "flagged"])
@pytest.mark.parametrize("step", STEPS)
def test_a_second_scan_that_settles_a_version_first_leaves_the_other_nothing_to_hold(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str, body: bytes
) -> None:
    one = put(world, body)
    tell(world, one)

    def scan_again() -> None:
        start_scan(boto3.client("stepfunctions"), SCAN, one.version, one.order, 1)
        world.platform.settle()

    meanwhile(monkeypatch, world, step, scan_again)
    world.platform.settle()
    assert settled(world, one, VERDICT[body])


TEN_TAGS = {
    Tag.VERDICT: "clean",
    Tag.POLICY: "f" * 64,
    Tag.SOURCE: "another-version",
    Tag.ORDER: "f" * 16,
    **{f"cost-centre-{number}": "team" for number in range(6)},
}
"""As many as S3 takes; the policy of intake refuses the gate's own names, which are here for all that."""


@pytest.mark.parametrize("body", [CLEAN, FLAGGED, UNREADABLE], ids=["clean", "flagged", "held"])
def test_an_upload_with_ten_tags_of_its_own_is_settled_under_the_gates_four(world: World, body: bytes) -> None:
    forged, honest = put(world, body, "01"), put(world, OTHER, "02")
    tagging = {"TagSet": [{"Key": key, "Value": value} for key, value in TEN_TAGS.items()]}
    at = forged.version
    world.account.s3.put_object_tagging(Bucket=at.bucket, Key=at.key, VersionId=at.version_id, Tagging=tagging)
    tell(world, honest, forged)
    world.platform.settle()
    assert settled(world, forged, VERDICT[body])
    assert settled(world, honest, "clean")
    assert current(world) == OTHER, "the forged order ranks highest"
    digest = next(row["policy_digest"] for row in decisions(world) if row["version_id"] == at.version_id)
    given = {Tag.VERDICT: VERDICT[body], Tag.POLICY: digest, Tag.SOURCE: at.version_id, Tag.ORDER: "01"}
    for bucket in (APPROVED, QUARANTINE):
        for version, stored in world.account.versions(bucket):
            assert stored != body or tags(world, version) == given


def tags(world: World, version: ObjectVersion) -> dict[str, str]:
    named = {"Bucket": version.bucket, "Key": version.key, "VersionId": version.version_id}
    return {tag["Key"]: tag["Value"] for tag in world.account.s3.get_object_tagging(**named)["TagSet"]}
