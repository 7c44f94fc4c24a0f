"""Model uploads that wait in intake: what lies below each prefix, and whether all of it has come."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from tunegate.errors import aws_call
from tunegate.model import ObjectVersion
from tunegate.model_rules import ModelRules
from tunegate.observe.objects import ObjectSource
from tunegate.scan.weights.manifest import MANIFEST_BYTES, Manifest, ManifestError, parse_manifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MOST_ON_ITS_WAY = timedelta(days=1)
"""A part upload begun longer ago than that is taken for one that was given up."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One version of one file of an upload; `size` in bytes.

    S3 dates an object that was put in parts by when that began (S3 user guide, "Working with object metadata"), which
    can be hours before it was there.
    """

    version: ObjectVersion
    size: int
    uploaded: datetime
    in_parts: bool = False


@dataclass(frozen=True, slots=True)
class ModelUpload:
    """Everything below one prefix. `replaced` are versions that a newer one, or a deletion, hides."""

    bucket: str
    prefix: str
    files: tuple[StoredFile, ...]
    replaced: tuple[StoredFile, ...]

    @property
    def subject(self) -> ObjectVersion:
        """What stands for the upload: its prefix, and the digest of its versions. Another version is another upload."""
        names = sorted(f"{version.key}\0{version.version_id}" for version in self.versions)
        digest = hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()
        return ObjectVersion(self.bucket, self.prefix, digest)

    @property
    def all_files(self) -> tuple[StoredFile, ...]:
        return (*self.files, *self.replaced)

    @property
    def versions(self) -> tuple[ObjectVersion, ...]:
        return tuple(file.version for file in self.all_files)

    @property
    def newest(self) -> datetime:
        return max(file.uploaded for file in self.all_files)

    def name_of(self, file: StoredFile) -> str:
        """A file's name in the upload; the object by which S3's console shows a folder is `/`."""
        return file.version.key.removeprefix(self.prefix) or "/"

    def named(self, name: str) -> StoredFile | None:
        return next((file for file in self.files if self.name_of(file) == name), None)


def model_uploads(s3: "S3Client", bucket: str, rules: ModelRules, below: str = "") -> Iterator[ModelUpload]:
    """Every upload that waits, or the one `below` a prefix, each with all its versions."""
    for prefix, found in groupby(_listed(s3, bucket, below or rules.prefix), lambda one: rules.upload_of(one[0])):
        if prefix is not None and below in ("", prefix):
            versions = list(found)
            files = tuple(file for _, file, current in versions if current)
            replaced = tuple(file for _, file, current in versions if not current)
            yield ModelUpload(bucket, prefix, files, replaced)


def is_on_its_way(s3: "S3Client", upload: ModelUpload, now: datetime) -> bool:
    """Whether a file of it is being put in parts, which S3 lists as a version only once it is all there."""
    newest = {file.version.key: file.uploaded for file in sorted(upload.all_files, key=lambda file: file.uploaded)}
    with aws_call("Listing what is being uploaded"):
        # What was broken off stays listed until S3 takes it away: it was begun anew since, or given up.
        return any(
            at > now - MOST_ON_ITS_WAY and (key not in newest or at > newest[key])
            for key, at in _being_put(s3, upload.bucket, upload.prefix)
        )


def _being_put(s3: "S3Client", bucket: str, prefix: str) -> Iterator[tuple[str, datetime]]:
    """The key of each part upload and when it began.

    XML does not hold every key that S3 takes; of this one listing the SDK leaves it to the caller to have them encoded.
    """
    key_marker = upload_marker = ""
    while True:
        page = s3.list_multipart_uploads(
            Bucket=bucket, Prefix=prefix, EncodingType="url", KeyMarker=key_marker, UploadIdMarker=upload_marker
        )
        decoded = unquote_plus if page.get("EncodingType") == "url" else str
        for part in page.get("Uploads", []):
            yield decoded(part["Key"]), part["Initiated"]
        if not page.get("IsTruncated"):
            return
        key_marker, upload_marker = decoded(page["NextKeyMarker"]), page["NextUploadIdMarker"]


def is_as_listed(s3: "S3Client", upload: ModelUpload, rules: ModelRules) -> bool:
    """Whether every file that its manifest lists is there, in the size it lists."""
    manifest = read_manifest(s3, upload, rules)
    if not isinstance(manifest, Manifest):
        return False
    sizes = {upload.name_of(file): file.size for file in upload.files}
    return all(sizes.get(entry.name) == entry.size for entry in manifest.files)


def read_manifest(s3: "S3Client", upload: ModelUpload, rules: ModelRules) -> Manifest | ManifestError | None:
    """The upload's manifest, what is wrong with it, or None where it has none."""
    file = upload.named(rules.manifest)
    if file is None:
        return None
    if file.size > MANIFEST_BYTES:
        return ManifestError(f"it is larger than {MANIFEST_BYTES} bytes")
    try:
        return parse_manifest(b"".join(ObjectSource(s3, file.version, file.size).chunks(0, file.size)))
    except ManifestError as error:
        return error


def _listed(s3: "S3Client", bucket: str, below: str) -> Iterator[tuple[str, StoredFile, bool]]:
    with aws_call("Listing what waits in intake"):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=below):
            for entry in page.get("Versions", []):
                version = ObjectVersion(bucket, entry["Key"], entry["VersionId"])
                # The ETag of an object that was put in parts ends in a hyphen and their number.
                file = StoredFile(version, entry["Size"], entry["LastModified"], "-" in entry["ETag"])
                yield entry["Key"], file, entry["IsLatest"]
