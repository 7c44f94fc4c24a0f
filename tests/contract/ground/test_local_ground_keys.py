"""KMS: a key's policy is what lets anybody at it, IAM only where the policy says so, and a grant besides both."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contract.emulator import Emulator
from tunegate_local.emulator import ACCOUNT_ID

ACCOUNT = {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}


def allow(principal: Any, *actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": "*", **more}


def key(emulator: Emulator, *statements: dict[str, Any]) -> str:
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    arn: str = emulator.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
    return arn


def is_denied(call: Any, **named: Any) -> bool:
    try:
        call(**named)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return True
    return False


def test_iam_alone_does_not_open_a_key_whose_policy_does_not_name_the_account(emulator: Emulator) -> None:
    role, named = emulator.role("kms-everything", "kms:*"), emulator.role("kms-nothing")
    closed = key(emulator, allow({"AWS": named}, "kms:DescribeKey"))
    opened = key(emulator, allow(ACCOUNT, "kms:*"))

    assert is_denied(emulator.client("kms", role).describe_key, KeyId=closed)
    assert not is_denied(emulator.client("kms", role).describe_key, KeyId=opened)
    # Whom the policy names needs no permission of IAM's.
    assert not is_denied(emulator.client("kms", named).describe_key, KeyId=closed)
    assert is_denied(emulator.client("kms", named).describe_key, KeyId=opened)


def test_a_policy_for_use_through_a_service_does_not_allow_direct_use(emulator: Emulator) -> None:
    role = emulator.role("through-s3", "s3:*", "kms:*")
    through = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com", "kms:CallerAccount": ACCOUNT_ID}}
    arn = key(emulator, allow(ACCOUNT, "kms:Describe*"), allow({"AWS": "*"}, "kms:GenerateDataKey", Condition=through))
    emulator.client("s3").create_bucket(Bucket="through-s3")

    assert is_denied(emulator.client("kms", role).generate_data_key, KeyId=arn, KeySpec="AES_256")
    emulator.client("s3", role).put_object(
        Bucket="through-s3", Key="a", Body=b"", ServerSideEncryption="aws:kms", SSEKMSKeyId=arn
    )


def test_a_policy_sees_the_encryption_context(emulator: Emulator) -> None:
    role = emulator.role("context", "kms:*")
    arn = key(emulator, allow(ACCOUNT, "kms:*", Condition={"StringEquals": {"kms:EncryptionContext:for": "ledger"}}))
    kms = emulator.client("kms", role)

    assert not is_denied(kms.encrypt, KeyId=arn, Plaintext=b"x", EncryptionContext={"for": "ledger"})
    assert is_denied(kms.encrypt, KeyId=arn, Plaintext=b"x", EncryptionContext={"for": "else"})
    assert is_denied(kms.encrypt, KeyId=arn, Plaintext=b"x")


def test_a_key_named_by_its_alias_is_asked_about_as_itself(emulator: Emulator) -> None:
    arn = key(emulator, allow(ACCOUNT, "kms:*"))
    emulator.client("kms").create_alias(AliasName="alias/asked", TargetKeyId=arn)
    role = emulator.role("by-alias")
    iam = emulator.client("iam")
    of_key = {"Effect": "Allow", "Action": "kms:DescribeKey", "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [of_key]})
    iam.put_role_policy(RoleName="by-alias", PolicyName="of-key", PolicyDocument=document)

    described = emulator.client("kms", role).describe_key(KeyId="alias/asked")["KeyMetadata"]
    assert described["Arn"] == arn


def test_a_grant_lets_its_grantee_use_the_key_until_it_is_revoked(emulator: Emulator) -> None:
    kms, role = emulator.client("kms"), emulator.role("grantee")
    arn = key(emulator, allow(ACCOUNT, "kms:*"))
    grantee = emulator.client("kms", role)
    assert is_denied(grantee.generate_data_key, KeyId=arn, KeySpec="AES_256")

    grant = kms.create_grant(
        KeyId=arn,
        GranteePrincipal=role,
        Operations=["GenerateDataKey"],
        Constraints={"EncryptionContextSubset": {"for": "ledger"}},
    )["GrantId"]
    context = {"for": "ledger", "what": "row"}
    assert not is_denied(grantee.generate_data_key, KeyId=arn, KeySpec="AES_256", EncryptionContext=context)
    assert is_denied(grantee.generate_data_key, KeyId=arn, KeySpec="AES_256")
    assert is_denied(grantee.describe_key, KeyId=arn)
    [listed] = kms.list_grants(KeyId=arn, GranteePrincipal=role)["Grants"]
    assert (listed["GrantId"], listed["GranteePrincipal"], listed["Operations"]) == (grant, role, ["GenerateDataKey"])

    kms.revoke_grant(KeyId=arn, GrantId=grant)
    assert is_denied(grantee.generate_data_key, KeyId=arn, KeySpec="AES_256", EncryptionContext=context)
    assert kms.list_grants(KeyId=arn)["Grants"] == []


def test_a_grant_does_not_undo_a_deny(emulator: Emulator) -> None:
    role = emulator.role("denied-grantee")
    denied = {"Effect": "Deny", "Principal": {"AWS": role}, "Action": "kms:GenerateDataKey", "Resource": "*"}
    arn = key(emulator, allow(ACCOUNT, "kms:*"), denied)
    emulator.client("kms").create_grant(KeyId=arn, GranteePrincipal=role, Operations=["GenerateDataKey"])

    assert is_denied(emulator.client("kms", role).generate_data_key, KeyId=arn, KeySpec="AES_256")


def test_a_policy_decides_what_may_be_granted_to_whom(emulator: Emulator) -> None:
    role, grantee = emulator.role("granter", "kms:*"), emulator.role("someone")
    only = {"ForAllValues:StringEquals": {"kms:GrantOperations": ["Decrypt"]}}
    arn = key(emulator, allow(ACCOUNT, "kms:CreateGrant", Condition=only))
    for_aws = key(
        emulator, allow(ACCOUNT, "kms:CreateGrant", Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}})
    )
    kms = emulator.client("kms", role)

    assert not is_denied(kms.create_grant, KeyId=arn, GranteePrincipal=grantee, Operations=["Decrypt"])
    assert is_denied(kms.create_grant, KeyId=arn, GranteePrincipal=grantee, Operations=["Decrypt", "Encrypt"])
    assert is_denied(kms.create_grant, KeyId=for_aws, GranteePrincipal=grantee, Operations=["Decrypt"])


def test_a_key_tells_who_manages_it_and_whether_it_can_be_used(emulator: Emulator) -> None:
    kms = emulator.client("kms")
    arn = key(emulator, allow(ACCOUNT, "kms:*"))
    described = kms.describe_key(KeyId=arn)["KeyMetadata"]
    assert (described["KeyManager"], described["KeyState"], described["Enabled"]) == ("CUSTOMER", "Enabled", True)
    assert not described["MultiRegion"]

    assert not kms.get_key_rotation_status(KeyId=arn)["KeyRotationEnabled"]
    kms.enable_key_rotation(KeyId=arn, RotationPeriodInDays=180)
    rotation = kms.get_key_rotation_status(KeyId=arn)
    assert (rotation["KeyRotationEnabled"], rotation["RotationPeriodInDays"]) == (True, 180)
    kms.disable_key(KeyId=arn)
    disabled = kms.describe_key(KeyId=arn)["KeyMetadata"]
    assert (disabled["KeyState"], disabled["Enabled"]) == ("Disabled", False)
    kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_a_key_of_aws_is_there_when_it_is_asked_for(emulator: Emulator) -> None:
    kms = emulator.client("kms")
    described = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]

    assert (described["KeyManager"], described["KeyState"]) == ("AWS", "Enabled")
    assert kms.describe_key(KeyId=described["Arn"])["KeyMetadata"]["KeyManager"] == "AWS"
    assert kms.get_key_rotation_status(KeyId=described["Arn"])["KeyRotationEnabled"]
    policy = json.loads(kms.get_key_policy(KeyId=described["Arn"], PolicyName="default")["Policy"])
    assert policy["Statement"][0]["Condition"]["StringEquals"]["kms:ViaService"] == "s3.us-east-1.amazonaws.com"
    aliases = {alias["AliasName"]: alias for alias in kms.list_aliases()["Aliases"]}
    assert aliases["alias/aws/s3"]["TargetKeyId"] == described["KeyId"]
    with pytest.raises(ClientError, match="NotFoundException"):
        kms.describe_key(KeyId="alias/no-such-key")


def test_a_key_made_by_cloudformation_is_what_its_template_says(emulator: Emulator) -> None:
    policy = {"Version": "2012-10-17", "Statement": [allow(ACCOUNT, "kms:*")]}
    properties = {
        "Description": "models",
        "KeyPolicy": policy,
        "EnableKeyRotation": True,
        "RotationPeriodInDays": 200,
        "PendingWindowInDays": 7,
        "Tags": [{"Key": "for", "Value": "models"}],
    }
    alias = {"AliasName": "alias/models", "TargetKeyId": {"Ref": "Key"}}
    emulator.stack(
        "keys",
        {
            "Key": {"Type": "AWS::KMS::Key", "Properties": properties},
            "Alias": {"Type": "AWS::KMS::Alias", "Properties": alias},
        },
    )
    kms = emulator.client("kms")

    described = kms.describe_key(KeyId="alias/models")["KeyMetadata"]
    assert (described["Description"], described["Enabled"]) == ("models", True)
    assert json.loads(kms.get_key_policy(KeyId=described["Arn"], PolicyName="default")["Policy"]) == policy
    rotation = kms.get_key_rotation_status(KeyId=described["Arn"])
    assert (rotation["KeyRotationEnabled"], rotation["RotationPeriodInDays"]) == (True, 200)
    assert {"TagKey": "for", "TagValue": "models"} in kms.list_resource_tags(KeyId=described["Arn"])["Tags"]
