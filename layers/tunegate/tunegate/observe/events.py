"""S3's events, as EventBridge delivers them, into object versions.

Sources: Amazon S3 user guide, "EventBridge event message structure" (keys are not URL-encoded in these events) and
"Naming Amazon S3 objects" (a key is at most 1,024 bytes of UTF-8).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunegate.errors import PermanentError
from tunegate.model import ObjectVersion

MALWARE_PLAN_PROBE = "malware-protection-resource-validation-object"
"""GuardDuty writes this object to buckets it protects, to see that it can: nobody's training data."""

MOST_NAME_BYTES = 1_024


@dataclass(frozen=True, slots=True)
class ObjectCreated:
    """`sequencer` orders the uploads of one key."""

    version: ObjectVersion
    sequencer: str


def message_in(text: Any) -> Mapping[str, Any]:
    """The JSON object that a queue's message is. Raises `PermanentError` for anything else, without quoting it."""
    try:
        message = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise PermanentError("the message is not JSON") from None
    if not isinstance(message, dict):
        raise PermanentError("the message is no event")
    return message


def object_created(event: Any) -> ObjectCreated | None:
    """What was uploaded, or None for an object that is not an upload. Raises `PermanentError` for anything unknown."""
    try:
        detail = event["detail"]
        stored = detail["object"]
        bucket, key, sequencer = detail["bucket"]["name"], stored["key"], stored["sequencer"]
        version_id = stored.get("version-id") or ""
    except (KeyError, TypeError, AttributeError):
        raise PermanentError("the event is not one of S3's Object Created events") from None
    if key == MALWARE_PLAN_PROBE:
        return None
    if not version_id:
        raise PermanentError("the event names no version: is versioning on for the bucket?")
    return ObjectCreated(version_of(bucket, key, version_id), name_of(sequencer))


def version_of(bucket: Any, key: Any, version_id: Any) -> ObjectVersion:
    """The version an event names. Raises `PermanentError` for what cannot be one's bucket, key and version."""
    return ObjectVersion(name_of(bucket), name_of(key), name_of(version_id))


def name_of(value: Any) -> str:
    """A name as S3 gives one: text of 1 to 1,024 bytes. Raises `PermanentError` for anything else."""
    try:
        size = len(value.encode())
    except (AttributeError, UnicodeEncodeError):
        size = 0
    if not 1 <= size <= MOST_NAME_BYTES or not isinstance(value, str):
        raise PermanentError("the event names something by what is no name in S3")
    return value
