"""Model uploads while the schedule that gathers them runs between any two steps: one scan, one place, one verdict."""

from collections.abc import Iterator
from typing import Any

import pytest

from faults.account import INTAKE
from faults.clocks import ahead, wrong
from faults.flows import BAD_MODEL, GOOD_MODEL, UPLOADED_MODEL, World
from faults.run import Ground, ground
from faults.uploads import alerts, decisions


@pytest.fixture(scope="module")
def account() -> Iterator[Ground]:
    with ground() as made:
        yield made


@pytest.fixture
def world(account: Ground, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which every upload has been quiet for an hour."""
    wrong(monkeypatch, ahead())
    return account.world()


def gathered_all_along(world: World, patch: pytest.MonkeyPatch) -> None:
    """Let all happen, with `gather_models` run by its schedule before each of the other functions, and at last."""
    original = world.platform.invoke

    def invoke(function: str, event: Any) -> Any:
        if function != "gather_models":
            original("gather_models", {})
        return original(function, event)

    world.platform.invoke("gather_models", {})
    patch.setattr(world.platform, "invoke", invoke)
    world.platform.settle()
    patch.undo()
    world.platform.invoke("gather_models", {})
    world.platform.settle()


@pytest.mark.parametrize(
    ("files", "verdict", "told"),
    [(GOOD_MODEL, "clean", {}), (BAD_MODEL, "flagged", {UPLOADED_MODEL: 1})],
    ids=["clean", "flagged"],
)
def test_a_model_is_scanned_once_however_often_it_is_looked_for_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], verdict: str, told: dict[str, int]
) -> None:
    for name, body in files.items():
        world.upload(UPLOADED_MODEL + name, body, may_be_read=verdict == "clean")
    gathered_all_along(world, monkeypatch)
    ended = world.promises.in_the_end(None)
    assert len(world.platform.executions) == 1
    assert ended.verdicts == dict.fromkeys([UPLOADED_MODEL, *(UPLOADED_MODEL + name for name in files)], verdict)
    assert ended.alerts == told


def test_a_replaced_version_stays_on_record_and_is_no_model_of_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced = world.account.upload(UPLOADED_MODEL + "config.json", b"{}")
    for name, body in GOOD_MODEL.items():
        world.upload(UPLOADED_MODEL + name, body, may_be_read=True)
    gathered_all_along(world, monkeypatch)
    assert len(world.platform.executions) == 1
    assert [row["verdict"] for row in decisions(world) if row["key"] == UPLOADED_MODEL] == ["clean"]
    assert alerts(world) == []
    assert replaced in [version for version, _ in world.account.versions(INTAKE)]
