"""Amazon Comprehend's synchronous operations that Tunegate uses, with its documented limits.

| operation | limits | answered by |
| --- | --- | --- |
| DetectPiiEntities, ContainsPiiEntities | 100 KB; en, es | `pii` |
| DetectToxicContent | 10 segments of 1 KB, 10 KB in all; en | `toxicity` |
| DetectDominantLanguage | 100 KB | `language` |
| ClassifyDocument, prompt-safety endpoint only | 10 KB | `prompts` |

A KB is 1,000 bytes of UTF-8: that is what the service's own error message counts ("Max length of request text
allowed is 100000 bytes"). Limits: https://docs.aws.amazon.com/comprehend/latest/dg/guidelines-and-limits.html and
https://docs.aws.amazon.com/comprehend/latest/dg/trust-safety.html. Billing: units of 100 characters, at least three a
request: https://aws.amazon.com/comprehend/pricing/
"""

import re
from collections.abc import Callable
from typing import Any

from tunegate_local.detectors.control import Billed
from tunegate_local.detectors.language import guesses
from tunegate_local.detectors.pii import PiiAnalyzer
from tunegate_local.detectors.prompts import PromptJudge
from tunegate_local.detectors.toxicity import labels
from tunegate_local.detectors.wire import Call, ServiceError

DOCUMENT_BYTES = 100_000
SEGMENT_BYTES = 1_000
SEGMENTS = 10
TOXICITY_BYTES = 10_000
PROMPT_BYTES = 10_000
UNIT_CHARACTERS = 100
LEAST_UNITS = 3
PII_LANGUAGES = ("en", "es")
TOXICITY_LANGUAGES = ("en",)
PROMPT_SAFETY = re.compile(r"arn:aws(?:-[^:]+)?:comprehend:([a-z0-9-]+):aws:document-classifier-endpoint/prompt-safety")


class Comprehend:
    """The operations by name. Making one loads the models."""

    def __init__(self) -> None:
        self._pii = PiiAnalyzer()
        self._prompts = PromptJudge()
        self.operations: dict[str, Callable[[Call], Billed]] = {
            "DetectPiiEntities": self._detect_pii,
            "ContainsPiiEntities": self._contains_pii,
            "DetectToxicContent": self._detect_toxic,
            "DetectDominantLanguage": self._detect_language,
            "ClassifyDocument": self._classify,
        }

    def _detect_pii(self, call: Call) -> Billed:
        text = _document(call, PII_LANGUAGES)
        found = self._pii.find(text, call.parameters["LanguageCode"])
        entities = [{"Score": e.score, "Type": e.type, "BeginOffset": e.begin, "EndOffset": e.end} for e in found]
        return _billed({"Entities": entities}, text)

    def _contains_pii(self, call: Call) -> Billed:
        text = _document(call, PII_LANGUAGES)
        best: dict[str, float] = {}
        for entity in self._pii.find(text, call.parameters["LanguageCode"]):
            best[entity.type] = max(entity.score, best.get(entity.type, 0.0))
        return _billed({"Labels": [{"Name": name, "Score": score} for name, score in best.items()]}, text)

    def _detect_toxic(self, call: Call) -> Billed:
        segments = [segment["Text"] for segment in call.parameters["TextSegments"]]
        if len(segments) > SEGMENTS:
            raise ServiceError("InvalidRequestException", f"A request holds at most {SEGMENTS} text segments.")
        _require_language(call, TOXICITY_LANGUAGES)
        for segment in segments:
            _require_size(segment, SEGMENT_BYTES)
        _require_size("".join(segments), TOXICITY_BYTES)
        return _billed({"ResultList": [_toxicity(segment) for segment in segments]}, "".join(segments))

    def _detect_language(self, call: Call) -> Billed:
        text = call.parameters["Text"]
        _require_size(text, DOCUMENT_BYTES)
        languages = [{"LanguageCode": code, "Score": score} for code, score in guesses(text)]
        return _billed({"Languages": languages}, text)

    def _classify(self, call: Call) -> Billed:
        endpoint = PROMPT_SAFETY.fullmatch(call.parameters["EndpointArn"])
        if endpoint is None:
            raise ServiceError("ResourceUnavailableException", "The endpoint does not exist or is not available.")
        if call.region is not None and endpoint.group(1) != call.region:
            raise ServiceError("InvalidRequestException", "The endpoint is in another Region than this request.")
        if "Text" not in call.parameters:
            raise ServiceError("InvalidRequestException", "The prompt safety classifier takes plain text in Text.")
        text = call.parameters["Text"]
        _require_size(text, PROMPT_BYTES)
        unsafe = max(self._prompts.scores([text]).values())
        classes = [{"Name": "UNSAFE_PROMPT", "Score": unsafe}, {"Name": "SAFE_PROMPT", "Score": 1 - unsafe}]
        return _billed({"Classes": sorted(classes, key=_score, reverse=True)}, text)


def _document(call: Call, languages: tuple[str, ...]) -> str:
    text: str = call.parameters["Text"]
    _require_size(text, DOCUMENT_BYTES)
    _require_language(call, languages)
    return text


def _require_size(text: str, limit: int) -> None:
    size = len(text.encode())
    if size > limit:
        raise ServiceError(
            "TextSizeLimitExceededException",
            f"Input text size exceeds limit. Max length of request text allowed is {limit} bytes "
            f"while in this request the text size is {size} bytes",
        )


def _require_language(call: Call, languages: tuple[str, ...]) -> None:
    if call.parameters["LanguageCode"] not in languages:
        raise ServiceError("UnsupportedLanguageException", f"This operation supports {', '.join(languages)} only.")


def _toxicity(segment: str) -> dict[str, Any]:
    scores = labels(segment)
    return {
        "Labels": [{"Name": name, "Score": score} for name, score in scores.items()],
        "Toxicity": max(scores.values()),
    }


def _score(entry: dict[str, Any]) -> float:
    return float(entry["Score"])


def _billed(result: dict[str, Any], text: str) -> Billed:
    return Billed(result, len(text), {"text": max(LEAST_UNITS, -(-len(text) // UNIT_CHARACTERS))})
