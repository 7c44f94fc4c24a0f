"""Gaps in what S3 keeps of an object, and in what it tells of it."""

import json
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qsl

from ministack.services import eventbridge, s3


def multipart_uploads_keep_their_tags_and_retention() -> None:
    """Ministack drops the tags named when a multipart upload begins, and the bucket's default retention when it ends.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html (x-amz-tagging)
    """
    create, complete = s3._create_multipart_upload, s3._complete_multipart_upload
    tags_of_upload: dict[str, dict[str, str]] = {}

    def create_multipart_upload(bucket: str, key: str, headers: dict[str, str]) -> Any:
        before = set(s3._multipart_uploads)
        answer = create(bucket, key, headers)
        for upload_id in set(s3._multipart_uploads) - before:
            tags_of_upload[upload_id] = dict(parse_qsl(headers.get("x-amz-tagging", ""), keep_blank_values=True))
        return answer

    def complete_multipart_upload(
        bucket: str, key: str, body: bytes, query_params: dict[str, Any], headers: dict[str, str] | None = None
    ) -> Any:
        answer = complete(bucket, key, body, query_params, headers)
        version_id = answer[1].get("x-amz-version-id")
        tags = tags_of_upload.pop((query_params.get("uploadId") or [""])[0], None)
        if answer[0] == 200 and tags is not None:
            s3._apply_object_lock_from_headers(bucket, key, {}, version_id)
            if tags:
                s3._object_tags[(bucket, key, version_id)] = tags
        return answer

    s3._create_multipart_upload = create_multipart_upload
    s3._complete_multipart_upload = complete_multipart_upload


def events_name_the_version() -> None:
    """Ministack's S3 events to EventBridge carry no `version-id`; those of a versioned bucket on AWS do.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    fire, dispatch = s3._fire_s3_event, eventbridge._dispatch_event
    version: ContextVar[str | None] = ContextVar("version", default=None)

    def fire_s3_event(*arguments: Any, version_id: str | None = None, **named: Any) -> None:
        token = version.set(version_id)
        try:
            fire(*arguments, version_id=version_id, **named)
        finally:
            version.reset(token)

    def dispatch_event(event: dict[str, Any], view: Any = None) -> Any:
        version_id = version.get()
        if event.get("Source") == "aws.s3" and version_id:
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version_id
            event = {**event, "Detail": json.dumps(detail)}
        return dispatch(event, view)

    s3._fire_s3_event = fire_s3_event
    eventbridge._dispatch_event = dispatch_event


def versions_are_read_by_range() -> None:
    """Ministack answers a GET that names a version with the whole of it, whatever range was asked for.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Range)
    """
    get = s3._get_object

    def get_object(bucket: str, key: str, headers: dict[str, str], query_params: dict[str, Any] | None = None) -> Any:
        asked = headers.get("range", "") if (query_params or {}).get("versionId") else ""
        if not asked:
            return get(bucket, key, headers, query_params)
        # A checksum is of the whole, so it does not go with a part.
        plain = {name: value for name, value in headers.items() if name != "x-amz-checksum-mode"}
        status, answered, body = get(bucket, key, plain, query_params)
        if status != 200:
            return status, answered, body
        part = s3._parse_range(asked, len(body))
        if part is None:
            refusal = {"Content-Type": "application/xml", "Content-Range": f"bytes */{len(body)}"}
            return 416, refusal, s3._xml_body(s3._range_error_xml(bucket, key))
        start, end = part
        content = {"Content-Length": str(end + 1 - start), "Content-Range": f"bytes {start}-{end}/{len(body)}"}
        return 206, {**answered, **content}, body[start : end + 1]

    s3._get_object = get_object
