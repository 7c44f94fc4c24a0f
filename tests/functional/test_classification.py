"""Macie is asked about many uploads at once, within its rate; each scan that waits gets its version's answer."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functional.conftest import TABLE, Account
from functional.test_waiting_rows import Tasks
from tunegate.act.waiting import Waiting
from tunegate.classification import MOST_PREFIXES, RESULTS_WITHIN, Classifier, classify
from tunegate.errors import PermanentError
from tunegate.judge.answers import passes
from tunegate.model import ObjectVersion
from tunegate.observe.macie import Repository
from tunegate.service_answers import Answer, Service
from unit.macie_world import record

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REPOSITORY = Repository("evidence", "macie", "arn:key", "111122223333", "us-east-1")


class Macie:
    """Macie's API: jobs that end as told, and results in S3 of what is current below their prefixes."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self.created: list[dict[str, Any]] = []
        self.described: dict[str, Any] = {"jobStatus": "RUNNING"}
        self.export: dict[str, Any] = {}
        self.data: list[dict[str, Any]] = []
        self.results = True

    def get_classification_export_configuration(self) -> dict[str, Any]:
        return {"configuration": self.export}

    def put_classification_export_configuration(self, configuration: dict[str, Any]) -> None:
        self.export = configuration

    def create_classification_job(self, **asked: Any) -> dict[str, Any]:
        tokens = [one["clientToken"] for one in self.created]
        if asked["clientToken"] not in tokens:
            self.created.append(asked)
            tokens.append(asked["clientToken"])
        return {"jobId": f"job-{tokens.index(asked['clientToken'])}"}

    def describe_classification_job(self, jobId: str) -> dict[str, Any]:
        if self.described["jobStatus"] == "COMPLETE" and self.results:
            self._write(jobId)
        return self.described

    def _write(self, job_id: str) -> None:
        asked = self.created[int(job_id.partition("-")[2])]
        prefixes = asked["s3JobDefinition"]["scoping"]["includes"]["and"][0]["simpleScopeTerm"]["values"]
        for page in self._s3.get_paginator("list_object_versions").paginate(Bucket="intake"):
            for entry in page.get("Versions", []):
                if not entry["IsLatest"] or not entry["Key"].startswith(tuple(prefixes)):
                    continue
                one = record(ObjectVersion("intake", entry["Key"], entry["VersionId"]), data=self.data)
                one["resourcesAffected"]["s3Object"]["eTag"] = entry["ETag"].strip('"')
                place = f"{REPOSITORY.below(job_id)}111122223333/{entry['VersionId']}.jsonl.gz"
                self._s3.put_object(Bucket="evidence", Key=place, Body=gzip.compress(json.dumps(one).encode()))


@pytest.fixture
def tasks() -> Tasks:
    return Tasks()


@pytest.fixture
def macie(account: Account) -> Macie:
    return Macie(account.s3)


@pytest.fixture
def classifier(account: Account, macie: Macie, tasks: Any) -> Classifier:
    waiting = Waiting(account.dynamodb, TABLE, tasks)
    return Classifier(macie, account.s3, account.dynamodb, TABLE, waiting, REPOSITORY)


def wait(classifier: Classifier, account: Account, key: str) -> ObjectVersion:
    """A scan of a new upload that waits for Macie, its token the key."""
    version = account.upload(key, key.encode()).version
    classifier.waiting.ask(version, Service.MACIE, key)
    return version


def answers(tasks: Tasks) -> dict[str, Answer]:
    return {token: Answer.model_validate_json(output) for token, output in tasks.answered.items()}


def complete(macie: Macie) -> None:
    macie.described = {"jobStatus": "COMPLETE", "lastRunErrorStatus": {"code": "NONE"}}


def test_two_hundred_uploads_to_ten_datasets_are_one_job_and_all_get_answers(
    classifier: Classifier, account: Account, macie: Macie, tasks: Tasks
) -> None:
    for number in range(200):
        wait(classifier, account, f"set-{number % 10}/{number}.jsonl")
    done = classify(classifier, NOW)
    assert (done.uploads, done.answered) == (200, 0)
    assert classify(classifier, NOW).job_id == ""
    [job] = macie.created
    [term] = job["s3JobDefinition"]["scoping"]["includes"]["and"]
    assert term["simpleScopeTerm"]["values"] == [f"set-{number}/" for number in range(10)]
    complete(macie)
    assert classify(classifier, NOW).answered == 200
    assert len(answers(tasks)) == 200
    assert all(passes(answer) for answer in answers(tasks).values())
    assert classify(classifier, NOW) == classify(classifier, NOW)


