"""What the embedded services share: both of Comprehend's protocols, errors, the meter, the faults, discretion."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from contract.local_services import Server, assert_of_shape, client, http, model
from tunegate_local.detectors.control import Billed
from tunegate_local.detectors.server import MOST_WAITING, Application
from tunegate_local.detectors.wire import Call

SIGNED = {
    "authorization": "AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/us-east-1/comprehend/aws4_request, Signature=0"
}
TEXT = "My SSN is 536-90-4399."


@pytest.fixture(autouse=True)
def clean(comprehend_endpoint: str, bedrock_endpoint: str) -> Iterator[None]:
    def reset() -> None:
        for endpoint in (comprehend_endpoint, bedrock_endpoint):
            assert http("DELETE", f"{endpoint}/_meter")[0] == 204
            assert http("DELETE", f"{endpoint}/_faults")[0] == 204

    reset()
    yield
    reset()


def meter(endpoint: str) -> dict[str, Any]:
    operations: dict[str, Any] = json.loads(http("GET", f"{endpoint}/_meter")[1])["operations"]
    return operations


def fault(endpoint: str, **knob: Any) -> int:
    return http("PUT", f"{endpoint}/_faults", json.dumps(knob).encode())[0]


def cbor(endpoint: str, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """DetectPiiEntities in Smithy RPC v2 CBOR, written and read by botocore's own implementation of it."""
    operation = model("comprehend").operation_model("DetectPiiEntities")
    request = create_serializer("smithy-rpc-v2-cbor", include_validation=False).serialize_to_request(
        parameters, operation
    )
    status, body = http("POST", endpoint + request["url_path"], request["body"], {**request["headers"], **SIGNED})
    assert operation.output_shape is not None
    answer = {"status_code": status, "headers": {}, "body": body}
    return status, create_parser("smithy-rpc-v2-cbor").parse(answer, operation.output_shape)


class TestProtocols:
    def test_comprehend_speaks_cbor(self, comprehend_endpoint: str) -> None:
        status, answer = cbor(comprehend_endpoint, {"Text": TEXT, "LanguageCode": "en"})
        assert status == 200
        assert_of_shape(model("comprehend").operation_model("DetectPiiEntities").output_shape, answer)
        assert [(entity["Type"], entity["BeginOffset"]) for entity in answer["Entities"]] == [("SSN", 10)]

    def test_comprehend_says_errors_in_cbor(self, comprehend_endpoint: str) -> None:
        status, answer = cbor(comprehend_endpoint, {"Text": "a" * 100_001, "LanguageCode": "en"})
        assert (status, answer["Error"]["Code"]) == (400, "TextSizeLimitExceededException")
        assert "100000 bytes" in answer["Error"]["Message"]

    def test_errors_arrive_as_the_clients_own_exceptions(self, comprehend: Any) -> None:
        with pytest.raises(comprehend.exceptions.UnsupportedLanguageException):
            comprehend.detect_pii_entities(Text="Bonjour", LanguageCode="fr")

    @pytest.mark.parametrize(
        ("target", "body", "headers", "code", "status"),
        [
            ("DetectPiiEntities", b"{}", {}, "MissingAuthenticationTokenException", 403),
            ("DetectSentiment", b"{}", SIGNED, "UnknownOperationException", 404),
            ("DetectPiiEntities", b"{not json", SIGNED, "SerializationException", 400),
            ("DetectPiiEntities", b"[]", SIGNED, "SerializationException", 400),
            ("DetectPiiEntities", b'{"Text": 1, "LanguageCode": "en"}', SIGNED, "SerializationException", 400),
            ("DetectPiiEntities", rb'{"Text": "\ud800", "LanguageCode": "en"}', SIGNED, "SerializationException", 400),
            (
                "DetectPiiEntities",
                b'{"Text": "%s"}' % (b"a" * 5_000_000),
                SIGNED,
                "RequestEntityTooLargeException",
                413,
            ),
        ],
    )
    def test_broken_requests_get_the_error_aws_would_send(
        self, comprehend_endpoint: str, target: str, body: bytes, headers: dict[str, str], code: str, status: int
    ) -> None:
        named = {
            **headers,
            "x-amz-target": f"Comprehend_20171127.{target}",
            "content-type": "application/x-amz-json-1.1",
        }
        answered, answer = http("POST", f"{comprehend_endpoint}/", body, named)
        assert (answered, json.loads(answer)["__type"]) == (status, code)

    def test_a_path_nobody_serves_is_an_unknown_operation(self, bedrock_endpoint: str) -> None:
        assert http("POST", f"{bedrock_endpoint}/model/x/invoke", b"{}", SIGNED)[0] == 404
        assert http("GET", f"{bedrock_endpoint}/guardrail-checks/invoke", headers=SIGNED)[0] == 404


