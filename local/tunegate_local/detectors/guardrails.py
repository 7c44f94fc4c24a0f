"""Amazon Bedrock Guardrails as the Bedrock runtime serves it: InvokeGuardrailChecks and ApplyGuardrail.

InvokeGuardrailChecks judges messages by the checks in the request and answers those alone. Severity scores are the
six steps 0, 0.2 … 1.0 and belong to the whole request; sensitive information is located by message and content
block. At most ten content blocks a message.
https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-invoke-guardrail-checks.html

ApplyGuardrail needs a guardrail. Any well-formed identifier names one here, and each is configured as AWS advises
those who leave prompt-safety: the prompt attack filter alone, input strength HIGH, action BLOCK.
https://docs.aws.amazon.com/comprehend/latest/dg/comprehend-availability-change.html

A text unit is up to 1,000 characters of one content block.
"""

from collections.abc import Callable, Iterable
from typing import Any

from tunegate_local.detectors.control import Billed
from tunegate_local.detectors.language import pipeline
from tunegate_local.detectors.pii import Entity, PiiAnalyzer
from tunegate_local.detectors.prompts import PromptJudge
from tunegate_local.detectors.toxicity import content_severities
from tunegate_local.detectors.wire import Call, ServiceError

UNIT_CHARACTERS = 1_000
BLOCKS_PER_MESSAGE = 10
BLOCKED_MESSAGE = "Sorry, the model cannot answer this question."

# Comprehend's names to those of Guardrails, where they differ. Types that Guardrails has no name for are not reported.
GUARDRAIL_TYPES = {
    "BANK_ACCOUNT_NUMBER": "US_BANK_ACCOUNT_NUMBER",
    "BANK_ROUTING": "US_BANK_ROUTING_NUMBER",
    "CREDIT_DEBIT_CVV": "CREDIT_DEBIT_CARD_CVV",
    "CREDIT_DEBIT_EXPIRY": "CREDIT_DEBIT_CARD_EXPIRY",
    "CREDIT_DEBIT_NUMBER": "CREDIT_DEBIT_CARD_NUMBER",
    "PASSPORT_NUMBER": "US_PASSPORT_NUMBER",
    "SSN": "US_SOCIAL_SECURITY_NUMBER",
}
# Confidence of the prompt attack filter by severity. A filter of strength HIGH acts on LOW and above.
_CONFIDENCE = {0.0: "NONE", 0.2: "NONE", 0.4: "LOW", 0.6: "MEDIUM", 0.8: "HIGH", 1.0: "HIGH"}


class Guardrails:
    """The operations by name. Making one loads the models."""

    def __init__(self) -> None:
        self._pii = PiiAnalyzer()
        self._prompts = PromptJudge()
        self.operations: dict[str, Callable[[Call], Billed]] = {
            "InvokeGuardrailChecks": self._checks,
            "ApplyGuardrail": self._apply,
        }

    def _checks(self, call: Call) -> Billed:
        messages = [[block["text"] for block in message["content"]] for message in call.parameters["messages"]]
        if any(len(blocks) > BLOCKS_PER_MESSAGE for blocks in messages):
            raise ServiceError("ValidationException", f"A message holds at most {BLOCKS_PER_MESSAGE} content blocks.")
        checks = {name: check for name, check in call.parameters["checks"].items() if name in _ANSWERS}
        if not checks:
            raise ServiceError("ValidationException", "At least one check is required.")
        texts = [text for blocks in messages for text in blocks]
        results = {name: _ANSWERS[name](self, messages, check) for name, check in checks.items()}
        units = dict.fromkeys(checks, _units(texts))
        usage = {name: {"textUnits": count} for name, count in units.items()}
        return Billed({"results": results, "usage": usage}, sum(map(len, texts)), units)

    def _prompt_attack(self, messages: list[list[str]], check: dict[str, Any]) -> dict[str, Any]:
        severities = self._prompts.severities([text for blocks in messages for text in blocks])
        return _severity_results(check, severities)

    def _content_filter(self, messages: list[list[str]], check: dict[str, Any]) -> dict[str, Any]:
        return _severity_results(check, content_severities([text for blocks in messages for text in blocks]))

    def _sensitive(self, messages: list[list[str]], check: dict[str, Any]) -> dict[str, Any]:
        wanted = {entity["type"] for entity in check["entities"]}
        results = [
            {
                "type": type_,
                "confidenceScore": entity.score,
                "beginOffset": entity.begin,
                "endOffset": entity.end,
                "messageIndex": message_index,
                "contentIndex": content_index,
            }
            for message_index, blocks in enumerate(messages)
            for content_index, text in enumerate(blocks)
            for entity in self._entities(text)
            if (type_ := GUARDRAIL_TYPES.get(entity.type, entity.type)) in wanted
        ]
        return {"results": results, "truncated": False}

    def _entities(self, text: str) -> tuple[Entity, ...]:
        return self._pii.find(text, pipeline(text))

    def _apply(self, call: Call) -> Billed:
        content = call.parameters["content"]
        texts = [block["text"]["text"] for block in content if "text" in block]
        guarded = _guarded(content)
        images = sum("image" in block for block in content)
        # The prompt attack filter has no output strength: what a model answers is not judged.
        judged = guarded if call.parameters["source"] == "INPUT" else []
        severity = max(self._prompts.severities(judged).values(), default=0.0)
        units = {"contentPolicy": _units(judged)}
        result = _applied(call, severity, units["contentPolicy"], _coverage(judged, texts, images))
        return Billed(result, sum(map(len, judged)), units)


