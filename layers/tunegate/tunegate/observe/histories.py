"""Which versions of the objects at an S3 URI were current at a moment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import DeleteMarkerEntryTypeDef, ObjectVersionTypeDef


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version of an object, or with `deleted` the mark that it is gone. `at` is S3's time, in whole seconds."""

    bucket: str
    key: str
    version_id: str
    etag: str
    at: datetime
    latest: bool
    deleted: bool


def current_at_both(
    s3: "S3Client", bucket: str, key: str, first: datetime, last: datetime | None
) -> tuple[set[StoredVersion], set[StoredVersion]]:
    """The versions current at two moments, None being now, of the object of that name or of all under the prefix.

    AWS does not say how Bedrock takes a name that is both an object's and a folder's: then both are read here. A name
    without an object is a prefix, which need not end at a slash, as S3 lists by it.
    """
    at_first: dict[str, StoredVersion] = {}
    at_last: dict[str, StoredVersion] = {}
    for version in _history(s3, bucket, key):
        _keep(at_first, version, first)
        _keep(at_last, version, last)
    was, became = _there(at_first), _there(at_last)
    if key and not key.endswith("/") and (key in was or key in became):
        was, became = _of_object(was, key), _of_object(became, key)
    return set(was.values()), set(became.values())


def _history(s3: "S3Client", bucket: str, prefix: str) -> Iterator[StoredVersion]:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        yield from (_stored(bucket, entry, entry["ETag"]) for entry in page.get("Versions", []))
        yield from (_stored(bucket, entry, "", deleted=True) for entry in page.get("DeleteMarkers", []))


def _stored(
    bucket: str, entry: "ObjectVersionTypeDef | DeleteMarkerEntryTypeDef", etag: str, *, deleted: bool = False
) -> StoredVersion:
    return StoredVersion(
        bucket,
        entry["Key"],
        entry["VersionId"],
        etag.strip('"'),
        entry["LastModified"],
        entry["IsLatest"],
        deleted,
    )


def _keep(current: dict[str, StoredVersion], version: StoredVersion, moment: datetime | None) -> None:
    """Keep it if it is the newest of its key by then. S3 lists a key's versions newest first, which orders those of
    one second; between a version and a delete marker of one second the version counts, unless the marker is the last.
    """
    if not (version.latest if moment is None else version.at <= _whole(moment)):
        return
    kept = current.get(version.key)
    if kept is None or (version.at, version.latest) > (kept.at, kept.latest):
        current[version.key] = version


def _whole(moment: datetime) -> datetime:
    """The next whole second: what was put within a moment's own second counts as there."""
    return moment.replace(microsecond=0) + timedelta(seconds=1) if moment.microsecond else moment


def _there(current: Mapping[str, StoredVersion]) -> dict[str, StoredVersion]:
    return {key: version for key, version in current.items() if not version.deleted}


def _of_object(current: Mapping[str, StoredVersion], name: str) -> dict[str, StoredVersion]:
    return {key: version for key, version in current.items() if key == name or key.startswith(f"{name}/")}
