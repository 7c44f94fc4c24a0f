"""A token and an answer meet in the ledger, whichever comes first, and a scan is resumed once it has both."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from functional.conftest import TABLE, Account
from tunegate.act.waiting import Waiting
from tunegate.model import Category, ObjectVersion
from tunegate.observe.ledger import plain
from tunegate.report.alerts import alert_of
from tunegate.rows import Entity
from tunegate.service_answers import Answer, Seen, Service

VERSION = ObjectVersion("intake", "a.jsonl", "1")
CLEAN = Answer(service=Service.MALWARE, status="NO_THREATS_FOUND")
THREAT = Answer(
    service=Service.MALWARE, status="THREATS_FOUND", seen=(Seen(category=Category.MALWARE, type="Some_Threat"),)
)


class Tasks:
    """Step Functions, as far as tokens go: each can be answered once."""

    def __init__(self) -> None:
        self.answered: dict[str, str] = {}
        self.over: set[str] = set()
        self.fails_once = False

    def send_task_success(self, taskToken: str, output: str) -> None:
        if self.fails_once:
            self.fails_once = False
            raise _error("ThrottlingException")
        if taskToken in self.answered or taskToken in self.over:
            raise _error("TaskTimedOut" if taskToken in self.over else "TaskDoesNotExist")
        self.answered[taskToken] = output


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "SendTaskSuccess")


@pytest.fixture
def tasks() -> Tasks:
    return Tasks()


@pytest.fixture
def waiting(account: Account, tasks: Any) -> Waiting:
    return Waiting(account.dynamodb, TABLE, tasks)


def answers(tasks: Tasks) -> dict[str, Answer]:
    return {token: Answer.model_validate_json(output) for token, output in tasks.answered.items()}


def test_a_scan_that_waits_is_resumed_by_the_answer(waiting: Waiting, tasks: Tasks) -> None:
    assert not waiting.ask(VERSION, Service.MALWARE, "t")
    assert waiting.answer(VERSION, CLEAN)
    assert answers(tasks) == {"t": CLEAN}


def test_an_answer_that_came_first_resumes_the_scan_at_once(waiting: Waiting, tasks: Tasks) -> None:
    assert not waiting.answer(VERSION, THREAT)
    assert waiting.ask(VERSION, Service.MALWARE, "t")
    assert answers(tasks) == {"t": THREAT}


def test_a_repeated_answer_changes_nothing(waiting: Waiting, tasks: Tasks) -> None:
    waiting.ask(VERSION, Service.MALWARE, "t")
    assert waiting.answer(VERSION, CLEAN)
    assert not waiting.answer(VERSION, CLEAN)
    assert answers(tasks) == {"t": CLEAN}


def test_a_worse_answer_replaces_a_better_one_and_never_the_other_way(waiting: Waiting, tasks: Tasks) -> None:
    for answer in (CLEAN, THREAT, CLEAN):
        waiting.answer(VERSION, answer)
    waiting.ask(VERSION, Service.MALWARE, "t")
    assert answers(tasks) == {"t": THREAT}


def test_two_scans_that_wait_are_both_resumed(waiting: Waiting, tasks: Tasks) -> None:
    waiting.ask(VERSION, Service.MALWARE, "one")
    waiting.ask(VERSION, Service.MALWARE, "two")
    waiting.answer(VERSION, CLEAN)
    assert set(tasks.answered) == {"one", "two"}


def test_a_waiter_whose_time_ran_out_is_no_error(waiting: Waiting, tasks: Tasks) -> None:
    tasks.over.add("t")
    waiting.ask(VERSION, Service.MALWARE, "t")
    assert not waiting.answer(VERSION, CLEAN)


def test_an_answer_cut_short_before_it_resumed_does_so_when_repeated(waiting: Waiting, tasks: Tasks) -> None:
    waiting.ask(VERSION, Service.MALWARE, "t")
    tasks.fails_once = True
    with pytest.raises(Exception, match="Resuming a scan"):
        waiting.answer(VERSION, CLEAN)
    assert waiting.answer(VERSION, CLEAN)
    assert answers(tasks) == {"t": CLEAN}


def test_answers_are_of_one_version(waiting: Waiting, tasks: Tasks) -> None:
    waiting.ask(ObjectVersion("intake", "a.jsonl", "2"), Service.MALWARE, "newer")
    waiting.answer(VERSION, CLEAN)
    assert tasks.answered == {}


def test_waiting_alerts_nobody_and_an_answer_ends_it(waiting: Waiting, account: Account) -> None:
    waiting.ask(VERSION, Service.MALWARE, "t")
    [row] = map(plain, account.rows())
    assert (row["entity"], row["key"], row["version_id"]) == (Entity.WAITING, "a.jsonl", "1")
    waiting.answer(VERSION, CLEAN)
    [row] = map(plain, account.rows())
    assert (row["entity"], alert_of(row)) == (Entity.ANSWERED, None)
