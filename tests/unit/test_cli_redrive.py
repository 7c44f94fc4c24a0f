"""`tunegate redrive`: what failed, what it means, and giving it back."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from unit.cli_world import OUTPUTS, World, world

QUEUES = [
    {"name": "tunegate-jobs-dead-letters", "messages": 0, "state": "OK", "meaning": "Jobs."},
    {"name": "tunegate-uploads-dead-letters", "messages": 3, "state": "ALARM", "meaning": "Uploads that failed."},
]


@dataclass
class Redriving:
    left: list[str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        assert FunctionName == OUTPUTS["RedriveFunction"]
        request = json.loads(Payload)
        self.asked.append(request)
        done = {"queue": request.get("queue"), "given_back": 3, "left": self.left, "moving": False}
        return {"Payload": io.BytesIO(json.dumps(done if request else {"queues": QUEUES}).encode())}


@pytest.fixture
def account() -> Iterator[World]:
    with world() as made:
        made.fakes["lambda"] = Redriving()
        yield made


def test_the_list_says_what_each_queue_means_and_gives_nothing_back(account: World) -> None:
    shown = account.run("redrive")
    assert "Uploads that failed." in shown.stdout
    assert shown.stdout.index("uploads") < shown.stdout.index("jobs"), "what holds something comes first"
    assert account.fakes["lambda"].asked == [{}]
    assert json.loads(account.run("redrive", "--json").stdout) == {"queues": QUEUES}


@pytest.mark.parametrize("name", ["uploads-dead-letters", "tunegate-uploads-dead-letters"])
def test_a_queue_is_named_with_or_without_the_prefix(account: World, name: str) -> None:
    done = account.run("redrive", name)
    assert done.exit_code == 0, done.output
    assert "3 given back" in done.stdout
    assert account.fakes["lambda"].asked[1:] == [{"queue": "tunegate-uploads-dead-letters"}]


def test_all_gives_back_what_holds_something(account: World) -> None:
    account.run("redrive", "--all")
    assert account.fakes["lambda"].asked[1:] == [{"queue": "tunegate-uploads-dead-letters"}]


def test_what_stays_is_told_and_is_no_success(account: World) -> None:
    account.fakes["lambda"].left = ["id: the message is not JSON"]
    done = account.run("redrive", "uploads-dead-letters")
    assert done.exit_code == 2
    assert "not JSON" in done.stderr


@pytest.mark.parametrize("arguments", [("nothing",), ("uploads-dead-letters", "--all")])
def test_what_cannot_be_meant_gives_nothing_back(account: World, arguments: tuple[str, ...]) -> None:
    done = account.run("redrive", *arguments)
    assert done.exit_code == 2
    assert [request for request in account.fakes["lambda"].asked if request] == []
