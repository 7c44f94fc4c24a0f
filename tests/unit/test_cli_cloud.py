"""`up`, `down` and the frame of `demo`: what is started is found again, and nothing is left running by mistake."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tunegate_cli.report import Check, FileStory, Place, Report, Step
from tunegate_local import cloud as local
from tunegate_local import deploy as deployment
from unit.cli_world import run

AT = "2026-11-22T10:00:00.000Z"


@dataclass
class FakeCloud:
    """The embedded cloud as the command sees it."""

    state_dir: Path = Path("state")
    oncall_url: str = "http://127.0.0.1:4710"
    is_running: bool = False
    deployed: list[str] = field(default_factory=list)
    subscribed: list[str] = field(default_factory=list)
    breaks: str = ""

    def environment(self) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_SECRET_ACCESS_KEY": "two words"}

    def process_environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if name != "AWS_PROFILE"} | self.environment()

    def wait(self) -> None:
        assert self.is_running

    def stop(self) -> None:
        self.is_running = False

    def start(self, **_: object) -> "FakeCloud":
        self.is_running = True
        return self

    def deploy(self, environment: dict[str, str], **_: object) -> dict[str, str]:
        if self.breaks:
            raise local.CloudError(self.breaks)
        self.deployed.append(environment["AWS_ENDPOINT_URL"])
        return {"AlertsTopicArn": "arn:topic"}

    def subscribe(self, _: dict[str, str], topic: str, url: str) -> None:
        self.subscribed += [topic, url]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> FakeCloud:
    fake = FakeCloud()
    monkeypatch.setattr(deployment, "start", fake.start)
    monkeypatch.setattr(local, "running", lambda _: fake if fake.is_running else None)
    monkeypatch.setattr(deployment, "deploy", fake.deploy)
    monkeypatch.setattr(deployment, "subscribe", fake.subscribe)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return fake


def test_up_deploys_subscribes_and_prints_only_what_a_shell_can_read(cloud: FakeCloud) -> None:
    result = run("up")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "export AWS_ENDPOINT_URL=http://127.0.0.1:4566",
        "export AWS_SECRET_ACCESS_KEY='two words'",
    ]
    assert cloud.subscribed == ["arn:topic", cloud.oncall_url]


def test_up_leads_the_shell_away_from_the_account_it_is_signed_in_to(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    assert run("up").stdout.splitlines()[0] == "unset AWS_PROFILE"
    assert cloud.is_running


def test_up_again_says_so_prints_the_same_and_deploys_nothing(cloud: FakeCloud) -> None:
    first, second = run("up"), run("up")
    assert second.stdout == first.stdout
    assert "already running" in second.stderr
    assert len(cloud.deployed) == 1


def test_a_deployment_that_fails_leaves_nothing_running(cloud: FakeCloud) -> None:
    cloud.breaks = "sam deploy failed: IntakeBucket: no"
    result = run("up")
    assert (result.exit_code, result.stdout, cloud.is_running) == (2, "", False)
    assert result.stderr.endswith("tunegate: sam deploy failed: IntakeBucket: no\n")


def test_down_stops_it_and_may_be_repeated(cloud: FakeCloud) -> None:
    run("up")
    assert "is stopped" in run("down").stderr
    assert not cloud.is_running
    assert (run("down").exit_code, "is not running" in run("down").stderr) == (0, True)


def test_without_the_embedded_cloud_installed_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    result = run("up")
    assert result.exit_code == 2
    assert "make setup" in result.stderr


@contextmanager
def demo_that(monkeypatch: pytest.MonkeyPatch, directory: Path, *problems: str) -> Iterator[None]:
    from tunegate_cli.demo import run as demo_run

    file = FileStory("a.jsonl", "w", 1, "clean", "clean", "", "v", Place(), (Step("Put", AT),), ())
    report = Report(AT, AT, [file], [], [Check("Verdicts", "w", problems)])
    monkeypatch.setattr(demo_run, "run", lambda *_: report)
    monkeypatch.chdir(directory)
    yield


def test_a_demo_that_goes_well_writes_its_report_and_stops_the_cloud(
    cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with demo_that(monkeypatch, tmp_path):
        assert run("demo").exit_code == 0
    assert json.loads((tmp_path / "build/demo/result.json").read_text())["passed"] is True
    assert "a.jsonl" in (tmp_path / "build/demo/report.html").read_text()
    assert not cloud.is_running


def test_a_demo_that_does_not_lists_what_is_wrong(
    cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with demo_that(monkeypatch, tmp_path, "a.jsonl should be flagged", "b.jsonl differs"):
        result = run("demo")
    assert result.exit_code == 1
    assert "  - a.jsonl should be flagged\n  - b.jsonl differs\n" in result.stderr
    assert (tmp_path / "build/demo/report.html").exists()
    assert not cloud.is_running


def test_a_demo_leaves_running_what_ran_before_or_what_it_is_asked_to_keep(
    cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with demo_that(monkeypatch, tmp_path):
        run("demo", "--keep")
        assert cloud.is_running
        run("demo")
    assert cloud.is_running


def test_a_demo_gives_the_shell_its_environment_back(
    cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    with demo_that(monkeypatch, tmp_path):
        run("demo")
    assert os.environ["AWS_PROFILE"] == "production"
    assert os.environ.get("AWS_ENDPOINT_URL") != cloud.environment()["AWS_ENDPOINT_URL"]
