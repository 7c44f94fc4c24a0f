"""Moving one object version out of intake, in steps that each can be repeated from any point.

A copy is made under a verdict nobody may read by, compared with its source, and only then given its verdict.
The source is removed last. Between any two steps the bytes exist, and none is readable that should not be.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from boto3.s3.transfer import TransferConfig

from tunegate.act.tags import SETTLING, Tag, encode, final_tags, ordering, settling_tags
from tunegate.errors import PermanentError, aws_call
from tunegate.model import ObjectVersion, Verdict
from tunegate.observe.objects import GoneError, ObjectSource, head

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

LARGEST_COPY_BYTES = 5 * 1024**3
"""CopyObject's limit; beyond it a copy is made of parts (Amazon S3 user guide, "Copying objects")."""
_TRANSFER = TransferConfig(multipart_threshold=LARGEST_COPY_BYTES, multipart_chunksize=512 * 1024**2, max_concurrency=8)
_CHECKSUMS = ("ChecksumCRC64NVME", "ChecksumSHA256", "ChecksumCRC32C", "ChecksumCRC32", "ChecksumSHA1")
_CARRIED = ("ContentType", "ContentEncoding", "ContentLanguage", "ContentDisposition", "CacheControl", "Metadata")
_CLOCK_STEP = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Upload:
    """An object version on its way, with its place among the uploads of its key: S3's event sequencer.

    `origin` is the version id it was uploaded under, where that is no longer its own, as after quarantine.
    """

    version: ObjectVersion
    order: str
    origin: str = ""

    @property
    def source(self) -> str:
        """The version id of the upload: what a copy's tag names."""
        return self.origin or self.version.version_id


@dataclass(frozen=True, slots=True)
class Destination:
    """A bucket and the key its objects are encrypted with. `ranked`: the newest upload must be the current object."""

    bucket: str
    kms_key: str
    ranked: bool


@dataclass(frozen=True, slots=True)
class Copy:
    """A version of a destination object, with the tags that say where it came from and what it may be used for."""

    version: ObjectVersion
    is_latest: bool
    tags: dict[str, str]


def settle(s3: "S3Client", upload: Upload, to: Destination, verdict: Verdict, policy_digest: str) -> ObjectVersion:
    """Bring an upload where its verdict belongs and remove it from where it was. Returns the version it now is."""
    placed = place(s3, upload, to, verdict, policy_digest)
    with aws_call("Removing the settled version from intake"):
        source = upload.version
        s3.delete_object(Bucket=source.bucket, Key=source.key, VersionId=source.version_id)
    return placed


def place(s3: "S3Client", upload: Upload, to: Destination, verdict: Verdict, policy_digest: str) -> ObjectVersion:
    """Have a verified, tagged copy of the upload in `to`, made now or by an earlier try."""
    try:
        source = head(s3, upload.version)
    except GoneError:
        return _already_placed(s3, upload, to, verdict)
    # Copies of this upload and of newer ones were made after it was put. When a moved one was, we no longer know.
    since = None if upload.origin else source["LastModified"]
    copy = _copy_of(s3, upload, to, since) or _make_copy(s3, upload, to, source)
    _verify(s3, upload.version, copy, source)
    _tag(s3, copy, final_tags(upload.source, upload.order, verdict, policy_digest))
    if to.ranked:
        keep_newest_current(s3, to, upload.version.key, since)
    return copy


def placed(s3: "S3Client", version: ObjectVersion, bucket: str, verdict: Verdict) -> ObjectVersion | None:
    """The copy in `bucket` of an upload that has left intake with this verdict; None while it is in intake."""
    if is_there(s3, version):
        return None
    copies = _copies_of(s3, bucket, version.key, version.version_id)
    return next((copy.version for copy in copies if copy.tags.get(Tag.VERDICT) == verdict), None)


def withdraw(s3: "S3Client", version: ObjectVersion, bucket: str, verdict: Verdict) -> None:
    """Make every copy of an upload in `bucket` unreadable by giving it another verdict.

    Looks again until it finds none to change: one may be brought forward meanwhile.
    """
    while copies := [
        copy
        for copy in _copies_of(s3, bucket, version.key, version.version_id)
        if copy.tags.get(Tag.VERDICT) != verdict
    ]:
        for copy in copies:
            _tag(s3, copy.version, copy.tags | {Tag.VERDICT: verdict.value})


def keep_newest_current(s3: "S3Client", to: Destination, key: str, since: datetime | None) -> None:
    """Make the newest clean upload of a key its current object again, if a later copy of an older one hides it.

    Whoever writes last also looks last: S3 lists what was written before, so the loop of the last writer ends with
    the newest current, whatever the order in which scans end. No lock is needed.
    """
    while True:
        copies = copies_in(s3, to.bucket, key, since)
        clean = [copy for copy in copies if copy.tags.get(Tag.VERDICT) == Verdict.CLEAN]
        newest = max(clean, key=lambda copy: ordering(copy.tags), default=None)
        current = next((copy for copy in copies if copy.is_latest), None)
        if newest is None or current is None or ordering(current.tags) > ordering(newest.tags):
            return
        if current in clean and ordering(current.tags) == ordering(newest.tags):
            return
        _bring_forward(s3, newest, to)


