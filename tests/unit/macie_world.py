"""Records as Macie writes them to its results repository."""

from typing import Any

from tunegate.model import ObjectVersion


def record(
    version: ObjectVersion, code: str = "COMPLETE", reason: str = "", data: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """The record of one object; its etag is `e`. A version without an id is one whose record names none."""
    stored = {"bucketArn": f"arn:aws:s3:::{version.bucket}", "key": version.key, "eTag": "e"}
    return {
        "classificationDetails": {
            "jobId": "j",
            "result": {
                "status": {"code": code} | ({"reason": reason} if reason else {}),
                "sensitiveData": data or [],
                "customDataIdentifiers": {"totalCount": 0, "detections": []},
            },
        },
        "resourcesAffected": {
            "s3Object": stored | ({"versionId": version.version_id} if version.version_id else {}),
        },
    }
