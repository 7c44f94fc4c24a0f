"""Comprehend behind the emulator: IAM is asked there, and the detectors answer."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from botocore.exceptions import ClientError

from contract.emulator import Emulator, running
from contract.local_services import http
from tunegate_local.emulator import REGION

CLASSIFIER = f"arn:aws:comprehend:{REGION}:aws:document-classifier-endpoint/prompt-safety"
TEXT = "My social security number is 536-22-8127."


@pytest.fixture(scope="module")
def guarded(comprehend_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator with Comprehend's detectors beside it."""
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("TUNEGATE_LOCAL_COMPREHEND_URL", comprehend_endpoint)
            emulator = stack.enter_context(running(tmp_path_factory.mktemp("guarded") / "emulator.log"))
        yield emulator


def test_who_may_detect_gets_the_detectors_answer(guarded: Emulator) -> None:
    comprehend = guarded.client("comprehend", guarded.role("detecting", "comprehend:DetectPiiEntities"))

    [found] = comprehend.detect_pii_entities(Text=TEXT, LanguageCode="en")["Entities"]
    assert (found["Type"], TEXT[found["BeginOffset"] : found["EndOffset"]]) == ("SSN", "536-22-8127")
    with pytest.raises(ClientError, match=r"AccessDeniedException.*comprehend:DetectToxicContent on resource: \*"):
        comprehend.detect_toxic_content(TextSegments=[{"Text": TEXT}], LanguageCode="en")


def test_a_classifier_is_a_resource(guarded: Emulator) -> None:
    role = guarded.role("classifying")
    allowed = {"Effect": "Allow", "Action": "comprehend:ClassifyDocument", "Resource": CLASSIFIER}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    guarded.client("iam").put_role_policy(RoleName="classifying", PolicyName="one", PolicyDocument=document)
    comprehend = guarded.client("comprehend", role)

    assert comprehend.classify_document(Text="Hello there", EndpointArn=CLASSIFIER)["Classes"]
    with pytest.raises(ClientError, match="AccessDeniedException"):
        comprehend.classify_document(Text="Hello there", EndpointArn=CLASSIFIER.replace("prompt-safety", "other"))


def test_a_detectors_errors_are_passed_on(guarded: Emulator, comprehend_endpoint: str) -> None:
    fault = {"operation": "ContainsPiiEntities", "error": "TextSizeLimitExceededException"}
    assert http("PUT", f"{comprehend_endpoint}/_faults", json.dumps(fault).encode())[0] == 204

    with pytest.raises(ClientError, match="TextSizeLimitExceededException"):
        guarded.client("comprehend").contains_pii_entities(Text=TEXT, LanguageCode="en")
    with pytest.raises(ClientError, match="ValidationException"):
        guarded.client("comprehend").contains_pii_entities(Text=TEXT, LanguageCode="xx")


def test_without_a_detector_comprehend_is_not_available(emulator: Emulator) -> None:
    with pytest.raises(ClientError, match="ServiceUnavailableException"):
        emulator.client("comprehend").contains_pii_entities(Text=TEXT, LanguageCode="en")
