"""Buckets, and what protects them."""

from typing import TYPE_CHECKING

from tunegate.job_facts import BucketFacts, Document, Known
from tunegate.observe.documents import parse_document
from tunegate.observe.reads import answer_or, read, read_or, saying

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import LifecycleRuleOutputTypeDef

_AWS_KEY = "alias/aws/s3"


def bucket_facts(s3: "S3Client", name: str, *, protections: bool) -> Known[BucketFacts | None]:
    """A bucket's default key, and with `protections` all that guards it; None where there is no such bucket."""
    key_arn = _default_key(s3, name)
    if key_arn is None:
        return None
    if not protections:
        return BucketFacts(name, key_arn)
    return BucketFacts(
        name,
        key_arn,
        versioned=_versioned(s3, name),
        public_access_blocked=_public_access_blocked(s3, name),
        policy=_policy(s3, name),
        logs_to=_logs_to(s3, name),
        sends_events=_sends_events(s3, name),
        locked=_locked(s3, name),
        expires=_expires(s3, name),
    )


def _default_key(s3: "S3Client", name: str) -> Known[str | None]:
    """As it was put: an ARN, an id or an alias. Empty without a CMK, None without a bucket."""

    def ask() -> str:
        rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
        defaults = [rule.get("ApplyServerSideEncryptionByDefault") for rule in rules]
        keys = [d.get("KMSMasterKeyID", "") for d in defaults if d and d["SSEAlgorithm"].startswith("aws:kms")]
        return keys[0] if keys and not keys[0].endswith(_AWS_KEY) else ""

    # Since 2023 every bucket has a default encryption; one from before may still answer that it has none.
    none = saying("ServerSideEncryptionConfigurationNotFoundError")
    return read_or(
        "s3:GetEncryptionConfiguration", name, lambda: answer_or(ask, none, ""), saying("NoSuchBucket"), None
    )


def _versioned(s3: "S3Client", name: str) -> Known[bool]:
    return read(
        "s3:GetBucketVersioning", name, lambda: s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled"
    )


def _public_access_blocked(s3: "S3Client", name: str) -> Known[bool]:
    def ask() -> bool:
        block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        settings = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        return all(block.get(setting, False) for setting in settings)

    return read_or("s3:GetBucketPublicAccessBlock", name, ask, saying("NoSuchPublicAccessBlockConfiguration"), False)


def _policy(s3: "S3Client", name: str) -> Known[Document]:
    none: Document = ()
    return read_or(
        "s3:GetBucketPolicy",
        name,
        lambda: parse_document(s3.get_bucket_policy(Bucket=name)["Policy"]),
        saying("NoSuchBucketPolicy"),
        none,
    )


def _logs_to(s3: "S3Client", name: str) -> Known[str]:
    return read(
        "s3:GetBucketLogging",
        name,
        lambda: s3.get_bucket_logging(Bucket=name).get("LoggingEnabled", {}).get("TargetBucket", ""),
    )


def _sends_events(s3: "S3Client", name: str) -> Known[bool]:
    """S3 sends every event or none: the configuration for EventBridge is there, and empty, or is not there."""
    return read(
        "s3:GetBucketNotification",
        name,
        lambda: "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=name),
    )


def _locked(s3: "S3Client", name: str) -> Known[bool]:
    def ask() -> bool:
        lock = s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
        return lock.get("ObjectLockEnabled") == "Enabled" and "DefaultRetention" in lock.get("Rule", {})

    none = saying("ObjectLockConfigurationNotFoundError")
    return read_or("s3:GetBucketObjectLockConfiguration", name, ask, none, False)


def _expires(s3: "S3Client", name: str) -> Known[tuple[str, ...]]:
    def ask() -> tuple[str, ...]:
        rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
        return tuple(rule.get("ID", "") for rule in rules if rule["Status"] == "Enabled" and _takes_away(rule))

    nothing: tuple[str, ...] = ()
    return read_or("s3:GetLifecycleConfiguration", name, ask, saying("NoSuchLifecycleConfiguration"), nothing)


def _takes_away(rule: "LifecycleRuleOutputTypeDef") -> bool:
    expiration = rule.get("Expiration", {})
    return "Days" in expiration or "Date" in expiration
