"""Which subjects an event speaks of. An event is a hint to look again; nothing it says is taken for a fact but one.

The exception is CreateCustomModel: Bedrock does not tell afterwards what such a model was made from, so CloudTrail's
record of the call is the only source there is.

Sources: Amazon Bedrock user guide, "Monitor model customization jobs with EventBridge"; EventBridge user guide, "AWS
service events delivered through CloudTrail"; Amazon SageMaker developer guide, "Automating with EventBridge".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tunegate.errors import PermanentError
from tunegate.subject import Subject, subject_of

_STATE_CHANGES = {
    "Model Customization Job State Change": "jobArn",
    "SageMaker Training Job State Change": "TrainingJobArn",
    "SageMaker Model Package State Change": "ModelPackageArn",
}
_SOURCE = re.compile(r"(?:s3|arn):[^\x00-\x1f\ud800-\udfff]{1,2048}")
_CALL = "AWS API Call via CloudTrail"


@dataclass(frozen=True, slots=True)
class Hint:
    """What to look at again. `sources` is by the ARN of a model what it was made from: an S3 URI or an ARN."""

    subjects: tuple[Subject, ...]
    sources: Mapping[str, str]


def hint_in(message: Any) -> Hint:
    """The hint in a message of the jobs queue: an EventBridge event, or `{"subject": ARN}` from the gate itself.

    Raises `PermanentError` for anything else.
    """
    if not isinstance(message, dict):
        raise PermanentError("the message is no event the job gate knows")
    if "subject" in message:
        return Hint((subject_of(str(message["subject"])),), {})
    kind, detail = message.get("detail-type"), message.get("detail")
    if not isinstance(kind, str) or not isinstance(detail, dict):
        raise PermanentError("the message is no event the job gate knows")
    if kind in _STATE_CHANGES:
        return Hint((subject_of(str(detail.get(_STATE_CHANGES[kind]))),), {})
    if kind == _CALL:
        return _of_call(detail)
    raise PermanentError("the message is no event the job gate knows")


def _of_call(detail: Mapping[str, Any]) -> Hint:
    asked, answered = _mapping(detail.get("requestParameters")), _mapping(detail.get("responseElements"))
    if detail.get("errorCode"):
        return Hint((), {})
    # What was made comes first, then what it was made of.
    subjects = tuple(dict.fromkeys([*_subjects_among(answered), *_subjects_among(asked)]))
    model = next(_subjects_among({"modelArn": answered.get("modelArn")}), None)
    source = _source(asked) if model and detail.get("eventName") == "CreateCustomModel" else ""
    return Hint(subjects, {model.arn: source} if model and source else {})


def _subjects_among(parameters: Mapping[str, Any]) -> Iterator[Subject]:
    for value in parameters.values():
        if isinstance(value, str):
            try:
                yield subject_of(value)
            except PermanentError:
                continue


def _source(asked: Mapping[str, Any]) -> str:
    s3 = _mapping(_mapping(asked.get("modelSourceConfig")).get("s3DataSource"))
    package = _mapping(_mapping(asked.get("customModelDataSource")).get("modelPackageArnDataSource"))
    named = s3.get("s3Uri") or package.get("modelPackageArn") or ""
    return named if isinstance(named, str) and _SOURCE.fullmatch(named) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
