"""KMS keys as KMS tells them."""

import json
from typing import Any

import boto3
import pytest

from functional.aws_answers import Refusal
from functional.aws_in_order import KEY, KEY_METADATA, in_order
from functional.conftest import Account
from tunegate.job_facts import KeyFacts, Unknown
from tunegate.observe.keys import key_facts


@pytest.fixture
def kms(account: Account) -> Any:
    return boto3.client("kms")


def facts(kms: Any, key: str) -> KeyFacts:
    found = key_facts(kms, key)
    assert isinstance(found, KeyFacts)
    return found


def test_a_key_is_found_by_id_arn_and_alias(kms: Any) -> None:
    made = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/model", TargetKeyId=made["KeyId"])
    for name in (made["KeyId"], made["Arn"], "alias/model", made["Arn"].replace(f"key/{made['KeyId']}", "alias/model")):
        assert facts(kms, name).arn == made["Arn"]


def test_a_key_is_known_with_its_rotation_and_policy(kms: Any) -> None:
    allows = {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Sid": "Open"}
    made = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [allows]}))["KeyMetadata"]
    found = facts(kms, made["Arn"])
    assert (found.customer_managed, found.enabled, found.rotates) == (True, True, False)
    assert not isinstance(found.policy, Unknown)
    assert [statement.sid for statement in found.policy] == ["Open"]
    kms.enable_key_rotation(KeyId=made["KeyId"])
    assert facts(kms, made["Arn"]).rotates is True


@pytest.mark.parametrize("state", ["disable_key", "schedule_key_deletion"])
def test_a_key_that_cannot_be_used_is_not_enabled(kms: Any, state: str) -> None:
    made = kms.create_key()["KeyMetadata"]
    getattr(kms, state)(KeyId=made["KeyId"])
    assert not facts(kms, made["Arn"]).enabled


def test_there_may_be_no_such_key(kms: Any) -> None:
    assert key_facts(kms, "alias/none") is None
    assert key_facts(kms, KEY) is None


def test_a_key_of_aws_is_not_customer_managed() -> None:
    aws = in_order().but({("kms", "DescribeKey"): {"KeyMetadata": KEY_METADATA | {"KeyManager": "AWS"}}})
    assert not facts(aws.client("kms"), KEY).customer_managed


@pytest.mark.parametrize(("days", "rotates"), [(90, True), (365, True), (366, False), (2560, False)])
def test_a_key_rotates_where_it_does_so_every_year(days: int, rotates: bool) -> None:
    status = {"KeyRotationEnabled": True, "RotationPeriodInDays": days}
    assert facts(in_order().but({("kms", "GetKeyRotationStatus"): status}).client("kms"), KEY).rotates is rotates


def test_a_key_that_kms_cannot_rotate_does_not_rotate() -> None:
    # KMS API Reference, GetKeyRotationStatus: asymmetric keys, imported key material.
    aws = in_order().but({("kms", "GetKeyRotationStatus"): Refusal("UnsupportedOperationException")})
    assert facts(aws.client("kms"), KEY).rotates is False


def test_a_policy_that_cannot_be_read_leaves_the_rest_known() -> None:
    found = facts(in_order().but({("kms", "GetKeyPolicy"): {"Policy": "{"}}).client("kms"), KEY)
    assert isinstance(found.policy, Unknown)
    assert (found.policy.action, found.enabled, found.rotates) == ("kms:GetKeyPolicy", True, True)