def _bring_forward(s3: "S3Client", newest: Copy, to: Destination) -> None:
    """Copy a version on top of its key, with the tags that its original has then: they may change meanwhile."""
    facts = head(s3, newest.version)
    with aws_call("Restoring the newest clean version"):
        _copy(s3, newest.version, to, newest.tags | {Tag.VERDICT: SETTLING}, facts)
        made = _copies_of(s3, to.bucket, newest.version.key, newest.tags[Tag.SOURCE])[0]
        while (tags := _tags(s3, newest.version)) != _tags(s3, made.version):
            _tag(s3, made.version, tags)


def copies_in(s3: "S3Client", bucket: str, key: str, since: datetime | None = None) -> list[Copy]:
    """The versions of one key, newest first, from one clock step before `since`: older ones cannot be copies of it."""
    with aws_call("Listing the versions of an object"):
        return list(_versions(s3, bucket, key, since))


def _versions(s3: "S3Client", bucket: str, key: str, since: datetime | None) -> Iterator[Copy]:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
        for entry in page.get("Versions", []):
            if entry["Key"] != key:
                # Keys come in order, so the first that is longer ends the versions of this one.
                return
            if since is not None and entry["LastModified"] < since - _CLOCK_STEP:
                return
            version = ObjectVersion(bucket, key, entry["VersionId"])
            yield Copy(version, entry["IsLatest"], _tags(s3, version))


def is_there(s3: "S3Client", version: ObjectVersion) -> bool:
    """Whether a bucket still holds a version, whatever a delete marker hides."""
    with aws_call("Listing the versions of an object"):
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=version.bucket, Prefix=version.key)
        return any(
            (entry["Key"], entry["VersionId"]) == (version.key, version.version_id)
            for page in pages
            for entry in page.get("Versions", [])
        )


def _tags(s3: "S3Client", version: ObjectVersion) -> dict[str, str]:
    answer = s3.get_object_tagging(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
    return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}


def _copies_of(s3: "S3Client", bucket: str, key: str, source: str, since: datetime | None = None) -> list[Copy]:
    """The copies of one upload, newest first; `source` is the version id it was uploaded under."""
    return [copy for copy in copies_in(s3, bucket, key, since) if copy.tags.get(Tag.SOURCE) == source]


def _copy_of(s3: "S3Client", upload: Upload, to: Destination, since: datetime | None) -> ObjectVersion | None:
    copies = _copies_of(s3, to.bucket, upload.version.key, upload.source, since)
    return copies[0].version if copies else None


def _already_placed(s3: "S3Client", upload: Upload, to: Destination, verdict: Verdict) -> ObjectVersion:
    for copy in _copies_of(s3, to.bucket, upload.version.key, upload.source):
        if copy.tags.get(Tag.VERDICT) == verdict:
            return copy.version
    raise GoneError("the version left intake before it was settled")


def _make_copy(s3: "S3Client", upload: Upload, to: Destination, source: "HeadObjectOutputTypeDef") -> ObjectVersion:
    with aws_call("Copying the scanned version"):
        _copy(s3, upload.version, to, settling_tags(upload.source, upload.order), source)
    copy = _copy_of(s3, upload, to, source["LastModified"])
    if copy is None:
        raise PermanentError("the copy of the scanned version was not found after it was made")
    return copy


def _copy(
    s3: "S3Client", source: ObjectVersion, to: Destination, tags: dict[str, str], of: "HeadObjectOutputTypeDef"
) -> None:
    carried: dict[str, Any] = {name: of[name] for name in _CARRIED if of.get(name)}  # type: ignore[literal-required]
    s3.copy(
        CopySource={"Bucket": source.bucket, "Key": source.key, "VersionId": source.version_id},
        Bucket=to.bucket,
        Key=source.key,
        ExtraArgs={
            **carried,
            "MetadataDirective": "REPLACE",
            "TaggingDirective": "REPLACE",
            "Tagging": encode(tags),
            "ServerSideEncryption": "aws:kms",
            "SSEKMSKeyId": to.kms_key,
        },
        Config=_TRANSFER,
    )


def _verify(s3: "S3Client", source: ObjectVersion, copy: ObjectVersion, facts: "HeadObjectOutputTypeDef") -> None:
    copied = head(s3, copy)
    if copied["ContentLength"] != facts["ContentLength"]:
        raise PermanentError("the copy differs from the scanned version in size")
    if not _same_checksum(facts, copied) and _sha256(s3, source, facts) != _sha256(s3, copy, copied):
        raise PermanentError("the copy differs from the scanned version in content")


def _same_checksum(one: "HeadObjectOutputTypeDef", other: "HeadObjectOutputTypeDef") -> bool:
    """Whether S3's own full-object checksums say so; composite ones depend on the parts and cannot be compared."""
    if one.get("ChecksumType") != "FULL_OBJECT" or other.get("ChecksumType") != "FULL_OBJECT":
        return False
    shared = [name for name in _CHECKSUMS if one.get(name) and other.get(name)]
    return bool(shared) and all(one[name] == other[name] for name in shared)  # type: ignore[literal-required]


def _sha256(s3: "S3Client", version: ObjectVersion, facts: "HeadObjectOutputTypeDef") -> str:
    digest = hashlib.sha256()
    size = facts["ContentLength"]
    for chunk in ObjectSource(s3, version, size).chunks(0, size):
        digest.update(chunk)
    return digest.hexdigest()


def _tag(s3: "S3Client", version: ObjectVersion, tags: dict[str, str]) -> None:
    with aws_call("Tagging the copy with its verdict"):
        s3.put_object_tagging(
            Bucket=version.bucket,
            Key=version.key,
            VersionId=version.version_id,
            Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]},
        )
