"""What lies at a job's inputs: when it began, and as it was read.

Bedrock reads the current version of each object and records none, so both come from the bucket's version history.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tunegate.act.tags import Tag
from tunegate.job_facts import Input, InputObject, Known, Unknown
from tunegate.observe.histories import StoredVersion, current_at_both
from tunegate.observe.reads import read, read_or, saying

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

type Standing = Callable[[str, str], tuple[str, str, Known[bool]]]
"""The ledger's verdict and policy digest of a key's version, and whether the evidence bears them out."""


@dataclass(frozen=True, slots=True)
class InputsSeen:
    """The objects at the inputs when the job was created, and what it read of them by its end or until now."""

    began_with: tuple[InputObject, ...]
    read: tuple[Input, ...]


def inputs(
    s3: "S3Client", uris: tuple[str, ...], began: datetime, ended: datetime | None, standing: Standing
) -> Known[InputsSeen]:
    """The objects at these S3 URIs, each an object's or a prefix's, at both moments; `ended` None is now.

    Held in memory is a line for each object, whatever the number of its versions.
    """
    first: set[StoredVersion] = set()
    last: set[StoredVersion] = set()
    for uri in uris:
        bucket, key = _split(uri)
        found = _read_history(s3, bucket, key, began, ended)
        if isinstance(found, Unknown):
            return found
        first |= found[0]
        last |= found[1]
    seen = []
    for version in sorted(last, key=lambda version: (version.bucket, version.key)):
        item = _input(s3, version, standing)
        if isinstance(item, Unknown):
            return item
        seen.append(item)
    return InputsSeen(tuple(sorted(map(_object, first))), tuple(seen))


def output_keys(s3: "S3Client", uri: str) -> Known[Mapping[str, str]]:
    """The CMK of each object below an S3 URI, by key."""
    bucket, prefix = _split(uri)
    keys = read("s3:ListBucket", bucket, lambda: _keys(s3, bucket, prefix))
    if isinstance(keys, Unknown):
        return keys
    found = {}
    for key in keys:
        cmk = _read_key_of_current(s3, bucket, key)
        if isinstance(cmk, Unknown):
            return cmk
        if cmk is not None:
            found[key] = cmk
    return found


def _read_history(
    s3: "S3Client", bucket: str, key: str, began: datetime, ended: datetime | None
) -> Known[tuple[set[StoredVersion], set[StoredVersion]]]:
    return read("s3:ListBucketVersions", bucket, lambda: current_at_both(s3, bucket, key, began, ended))


def _input(s3: "S3Client", version: StoredVersion, standing: Standing) -> Known[Input]:
    """The version is read by its id, so one that is replaced meanwhile is still told for what it is."""
    place = f"{version.bucket}/{version.key}"
    cmk = read("s3:GetObjectVersion", place, lambda: _cmk(_head(s3, version)))
    if isinstance(cmk, Unknown):
        return cmk
    verdict = read("s3:GetObjectVersionTagging", place, lambda: _verdict(s3, version))
    if isinstance(verdict, Unknown):
        return verdict
    decided, policy_digest, evidenced = standing(version.key, version.version_id)
    if isinstance(evidenced, Unknown):
        return evidenced
    return Input(_object(version), cmk, verdict, decided, policy_digest, evidenced)


def _object(version: StoredVersion) -> InputObject:
    return InputObject(version.bucket, version.key, version.version_id, version.etag)


def _head(s3: "S3Client", version: StoredVersion) -> "HeadObjectOutputTypeDef":
    # Without ChecksumMode: for the checksum of an object under a CMK, S3 would ask for kms:Decrypt.
    return s3.head_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)


def _cmk(head: "HeadObjectOutputTypeDef") -> str:
    return head.get("SSEKMSKeyId", "") if head.get("ServerSideEncryption", "").startswith("aws:kms") else ""


def _verdict(s3: "S3Client", version: StoredVersion) -> str:
    answer = s3.get_object_tagging(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
    return next((tag["Value"] for tag in answer["TagSet"] if tag["Key"] == Tag.VERDICT), "")


def _keys(s3: "S3Client", bucket: str, prefix: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def _read_key_of_current(s3: "S3Client", bucket: str, key: str) -> Known[str | None]:
    """None for an object that is gone again."""

    def ask() -> str:
        return _cmk(s3.head_object(Bucket=bucket, Key=key))

    return read_or("s3:GetObject", f"{bucket}/{key}", ask, saying("404"), None)


def _split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
