"""Ministack stores which KMS key an object is encrypted with, but asks nobody's leave to use that key. AWS does.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
"""

from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import s3

KMS = "aws:kms"
KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"


def objects_are_read_and_written_with_their_key() -> None:
    """A read needs kms:Decrypt of the object's key, a write kms:GenerateDataKey, a multipart write both; through S3."""
    checks_of = iam_actions.s3_additional_checks
    enforce = iam_evaluator.enforce

    def s3_additional_checks(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> list[tuple[str, str]]:
        checks: list[tuple[str, str]] = checks_of(method, path, headers, body, query_params)
        return checks + _key_checks(method, path, headers, query_params)

    def enforce_through_s3(
        access_key_id: str, iam_action: str, service: str, region: str, resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        if service == "s3" and iam_action.startswith("kms:"):
            resource_arn, _, bucket = resource_arn.partition("#")
            service = "kms"
            service_context = {
                "kms:ViaService": f"s3.{region}.amazonaws.com",
                # With a bucket key, which every bucket of the gate has, the context is the bucket and not the object.
                "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{bucket}",
            }
        return enforce(
            access_key_id, iam_action, service, region, resource_arn=resource_arn, service_context=service_context
        )

    iam_actions.s3_additional_checks = s3_additional_checks
    iam_evaluator.enforce = enforce_through_s3


def _key_checks(method: str, path: str, headers: dict[str, str], query_params: dict[str, Any]) -> list[tuple[str, str]]:
    bucket, _, key = path.lstrip("/").partition("/")
    if not key:
        return []
    action = iam_actions._s3_action(method, path, query_params)
    checks = []
    if action == "PutObject":
        checks += [(operation, _written_with(bucket, headers, query_params)) for operation in _writing(query_params)]
        source = iam_actions._s3_source_object(headers)
        if source:
            source_bucket, _, source_key = source[0].removeprefix("arn:aws:s3:::").partition("/")
            checks.append(("kms:Decrypt", _stored_with(source_bucket, source_key, source[1])))
    elif action in ("GetObject", "GetObjectVersion") and _reads(method, headers):
        checks.append(("kms:Decrypt", _stored_with(bucket, key, (query_params.get("versionId") or [""])[0])))
    return [(operation, arn) for operation, arn in checks if arn]


def _reads(method: str, headers: dict[str, str]) -> bool:
    """A HEAD needs the key only to show the checksum."""
    return method == "GET" or headers.get("x-amz-checksum-mode", "").upper() == "ENABLED"


def _writing(query_params: dict[str, Any]) -> tuple[str, ...]:
    multipart = "uploads" in query_params or "uploadId" in query_params
    return ("kms:GenerateDataKey", "kms:Decrypt") if multipart else ("kms:GenerateDataKey",)


def _written_with(bucket: str, headers: dict[str, str], query_params: dict[str, Any]) -> str:
    upload = s3._multipart_uploads.get((query_params.get("uploadId") or [""])[0])
    applied = upload["preserved_headers"] if upload else s3._resolve_sse_write_headers(headers, bucket)[0]
    return _key(applied, bucket)


def _stored_with(bucket: str, key: str, version_id: str) -> str:
    if version_id:
        records = s3._object_versions.get((bucket, key), [])
        record = next((version for version in records if version["version_id"] == version_id), None)
    else:
        record = (s3._buckets.get(bucket) or {"objects": {}})["objects"].get(key)
    return _key((record or {}).get("preserved_headers"), bucket)


def _key(headers: dict[str, str] | None, bucket: str) -> str:
    """The key's ARN with the bucket after it, which is how the check below learns the encryption context."""
    arn = (headers or {}).get(KEY_HEADER, "")
    return f"{arn}#{bucket}" if arn.startswith("arn:") else ""
