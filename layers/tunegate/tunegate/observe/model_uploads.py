"""Model uploads that wait in intake: what lies below each prefix, and whether all of it has come."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from tunegate.errors import aws_call
from tunegate.model import ObjectVersion
from tunegate.model_rules import ModelRules
from tunegate.observe.objects import ObjectSource
from tunegate.scan.weights.manifest import MANIFEST_BYTES, Manifest, ManifestError, parse_manifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One version of one file of an upload; `size` in bytes."""

    version: ObjectVersion
    size: int
    uploaded: datetime


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
    def versions(self) -> tuple[ObjectVersion, ...]:
        return tuple(file.version for file in (*self.files, *self.replaced))

    @property
    def newest(self) -> datetime:
        return max(file.uploaded for file in (*self.files, *self.replaced))

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


def is_complete(s3: "S3Client", upload: ModelUpload, rules: ModelRules, now: datetime) -> bool:
    """Whether its manifest's files are all there, or nothing was added for as long as the policy says."""
    if upload.newest <= now - timedelta(seconds=rules.quiet_seconds):
        return True
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
                yield entry["Key"], StoredFile(version, entry["Size"], entry["LastModified"]), entry["IsLatest"]