_ANSWERS: dict[str, Callable[[Guardrails, list[list[str]], dict[str, Any]], dict[str, Any]]] = {
    "promptAttack": Guardrails._prompt_attack,
    "contentFilter": Guardrails._content_filter,
    "sensitiveInformation": Guardrails._sensitive,
}


def _severity_results(check: dict[str, Any], severities: dict[str, float]) -> dict[str, Any]:
    wanted = dict.fromkeys(category["category"] for category in check["categories"])
    return {"results": [{"category": name, "severityScore": severities[name]} for name in wanted]}


def _guarded(content: list[dict[str, Any]]) -> list[str]:
    """The texts a guardrail looks at: those marked `guard_content`, or all where none is marked."""
    blocks = [block["text"] for block in content if "text" in block]
    marked = [block["text"] for block in blocks if "guard_content" in block.get("qualifiers", ())]
    return marked or [block["text"] for block in blocks]


def _applied(call: Call, severity: float, units: int, coverage: dict[str, Any]) -> dict[str, Any]:
    confidence = _CONFIDENCE[severity]
    detected = confidence != "NONE"
    usage = _usage(units)
    assessment: dict[str, Any] = {
        "invocationMetrics": {"guardrailProcessingLatency": 0, "usage": usage, "guardrailCoverage": coverage},
        "appliedGuardrailDetails": _details(call),
    }
    if detected or call.parameters.get("outputScope") == "FULL":
        assessment["contentPolicy"] = {
            "filters": [
                {
                    "type": "PROMPT_ATTACK",
                    "confidence": confidence,
                    "filterStrength": "HIGH",
                    "action": "BLOCKED" if detected else "NONE",
                    "detected": detected,
                }
            ]
        }
    return {
        "usage": usage,
        "action": "GUARDRAIL_INTERVENED" if detected else "NONE",
        "actionReason": "Guardrail blocked." if detected else "No action.",
        "outputs": [{"text": BLOCKED_MESSAGE}] if detected else [],
        "assessments": [assessment],
        "guardrailCoverage": coverage,
    }


def _details(call: Call) -> dict[str, Any]:
    identifier = call.parameters["guardrailIdentifier"]
    details: dict[str, Any] = {
        "guardrailId": identifier.rpartition("/")[2],
        "guardrailVersion": call.parameters["guardrailVersion"],
        "guardrailOrigin": ["REQUEST"],
        "guardrailOwnership": "SELF",
    }
    return {**details, "guardrailArn": identifier} if identifier.startswith("arn:") else details


def _usage(content_units: int) -> dict[str, int]:
    return {
        "topicPolicyUnits": 0,
        "contentPolicyUnits": content_units,
        "wordPolicyUnits": 0,
        "sensitiveInformationPolicyUnits": 0,
        "sensitiveInformationPolicyFreeUnits": 0,
        "contextualGroundingPolicyUnits": 0,
    }


def _coverage(judged: list[str], texts: list[str], images: int) -> dict[str, Any]:
    coverage: dict[str, Any] = {"textCharacters": {"guarded": sum(map(len, judged)), "total": sum(map(len, texts))}}
    if images:
        coverage["images"] = {"guarded": 0, "total": images}
    return coverage


def _units(texts: Iterable[str]) -> int:
    return sum(-(-len(text) // UNIT_CHARACTERS) for text in texts)
