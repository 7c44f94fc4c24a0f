"""The policy in force, and the one a scan began under."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tunegate.errors import PermanentError, aws_call, error_code
from tunegate.policy import Policy, PolicyError, default_policy, parse_policy

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CURRENT_KEY = "accepted/current.json"


def key_of(digest: str) -> str:
    """Where an accepted policy document stays readable by its digest, for scans that began under it."""
    return f"accepted/{digest}.json"


def current_policy(s3: "S3Client", bucket: str) -> Policy:
    """The policy last accepted, or the shipped one where none was yet."""
    document = _read(s3, bucket, CURRENT_KEY)
    return default_policy() if document is None else _parse(document)


def policy_by_digest(s3: "S3Client", bucket: str, digest: str) -> Policy:
    """The very policy of that digest. Raises `PermanentError` where it cannot be had."""
    shipped = default_policy()
    if shipped.digest == digest:
        return shipped
    document = _read(s3, bucket, key_of(digest))
    if document is None:
        raise PermanentError("the policy this scan began under is no longer stored")
    policy = _parse(document)
    if policy.digest != digest:
        raise PermanentError("the stored policy is not the one this scan began under")
    return policy


def _read(s3: "S3Client", bucket: str, key: str) -> bytes | None:
    with aws_call("Reading the policy"):
        try:
            return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error_code(error) == "NoSuchKey":
                return None
            raise


def _parse(document: bytes) -> Policy:
    try:
        return parse_policy(document)
    except PolicyError as error:
        raise PermanentError(f"the stored policy is broken: {error}") from None
