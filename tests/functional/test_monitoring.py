"""Macie looks at approved files one job at a time, leaves none out, and what its jobs find is handed on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functional.conftest import TABLE, Account
from functional.test_classification import REPOSITORY
from tunegate.act.settle import Scanned, settle_scan
from tunegate.classification import RESULTS_WITHIN
from tunegate.errors import PermanentError
from tunegate.model import Decision, Verdict
from tunegate.monitoring import OVERLAP, Monitor, look_after, looked_through

HOUR = timedelta(hours=1)


class Macie:
    """Macie's API as far as one job after another goes."""

    def __init__(self) -> None:
        self.created: list[dict[str, Any]] = []
        self.described: dict[str, Any] = {"jobStatus": "RUNNING"}
        self.lost = False

    def get_classification_export_configuration(self) -> dict[str, Any]:
        return {"configuration": {}}

    def put_classification_export_configuration(self, configuration: dict[str, Any]) -> None:
        assert configuration["s3Destination"]["bucketName"] == "evidence"

    def create_classification_job(self, **asked: Any) -> dict[str, Any]:
        tokens = [one["clientToken"] for one in self.created]
        if asked["clientToken"] not in tokens:
            self.created.append(asked)
            tokens.append(asked["clientToken"])
        if self.lost:
            raise ConnectionError
        return {"jobId": f"job-{tokens.index(asked['clientToken'])}"}

    def describe_classification_job(self, jobId: str) -> dict[str, Any]:
        return self.described

    def ends(self, status: str = "COMPLETE", code: str = "NONE") -> None:
        self.described = {"jobStatus": status, "lastRunErrorStatus": {"code": code}}

    def since(self) -> list[str]:
        """From when on each job looks."""
        scopes = [one["s3JobDefinition"]["scoping"]["includes"]["and"] for one in self.created]
        return [scope[0]["simpleScopeTerm"]["values"][0] for scope in scopes]


@pytest.fixture
def macie() -> Macie:
    return Macie()


@pytest.fixture
def monitor(account: Account, macie: Macie) -> Monitor:
    return Monitor(macie, account.dynamodb, TABLE, "approved", REPOSITORY, HOUR)


def approve(account: Account, verdict: Verdict = Verdict.CLEAN) -> None:
    upload = account.upload("a.jsonl", b"{}\n")
    scanned = Scanned(Decision(upload.version, verdict, "digest"), "01", upload.version.digest, "")
    places = {Verdict.CLEAN: account.approved, Verdict.FLAGGED: account.quarantine}
    settle_scan(account.s3, account.ledger, scanned, places)


def finish(monitor: Monitor, macie: Macie, now: datetime) -> datetime:
    """Let the job that runs end well and its results be handed on; returns when that is done."""
    macie.ends()
    assert look_after(monitor, now) == "", "its results may not all be there yet"
    then = now + RESULTS_WITHIN
    assert look_after(monitor, then) == f"job-{len(macie.created) - 1}"
    looked_through(monitor)
    macie.described = {"jobStatus": "RUNNING"}
    return then


def test_the_first_job_looks_at_all_there_is_and_the_next_at_what_came_since(
    account: Account, monitor: Monitor, macie: Macie
) -> None:
    approve(account)
    began = datetime.now(UTC)
    look_after(monitor, began)
    [job] = macie.created
    assert job["s3JobDefinition"]["bucketDefinitions"] == [{"accountId": "111122223333", "buckets": ["approved"]}]
    assert macie.since() == ["2006-03-14T00:00:00Z"]
    done = finish(monitor, macie, began)
    assert look_after(monitor, done + HOUR) == ""
    assert len(macie.created) == 1, "nothing was approved since"
    approve(account)
    look_after(monitor, done + 2 * HOUR)
    assert macie.since()[1] == (began - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_no_second_job_while_one_runs_or_before_its_time(account: Account, monitor: Monitor, macie: Macie) -> None:
    approve(account)
    began = datetime.now(UTC)
    for minute in range(30):
        look_after(monitor, began + timedelta(minutes=minute))
    assert len(macie.created) == 1
    finish(monitor, macie, began)
    approve(account)
    look_after(monitor, began + timedelta(minutes=59))
    assert len(macie.created) == 1
    look_after(monitor, began + timedelta(minutes=61))
    assert len(macie.created) == 2


def test_where_nothing_was_approved_there_is_no_job(account: Account, monitor: Monitor, macie: Macie) -> None:
    approve(account, Verdict.FLAGGED)
    look_after(monitor, datetime.now(UTC))
    assert macie.created == []


@pytest.mark.parametrize("end", [("PAUSED", "NONE"), ("CANCELLED", "NONE"), ("COMPLETE", "ERROR")])
def test_what_a_failed_job_was_to_look_at_the_next_one_does(
    account: Account, monitor: Monitor, macie: Macie, end: tuple[str, str]
) -> None:
    approve(account)
    began = datetime.now(UTC)
    look_after(monitor, began)
    macie.ends(*end)
    with pytest.raises(PermanentError, match="did not look at the approved files"):
        look_after(monitor, began + HOUR)
    look_after(monitor, began + HOUR)
    assert macie.since() == ["2006-03-14T00:00:00Z"] * 2
    assert len({one["clientToken"] for one in macie.created}) == 2


def test_an_answer_that_is_lost_starts_no_second_job(account: Account, monitor: Monitor, macie: Macie) -> None:
    approve(account)
    began = datetime.now(UTC)
    macie.lost = True
    with pytest.raises(Exception, match="ConnectionError"):
        look_after(monitor, began)
    macie.lost = False
    look_after(monitor, began + timedelta(minutes=1))
    assert len(macie.created) == 1
