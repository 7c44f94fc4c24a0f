"""What Macie says of a version, and what makes its word one to pass a file by."""

import gzip
import json
from typing import Any

import pytest

from tunegate.errors import PermanentError
from tunegate.judge.answers import not_told, passes, told
from tunegate.model import Category, ObjectVersion
from tunegate.observe.macie import ObjectResult, Repository, answer_of, job_end, object_results
from tunegate.policy import MacieService, MalwareService, default_policy
from tunegate.service_answers import Answer, Service, Wait, waits_of, waits_of_model
from unit.macie_world import record

VERSION = ObjectVersion("intake", "a/b.jsonl", "1")
REPOSITORY = Repository("evidence", "macie", "arn:key", "111122223333", "us-east-1")
MACIE = Wait(service=Service.MACIE, seconds=60)


class Repositories:
    """S3 as far as the results repository goes."""

    def __init__(self, *bodies: bytes) -> None:
        self._objects = {f"{REPOSITORY.below('j')}111122223333/{n}.jsonl.gz": body for n, body in enumerate(bodies)}

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, Bucket: str, Prefix: str) -> Any:
        assert Bucket == "evidence"
        return [{"Contents": [{"Key": key} for key in self._objects if key.startswith(Prefix)]}]

    def get_object(self, Bucket: str, Key: str) -> Any:
        return {"Body": Body(self._objects[Key])}


class Body:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self) -> bytes:
        return self._data


def results(*records: dict[str, Any]) -> list[ObjectResult]:
    body = gzip.compress("\n".join(json.dumps(one) for one in records).encode())
    return object_results(Repositories(body), REPOSITORY, "j")  # type: ignore[arg-type]


def answer(*records: dict[str, Any], version: ObjectVersion = VERSION, etag: str = "e") -> Answer | None:
    return answer_of(results(*records), version, etag)


def test_a_complete_look_that_found_nothing_passes() -> None:
    clean = answer(record(VERSION))
    assert clean is not None
    assert passes(clean)
    assert not_told([MACIE], [clean]) == ""


def test_what_was_found_is_told_by_type_and_line() -> None:
    data = [
        {"category": "PERSONAL_INFORMATION", "totalCount": 2, "detections": [
            {"type": "USA_SOCIAL_SECURITY_NUMBER", "count": 2, "occurrences": {
                "lineRanges": [{"start": 3, "end": 3}], "records": [{"recordIndex": 6, "jsonPath": "$.prompt"}]}}]},
        {"category": "CREDENTIALS", "totalCount": 1, "detections": [{"type": "AWS_CREDENTIALS", "count": 1}]},
    ]  # fmt: skip
    found = answer(record(VERSION, data=data))
    assert found is not None
    assert not passes(found)
    seen = [(one.category, one.type, one.place.line, one.detector) for one in told([found])]
    assert seen == [
        (Category.PII, "USA_SOCIAL_SECURITY_NUMBER", 3, "macie"),
        (Category.PII, "USA_SOCIAL_SECURITY_NUMBER", 7, "macie"),
        (Category.SECRET, "AWS_CREDENTIALS", 0, "macie"),
    ]


def test_custom_identifiers_count_too() -> None:
    one = record(VERSION)
    custom = {"totalCount": 1, "detections": [{"arn": "a", "name": "Employee id!", "count": 1}]}
    one["classificationDetails"]["result"]["customDataIdentifiers"] = custom
    found = answer(one)
    assert found is not None
    assert [seen.type for seen in found.seen] == ["Employee_id"]


@pytest.mark.parametrize("code", ["SKIPPED", "PARTIAL", "SOMETHING_NEW"])
def test_an_object_that_was_not_wholly_looked_at_is_held(code: str) -> None:
    skipped = answer(record(VERSION, code=code, reason="UNSUPPORTED_FILE_TYPE_EXCEPTION"))
    assert skipped is not None
    assert not passes(skipped)
    reason = f"Macie could not tell: {code} UNSUPPORTED_FILE_TYPE_EXCEPTION"
    assert not_told([MACIE], [skipped]) == reason


def test_one_bad_record_of_an_archive_counts() -> None:
    found = answer(record(VERSION), record(VERSION, code="SKIPPED"))
    assert found is not None
    assert not passes(found)


@pytest.mark.parametrize(
    ("version", "etag"),
    [
        (VERSION, "another"),
        (ObjectVersion("intake", "a/b.jsonl", "2"), "e"),
        (ObjectVersion("intake", "a/c", "1"), "e"),
    ],
)
def test_a_result_is_of_one_version_by_id_and_etag(version: ObjectVersion, etag: str) -> None:
    assert answer(record(VERSION), version=version, etag=etag) is None


def test_results_without_a_version_are_matched_by_their_etag() -> None:
    nameless = record(ObjectVersion("intake", "a/b.jsonl", ""))
    assert answer(nameless) is not None
    assert answer(nameless, etag="another") is None


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"{}"), gzip.compress(b"[1]\n"), gzip.compress(b'{"a"')])
def test_results_of_another_form_are_refused_without_quoting_them(body: bytes) -> None:
    with pytest.raises(PermanentError, match="not of the documented form"):
        object_results(Repositories(body), REPOSITORY, "j")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("described", "end"),
    [
        ({"jobStatus": "RUNNING"}, None),
        ({"jobStatus": "COMPLETE", "lastRunErrorStatus": {"code": "NONE"}}, "COMPLETE"),
        ({"jobStatus": "COMPLETE", "lastRunErrorStatus": {"code": "ERROR"}}, "its job ended with an error"),
        ({"jobStatus": "COMPLETE"}, "its job ended with an error"),
        ({"jobStatus": "PAUSED"}, "its job is PAUSED"),
        ({"jobStatus": "USER_PAUSED"}, "its job is USER_PAUSED"),
        ({"jobStatus": "CANCELLED"}, "its job is CANCELLED"),
    ],
)
def test_only_a_complete_job_without_error_tells(described: dict[str, Any], end: str | None) -> None:
    class Macie:
        def describe_classification_job(self, jobId: str) -> dict[str, Any]:
            return described

    assert job_end(Macie(), "j") == end


def test_the_policy_says_whether_macie_is_waited_for_and_models_never_wait() -> None:
    services = default_policy().services.model_copy(
        update={"macie": MacieService.GATE, "macie_seconds": 60, "malware": MalwareService.GUARDDUTY}
    )
    policy = default_policy().model_copy(update={"services": services})
    assert waits_of(policy)[1] == MACIE
    assert [wait.service for wait in waits_of_model(policy)] == [Service.MALWARE]
