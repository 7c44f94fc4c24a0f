"""Buckets as S3 has them, with everything that protects them or does not."""

import json
from typing import Any

import pytest

from functional.aws_answers import Refusal
from functional.aws_in_order import BLOCKED, KEY, NO_HTTP, in_order
from functional.conftest import Account
from tunegate.job_facts import BucketFacts, Unknown
from tunegate.observe.buckets import bucket_facts


def facts(s3: Any, name: str = "approved") -> BucketFacts:
    found = bucket_facts(s3, name, protections=True)
    assert isinstance(found, BucketFacts)
    return found


def test_a_bare_bucket_has_no_protection(account: Account) -> None:
    account.s3.create_bucket(Bucket="bare")
    assert facts(account.s3, "bare") == BucketFacts("bare", "")


def test_a_bucket_is_told_with_its_protections(account: Account) -> None:
    s3 = account.s3
    s3.create_bucket(Bucket="kept", ObjectLockEnabledForBucket=True)
    s3.create_bucket(Bucket="access-logs", ACL="log-delivery-write")  # type: ignore[arg-type]
    rule: Any = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}
    s3.put_bucket_encryption(Bucket="kept", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_public_access_block(Bucket="kept", PublicAccessBlockConfiguration=BLOCKED)  # type: ignore[arg-type]
    s3.put_bucket_policy(Bucket="kept", Policy=json.dumps({"Version": "2012-10-17", "Statement": [NO_HTTP]}))
    s3.put_bucket_logging(
        Bucket="kept", BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "access-logs", "TargetPrefix": ""}}
    )
    s3.put_object_lock_configuration(
        Bucket="kept",
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
        },
    )
    found = facts(s3, "kept")
    assert not isinstance(found.policy, Unknown)
    assert [statement.effect for statement in found.policy] == ["Deny"]
    assert found == BucketFacts("kept", KEY, True, True, found.policy, "access-logs", sends_events=False, locked=True)


def test_there_may_be_no_such_bucket(account: Account) -> None:
    assert bucket_facts(account.s3, "none", protections=True) is None


def test_of_a_jobs_bucket_only_the_key_is_asked() -> None:
    aws = in_order()
    assert bucket_facts(aws.client("s3"), "approved", protections=False) == BucketFacts("approved", KEY)
    assert aws.asked == [("s3", "GetBucketEncryption")]


@pytest.mark.parametrize(
    ("default", "key"),
    [
        ({"SSEAlgorithm": "AES256"}, ""),
        ({"SSEAlgorithm": "aws:kms"}, ""),
        ({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:us-east-1:111122223333:alias/aws/s3"}, ""),
        ({"SSEAlgorithm": "aws:kms:dsse", "KMSMasterKeyID": KEY}, KEY),
        ({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/data"}, "alias/data"),
    ],
)
def test_only_a_key_of_ones_own_counts(default: dict[str, str], key: str) -> None:
    rules = [{"BucketKeyEnabled": True}, {"ApplyServerSideEncryptionByDefault": default}]
    encryption = {"ServerSideEncryptionConfiguration": {"Rules": rules}}
    assert facts(in_order().but({("s3", "GetBucketEncryption"): encryption}).client("s3")).key_arn == key


@pytest.mark.parametrize(
    ("operation", "code", "member", "value"),
    [
        ("GetBucketEncryption", "ServerSideEncryptionConfigurationNotFoundError", "key_arn", ""),
        ("GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration", "public_access_blocked", False),
        ("GetBucketPolicy", "NoSuchBucketPolicy", "policy", ()),
        ("GetObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "locked", False),
    ],
)
def test_a_protection_that_was_never_set_is_known_to_lack(operation: str, code: str, member: str, value: Any) -> None:
    found = facts(in_order().but({("s3", operation): Refusal(code, status=404)}).client("s3"))
    assert getattr(found, member) == value


@pytest.mark.parametrize("setting", BLOCKED)
def test_public_access_is_blocked_by_all_four_settings_only(setting: str) -> None:
    block = {"PublicAccessBlockConfiguration": BLOCKED | {setting: False}}
    found = facts(in_order().but({("s3", "GetPublicAccessBlock"): block}).client("s3"))
    assert found.public_access_blocked is False


@pytest.mark.parametrize(("notifications", "sends"), [({"EventBridgeConfiguration": {}}, True), ({}, False)])
def test_events_are_sent_where_eventbridge_is_configured(notifications: dict[str, Any], sends: bool) -> None:
    aws = in_order().but({("s3", "GetBucketNotificationConfiguration"): notifications})
    assert facts(aws.client("s3")).sends_events is sends


def test_a_lock_without_default_retention_keeps_nothing() -> None:
    lock = {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}
    assert facts(in_order().but({("s3", "GetObjectLockConfiguration"): lock}).client("s3")).locked is False


def test_suspended_versioning_keeps_no_versions() -> None:
    aws = in_order().but({("s3", "GetBucketVersioning"): {"Status": "Suspended"}})
    assert facts(aws.client("s3")).versioned is False


def test_one_protection_that_cannot_be_read_leaves_the_others_known() -> None:
    found = facts(in_order().but({("s3", "GetBucketPolicy"): Refusal("AccessDenied", status=403)}).client("s3"))
    assert found.policy == Unknown("s3:GetBucketPolicy", "approved", "AccessDenied")
    assert (found.key_arn, found.locked, found.sends_events) == (KEY, True, True)