class TestMeter:
    def test_counts_comprehend_in_units_of_100_characters_at_least_three_a_request(
        self, comprehend: Any, comprehend_endpoint: str
    ) -> None:
        comprehend.contains_pii_entities(Text="hi", LanguageCode="en")
        comprehend.contains_pii_entities(Text="é" * 1_001, LanguageCode="es")
        reading = meter(comprehend_endpoint)["ContainsPiiEntities"]
        assert (reading["requests"], reading["characters"], reading["units"]) == (2, 1_003, 3 + 11)

    def test_counts_guardrails_in_text_units_by_check(self, bedrock: Any, bedrock_endpoint: str) -> None:
        bedrock.invoke_guardrail_checks(
            messages=[{"role": "user", "content": [{"text": "a" * 1_001}]}],
            checks={
                "promptAttack": {"categories": [{"category": "JAILBREAK"}]},
                "sensitiveInformation": {"entities": [{"type": "EMAIL"}]},
            },
        )
        reading = meter(bedrock_endpoint)["InvokeGuardrailChecks"]
        assert (reading["units"], reading["unitsBy"]) == (4, {"promptAttack": 2, "sensitiveInformation": 2})

    def test_bills_no_failed_request(self, comprehend: Any, comprehend_endpoint: str) -> None:
        with pytest.raises(ClientError):
            comprehend.contains_pii_entities(Text="Bonjour", LanguageCode="fr")
        reading = meter(comprehend_endpoint)["ContainsPiiEntities"]
        assert (reading["requests"], reading["units"], reading["errors"]) == (0, 0, {"UnsupportedLanguageException": 1})

    def test_goes_back_to_zero(self, comprehend: Any, comprehend_endpoint: str) -> None:
        comprehend.contains_pii_entities(Text="hi", LanguageCode="en")
        http("DELETE", f"{comprehend_endpoint}/_meter")
        assert meter(comprehend_endpoint) == {}

    def test_misses_no_call_of_many_at_once(self, comprehend_endpoint: str) -> None:
        shared = client("comprehend", comprehend_endpoint, max_pool_connections=8)
        threads = [
            threading.Thread(target=shared.contains_pii_entities, kwargs={"Text": f"text {n}", "LanguageCode": "en"})
            for n in range(24)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert meter(comprehend_endpoint)["ContainsPiiEntities"]["requests"] == 24


class TestFaults:
    @pytest.mark.parametrize(
        ("error", "status"),
        [("ThrottlingException", 400), ("InternalServerException", 500), ("TextSizeLimitExceededException", 400)],
    )
    def test_the_next_calls_fail_as_asked_and_then_no_more(
        self, comprehend: Any, comprehend_endpoint: str, error: str, status: int
    ) -> None:
        assert fault(comprehend_endpoint, operation="DetectPiiEntities", error=error, times=2) == 204
        for _ in range(2):
            with pytest.raises(ClientError) as caught:
                comprehend.detect_pii_entities(Text=TEXT, LanguageCode="en")
            assert caught.value.response["Error"]["Code"] == error
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert comprehend.detect_pii_entities(Text=TEXT, LanguageCode="en")["Entities"]

    def test_statuses_are_those_of_the_service_that_answers(self, bedrock: Any, bedrock_endpoint: str) -> None:
        fault(bedrock_endpoint, operation="ApplyGuardrail", error="ThrottlingException")
        with pytest.raises(ClientError) as caught:
            bedrock.apply_guardrail(guardrailIdentifier="a", guardrailVersion="1", source="INPUT", content=[])
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429

    def test_a_client_that_retries_gets_through(self, comprehend_endpoint: str) -> None:
        fault(comprehend_endpoint, operation="DetectPiiEntities", error="ThrottlingException", times=1)
        patient = client("comprehend", comprehend_endpoint, retries={"mode": "standard", "total_max_attempts": 3})
        answer = patient.detect_pii_entities(Text=TEXT, LanguageCode="en")
        assert answer["ResponseMetadata"]["RetryAttempts"] == 1

    def test_other_operations_are_left_alone(self, comprehend: Any, comprehend_endpoint: str) -> None:
        fault(comprehend_endpoint, operation="DetectPiiEntities", error="ThrottlingException", times=5)
        assert comprehend.contains_pii_entities(Text=TEXT, LanguageCode="en")["Labels"]

    @pytest.mark.parametrize(
        "knob",
        [
            {"operation": "DetectSentiment", "error": "ThrottlingException"},
            {"operation": "DetectPiiEntities", "error": "ResourceUnavailableException"},
            {"operation": "DetectPiiEntities", "error": "ThrottlingException", "times": 0},
            {},
        ],
    )
    def test_refuses_an_error_the_operation_cannot_answer(self, comprehend_endpoint: str, knob: dict[str, Any]) -> None:
        assert fault(comprehend_endpoint, **knob) == 400


class TestProcess:
    def test_says_when_it_is_ready(self, comprehend_endpoint: str) -> None:
        assert http("GET", f"{comprehend_endpoint}/_ready")[0] == 200

    def test_writes_nothing_of_what_it_reads(self, servers: dict[str, Server], bedrock: Any) -> None:
        asked = {"sensitiveInformation": {"entities": [{"type": "US_SOCIAL_SECURITY_NUMBER"}]}}
        bedrock.invoke_guardrail_checks(messages=[{"role": "user", "content": [{"text": TEXT}]}], checks=asked)
        with pytest.raises(ClientError) as caught:
            bedrock.invoke_guardrail_checks(messages=[{"role": TEXT, "content": [{"text": TEXT}]}], checks=asked)
        assert "536-90-4399" not in str(caught.value)
        assert "536-90-4399" not in servers["bedrock-runtime"].output.read_text()


class Stub:
    """A service with one operation that does as it is told, inside the application that serves the real ones."""

    def __init__(self, act: Callable[[], dict[str, Any]]) -> None:
        self.operations: dict[str, Callable[[Call], Billed]] = {"DetectPiiEntities": lambda _: Billed(act(), 1, {})}

    async def call(self, times: int = 1) -> list[tuple[int, str | None]]:
        """Status and error of as many calls at once."""
        application = Application("comprehend", self)
        return await asyncio.gather(*(self._call(application) for _ in range(times)))

    async def _call(self, application: Application) -> tuple[int, str | None]:
        sent: list[MutableMapping[str, Any]] = []
        headers = {**SIGNED, "x-amz-target": "Comprehend_20171127.DetectPiiEntities"}
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": json.dumps({"Text": TEXT, "LanguageCode": "en"}).encode()}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await application(scope, receive, send)
        return sent[0]["status"], json.loads(sent[1]["body"]).get("__type")


class TestApplication:
    def test_throttles_what_it_cannot_keep_waiting(self) -> None:
        def slowly() -> dict[str, Any]:
            time.sleep(0.01)
            return {"Entities": []}

        answers = asyncio.run(Stub(slowly).call(times=MOST_WAITING + 5))
        assert answers.count((200, None)) == MOST_WAITING
        assert answers.count((400, "ThrottlingException")) == 5

    @pytest.mark.parametrize("wrong", [{"Entitys": []}, {"Entities": [{"Type": "SHOE_SIZE"}]}, {"Entities": 1}])
    def test_sends_no_answer_that_the_model_does_not_allow(self, wrong: dict[str, Any]) -> None:
        assert asyncio.run(Stub(lambda: wrong).call()) == [(500, "InternalServerException")]

    def test_logs_what_kind_of_thing_went_wrong_but_none_of_the_text(self, caplog: pytest.LogCaptureFixture) -> None:
        def fail() -> dict[str, Any]:
            raise KeyError(TEXT)

        assert asyncio.run(Stub(fail).call()) == [(500, "InternalServerException")]
        assert "KeyError" in caplog.text
        assert TEXT not in caplog.text
