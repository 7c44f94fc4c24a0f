"""Object versions in S3, read into plain facts and bytes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tunegate.errors import PermanentError, aws_call, error_code
from tunegate.facts import Encryption
from tunegate.model import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

WINDOW_BYTES = 8 * 1024 * 1024
"""The largest ranged GET: a failed one costs little to repeat, and it bounds what a scan holds in memory."""
FIRST_WINDOW_BYTES = 1024 * 1024 + 64 * 1024
"""The first one: a shard of the default size and the end of its last record, so that few bytes are read twice."""

_GONE = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})


class GoneError(PermanentError):
    """The object version is not there."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What HEAD says of a version: size in bytes, and how it is encrypted."""

    size: int
    encryption: Encryption


def head(s3: "S3Client", version: ObjectVersion) -> "HeadObjectOutputTypeDef":
    """HEAD with checksums. Raises `GoneError` for a version that is not there."""
    with aws_call("Reading the object's facts"):
        try:
            return s3.head_object(
                Bucket=version.bucket, Key=version.key, VersionId=version.version_id, ChecksumMode="ENABLED"
            )
        except ClientError as error:
            if error_code(error) in _GONE:
                raise GoneError("the version is no longer in its bucket") from None
            raise


def stored_object(s3: "S3Client", version: ObjectVersion) -> StoredObject:
    answer = head(s3, version)
    encryption = Encryption(answer.get("ServerSideEncryption"), answer.get("SSEKMSKeyId"))
    return StoredObject(answer["ContentLength"], encryption)


class ObjectSource:
    """The bytes of one object version, by ranged reads of that version only."""

    def __init__(self, s3: "S3Client", version: ObjectVersion, size: int) -> None:
        self._s3 = s3
        self._version = version
        self.size = size

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        window = FIRST_WINDOW_BYTES
        while start < end:
            stop = min(start + window, end)
            yield self._read(start, stop)
            start, window = stop, min(window * 2, WINDOW_BYTES)

    def _read(self, start: int, end: int) -> bytes:
        with aws_call("Reading the object"):
            answer = self._s3.get_object(
                Bucket=self._version.bucket,
                Key=self._version.key,
                VersionId=self._version.version_id,
                Range=f"bytes={start}-{end - 1}",
            )
            return answer["Body"].read()
