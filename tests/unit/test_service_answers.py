"""What services answer: which words pass a file, which hold it, and which flag it."""

from typing import Any

import pytest

from tunegate.errors import PermanentError
from tunegate.judge.answers import not_told, passes, told
from tunegate.model import Category, ObjectVersion
from tunegate.observe.malware import RESULT, scan_result
from tunegate.policy import MalwareService, default_policy
from tunegate.service_answers import Answer, Seen, Service, StepError, Wait, waits_of

MALWARE = Wait(service=Service.MALWARE, seconds=60)


def result(scanned: str, status: str, threats: list[dict[str, str]] | None = None, **stored: str) -> dict[str, Any]:
    return {
        "detail-type": RESULT,
        "source": "aws.guardduty",
        "detail": {
            "schemaVersion": "1.0",
            "scanStatus": scanned,
            "resourceType": "S3_OBJECT",
            "s3ObjectDetails": {"bucketName": "intake", "objectKey": "a", "versionId": "1", "eTag": "e"} | stored,
            "scanResultDetails": {"scanResultStatus": status, "threats": threats},
        },
    }


def test_a_result_is_about_one_version() -> None:
    version, answer = scan_result(result("COMPLETED", "NO_THREATS_FOUND"))
    assert version == ObjectVersion("intake", "a", "1")
    assert passes(answer)
    assert not_told([MALWARE], [answer]) == ""


@pytest.mark.parametrize("status", ["UNSUPPORTED", "ACCESS_DENIED", "FAILED", "A_STATUS_OF_TOMORROW"])
def test_every_status_but_one_is_not_clean(status: str) -> None:
    _, answer = scan_result(result("SKIPPED", status))
    assert not passes(answer)
    assert not_told([MALWARE], [answer]) == f"GuardDuty could not tell: {status}"


def test_a_threat_is_a_detection_named_after_it() -> None:
    _, answer = scan_result(result("COMPLETED", "THREATS_FOUND", [{"name": "EICAR-Test-File (not a virus)"}]))
    [found] = told([answer])
    assert (found.category, found.type, found.detector) == (
        Category.MALWARE,
        "EICAR_Test_File_not_a_virus",
        "guardduty",
    )
    assert not_told([MALWARE], [answer]) == ""


@pytest.mark.parametrize("threats", [None, [], [{"name": "???"}]])
def test_a_threat_without_a_usable_name_is_one_all_the_same(threats: list[dict[str, str]] | None) -> None:
    _, answer = scan_result(result("COMPLETED", "THREATS_FOUND", threats))
    assert [found.type for found in told([answer])] == ["threat"]


def test_a_result_that_contradicts_itself_does_not_pass() -> None:
    assert not passes(scan_result(result("SKIPPED", "NO_THREATS_FOUND"))[1])
    assert not passes(scan_result(result("COMPLETED", "NO_THREATS_FOUND", [{"name": "x"}]))[1])


@pytest.mark.parametrize("event", [{}, {"detail": None}, result("COMPLETED", "NO_THREATS_FOUND", versionId="")])
def test_another_event_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(PermanentError):
        scan_result(event)


def test_a_service_that_did_not_answer_is_named_with_its_time() -> None:
    late = Answer(service=Service.MALWARE, error=StepError(Error="States.Timeout"))
    broken = Answer(service=Service.MALWARE, error=StepError(Error="Lambda.Unknown", Cause="x"))
    assert not_told([MALWARE], [late]) == "GuardDuty did not answer within 60 seconds"
    assert not_told([MALWARE], [broken]) == "GuardDuty could not be asked"
    assert not_told([MALWARE], []) == "GuardDuty was not asked"
    assert not passes(late)


def test_one_bad_answer_among_good_ones_counts() -> None:
    good = Answer(service=Service.MALWARE, status="NO_THREATS_FOUND")
    bad = Answer(service=Service.MALWARE, status="FAILED")
    assert not_told([MALWARE], [good, bad]) == "GuardDuty could not tell: FAILED"


def test_what_is_seen_is_told_line_by_line() -> None:
    seen = Seen(category=Category.PII, type="SSN", count=3, lines=(1, 7, 9))
    found = told([Answer(service=Service.MALWARE, status="THREATS_FOUND", seen=(seen,))])
    assert [detection.place.line for detection in found] == [1, 7, 9]


def test_the_policy_says_who_is_waited_for() -> None:
    assert waits_of(default_policy()) == ()
    services = default_policy().services.model_copy(update={"malware": MalwareService.GUARDDUTY, "malware_seconds": 60})
    assert waits_of(default_policy().model_copy(update={"services": services})) == (MALWARE,)
