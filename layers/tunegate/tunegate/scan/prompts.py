"""Prompt attacks judged by a managed service: one interface, the service chosen by policy.

Each service scores a request as a whole, so every request is of one record, and what it finds is said of the record.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from tunegate.errors import aws_call
from tunegate.model import Category, Detection, Place, Record
from tunegate.scan.packs import split_text, utf8_length
from tunegate.scan.sensitive import named

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
    from mypy_boto3_comprehend import ComprehendClient

ATTACKS = ("JAILBREAK", "PROMPT_INJECTION", "PROMPT_LEAKAGE")
GUARDRAIL_BYTES = 20_000
"""One request to Guardrails. No maximum is documented; the smallest quota is 25 units (1,000 characters) a second."""
PROMPT_SAFETY_BYTES = 10_000
"""ClassifyDocument with the prompt-safety endpoint takes 10 KB (Comprehend, trust and safety)."""

# Guardrails' names for sensitive information, and ours where Comprehend calls the same thing otherwise.
PII_ENTITIES = {
    "ADDRESS": "ADDRESS",
    "AWS_ACCESS_KEY": "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY": "AWS_SECRET_KEY",
    "CREDIT_DEBIT_CARD_NUMBER": "CREDIT_DEBIT_NUMBER",
    "DRIVER_ID": "DRIVER_ID",
    "EMAIL": "EMAIL",
    "INTERNATIONAL_BANK_ACCOUNT_NUMBER": "INTERNATIONAL_BANK_ACCOUNT_NUMBER",
    "NAME": "NAME",
    "PASSWORD": "PASSWORD",
    "PHONE": "PHONE",
    "US_BANK_ACCOUNT_NUMBER": "BANK_ACCOUNT_NUMBER",
    "US_PASSPORT_NUMBER": "PASSPORT_NUMBER",
    "US_SOCIAL_SECURITY_NUMBER": "SSN",
}
_CONFIDENCE = {"NONE": 0.0, "LOW": 0.4, "MEDIUM": 0.7, "HIGH": 1.0}

Role = Literal["user", "assistant", "system"]


@dataclass(frozen=True, slots=True)
class Part:
    """A text of a record, or a piece of it that fits a request."""

    role: Role
    pointer: str
    offset: int
    text: str


class GuardrailChecks:
    """`InvokeGuardrailChecks`: detects only, needs no guardrail resource, returns no matched text."""

    def __init__(self, client: Any) -> None:
        # Typed Any: the published stubs do not know this operation yet; a contract test holds it to botocore's model.
        self._client = client

    def check(self, record: Record, *, with_pii: bool) -> Iterator[Detection]:
        checks: dict[str, Any] = {"promptAttack": {"categories": [{"category": attack} for attack in ATTACKS]}}
        if with_pii:
            checks["sensitiveInformation"] = {"entities": [{"type": entity} for entity in PII_ENTITIES]}
        for parts in requests_of(record, GUARDRAIL_BYTES):
            messages = [{"role": part.role, "content": [{"text": part.text}]} for part in parts]
            with aws_call("Checking for prompt attacks"):
                results = self._client.invoke_guardrail_checks(messages=messages, checks=checks)["results"]
            for attack in results["promptAttack"]["results"]:
                yield _attack(record, attack["category"], attack["severityScore"], "guardrail_checks")
            yield from self._sensitive(record, parts, results.get("sensitiveInformation", {}).get("results", []))

    def _sensitive(self, record: Record, parts: Sequence[Part], found: Sequence[Any]) -> Iterator[Detection]:
        for entity in found:
            part = parts[entity["messageIndex"]]
            place = Place(
                record.line, part.pointer, part.offset + entity["beginOffset"], part.offset + entity["endOffset"]
            )
            category, kind = named(PII_ENTITIES[entity["type"]])
            yield Detection(category, kind, place, entity["confidenceScore"], "guardrail_checks")


class ApplyGuardrail:
    """`ApplyGuardrail` with the account's own guardrail, for Regions without the checks. Reads `detected`, so that
    a guardrail that only detects serves as well as one that blocks. The answer holds matched text: none is kept."""

    def __init__(self, client: "BedrockRuntimeClient", guardrail_id: str, version: str) -> None:
        self._client = client
        self._guardrail_id = guardrail_id
        self._version = version

    def check(self, record: Record, *, with_pii: bool) -> Iterator[Detection]:
        for parts in requests_of(record, GUARDRAIL_BYTES):
            with aws_call("Applying the guardrail"):
                answer = self._client.apply_guardrail(
                    guardrailIdentifier=self._guardrail_id,
                    guardrailVersion=self._version,
                    source="INPUT",
                    content=[{"text": {"text": part.text}} for part in parts],
                )
            for assessment in answer["assessments"]:
                yield from self._attacks(record, assessment)
                if with_pii:
                    yield from self._sensitive(record, assessment)

    def _attacks(self, record: Record, assessment: Any) -> Iterator[Detection]:
        for found in assessment.get("contentPolicy", {}).get("filters", []):
            if found["type"] == "PROMPT_ATTACK" and (found.get("detected") or found["action"] == "BLOCKED"):
                yield _attack(record, "PROMPT_ATTACK", _CONFIDENCE[found["confidence"]], "apply_guardrail")

    def _sensitive(self, record: Record, assessment: Any) -> Iterator[Detection]:
        for entity in assessment.get("sensitiveInformationPolicy", {}).get("piiEntities", []):
            category, kind = named(PII_ENTITIES.get(entity["type"], entity["type"]))
            yield Detection(category, kind, Place(record.line), detector="apply_guardrail")


class ComprehendPromptSafety:
    """Comprehend's prompt-safety classifier, for accounts that had it before it closed to new customers."""

    def __init__(self, client: "ComprehendClient") -> None:
        self._client = client
        region = client.meta.region_name
        self._endpoint = f"arn:aws:comprehend:{region}:aws:document-classifier-endpoint/prompt-safety"

    def check(self, record: Record, *, with_pii: bool) -> Iterator[Detection]:  # noqa: ARG002
        for parts in requests_of(record, PROMPT_SAFETY_BYTES):
            with aws_call("Classifying prompt safety"):
                text = "\n".join(part.text for part in parts)
                answer = self._client.classify_document(Text=text, EndpointArn=self._endpoint)
            for found in answer["Classes"]:
                if found["Name"] == "UNSAFE_PROMPT":
                    yield _attack(record, "UNSAFE_PROMPT", found["Score"], "comprehend")


def requests_of(record: Record, limit: int) -> Iterator[list[Part]]:
    """The record's texts in order, gathered into requests of at most `limit` UTF-8 bytes."""
    parts: list[Part] = []
    size = 0
    for part in _parts(record, limit):
        length = utf8_length(part.text) + 1
        if parts and size + length > limit:
            yield parts
            parts, size = [], 0
        parts.append(part)
        size += length
    if parts:
        yield parts


def _parts(record: Record, limit: int) -> Iterator[Part]:
    for text in record.texts:
        role = cast(Role, text.role) if text.role in ("user", "assistant", "system") else "user"
        for offset, piece in split_text(text.value, limit - 1):
            yield Part(role, text.pointer, offset, piece)


def _attack(record: Record, kind: str, score: float, detector: str) -> Detection:
    return Detection(Category.PROMPT_ATTACK, kind, Place(record.line), score, detector)
