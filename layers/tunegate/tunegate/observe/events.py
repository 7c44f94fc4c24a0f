"""S3's events, as EventBridge delivers them, into object versions.

Source: Amazon S3 user guide, "EventBridge event message structure". Keys are not URL-encoded in these events.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.data_classes import S3EventBridgeNotificationEvent

from tunegate.errors import PermanentError
from tunegate.model import ObjectVersion

MALWARE_PLAN_PROBE = "malware-protection-resource-validation-object"
"""GuardDuty writes this object to buckets it protects, to see that it can: nobody's training data."""


@dataclass(frozen=True, slots=True)
class ObjectCreated:
    """`sequencer` orders the uploads of one key."""

    version: ObjectVersion
    sequencer: str


def object_created(event: Mapping[str, Any]) -> ObjectCreated | None:
    """What was uploaded, or None for an object that is not an upload. Raises `PermanentError` for anything unknown."""
    try:
        detail = S3EventBridgeNotificationEvent(dict(event)).detail
        created = ObjectCreated(
            # Not `.key`: that decodes URLs, and would make another key of one that holds a plus or a percent sign.
            ObjectVersion(detail.bucket.name, detail.object["key"], str(detail.object.get("version-id") or "")),
            detail.object.sequencer,
        )
    except (KeyError, TypeError, AttributeError):
        raise PermanentError("the event is not one of S3's Object Created events") from None
    if created.version.key == MALWARE_PLAN_PROBE:
        return None
    if not created.version.version_id:
        raise PermanentError("the event names no version: is versioning on for the bucket?")
    return created