def test_each_run_starts_one_job_at_most_and_leaves_nothing_out(
    classifier: Classifier, account: Account, macie: Macie
) -> None:
    for number in range(MOST_PREFIXES + 1):
        wait(classifier, account, f"set-{number}/a.jsonl")
    assert classify(classifier, NOW).uploads == MOST_PREFIXES
    assert classify(classifier, NOW).uploads == 1
    assert len(macie.created) == 2


def test_what_macie_found_is_the_answer(classifier: Classifier, account: Account, macie: Macie, tasks: Tasks) -> None:
    macie.data = [{"category": "PERSONAL_INFORMATION", "detections": [{"type": "USA_PASSPORT_NUMBER", "count": 1}]}]
    wait(classifier, account, "a/b.jsonl")
    classify(classifier, NOW)
    complete(macie)
    classify(classifier, NOW)
    [answer] = answers(tasks).values()
    assert [seen.type for seen in answer.seen] == ["USA_PASSPORT_NUMBER"]


@pytest.mark.parametrize(
    ("described", "status"),
    [
        ({"jobStatus": "PAUSED"}, "its job is PAUSED"),
        ({"jobStatus": "CANCELLED"}, "its job is CANCELLED"),
        ({"jobStatus": "COMPLETE", "lastRunErrorStatus": {"code": "ERROR"}}, "its job ended with an error"),
    ],
)
def test_a_job_that_ends_otherwise_is_an_answer_that_passes_nothing(
    classifier: Classifier, account: Account, macie: Macie, tasks: Tasks, described: dict[str, Any], status: str
) -> None:
    wait(classifier, account, "a/b.jsonl")
    classify(classifier, NOW)
    macie.described = described
    classify(classifier, NOW)
    [answer] = answers(tasks).values()
    assert answer.status == status
    assert not passes(answer)


def test_absence_of_a_result_is_not_clean_and_results_may_be_late(
    classifier: Classifier, account: Account, macie: Macie, tasks: Tasks
) -> None:
    wait(classifier, account, "a/late.jsonl")
    wait(classifier, account, "b/never.jsonl")
    classify(classifier, NOW)
    complete(macie)
    macie.results = False
    assert classify(classifier, NOW).answered == 0
    assert classify(classifier, NOW + RESULTS_WITHIN - timedelta(seconds=1)).answered == 0
    assert classify(classifier, NOW + RESULTS_WITHIN).answered == 2
    assert {answer.status for answer in answers(tasks).values()} == {"it has no result for this version"}


def test_a_version_that_was_replaced_before_macie_read_it_has_no_result(
    classifier: Classifier, account: Account, macie: Macie, tasks: Tasks
) -> None:
    wait(classifier, account, "a/b.jsonl")
    classify(classifier, NOW)
    account.upload("a/b.jsonl", b"other")
    complete(macie)
    classify(classifier, NOW)
    classify(classifier, NOW + RESULTS_WITHIN)
    assert answers(tasks)["a/b.jsonl"].status == "it has no result for this version"


def test_results_that_cannot_be_read_hold_what_waits_for_them_and_nothing_else(
    classifier: Classifier, account: Account, macie: Macie, tasks: Tasks
) -> None:
    wait(classifier, account, "a/b.jsonl")
    classify(classifier, NOW)
    wait(classifier, account, "c/d.jsonl")
    account.s3.put_object(Bucket="evidence", Key=f"{REPOSITORY.below('job-0')}x.jsonl.gz", Body=b"no gzip")
    complete(macie)
    done = classify(classifier, NOW)
    assert (done.answered, done.uploads) == (1, 1)
    assert answers(tasks)["a/b.jsonl"].status == "Macie's results are not of the documented form"
    assert not passes(answers(tasks)["a/b.jsonl"])


def test_results_that_go_elsewhere_are_left_alone_and_no_job_is_started(
    classifier: Classifier, account: Account, macie: Macie
) -> None:
    macie.export = {"s3Destination": {"bucketName": "somebody-elses", "kmsKeyArn": "k"}}
    wait(classifier, account, "a/b.jsonl")
    with pytest.raises(PermanentError, match="another bucket"):
        classify(classifier, NOW)
    assert macie.created == []


def test_a_run_cut_short_after_creating_its_job_does_not_start_a_second(
    classifier: Classifier, account: Account, macie: Macie, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait(classifier, account, "a/b.jsonl")
    with monkeypatch.context() as cut:
        cut.setattr("tunegate.classification.note", lambda *_, **__: (_ for _ in ()).throw(ValueError))
        with pytest.raises(ValueError):  # noqa: PT011 - ours, of the line above
            classify(classifier, NOW)
    classify(classifier, NOW)
    assert len(macie.created) == 1
