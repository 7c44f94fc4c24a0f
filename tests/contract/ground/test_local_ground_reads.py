"""Every read by which a job, a role, a key, a bucket or a network is judged: allowed by name, and denied by name.

What the gate may not read it must hold as unknown, so that one missing permission has to be seen as missing.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contract.emulator import Emulator
from tunegate_local.emulator import ACCOUNT_ID, REGION

NUMBERS = itertools.count()
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
NOTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "arn:aws:s3:::x?y=<&>"}],
}


@dataclass(frozen=True)
class Ground:
    """One of each thing that is read."""

    bucket: str
    key: str
    role: str
    policy: str
    trail: str
    rule: str
    vpc: str
    subnet: str


@dataclass(frozen=True)
class Read:
    """A call of the API with the IAM action it takes, and the resource AWS asks IAM about."""

    service: str
    method: str
    action: str
    parameters: Callable[[Ground], dict[str, Any]]
    resource: Callable[[Ground], str] = lambda _: "*"

    def __str__(self) -> str:
        return f"{self.service}.{self.method}"


def s3(method: str, action: str) -> Read:
    return Read("s3", method, f"s3:{action}", lambda g: {"Bucket": g.bucket}, lambda g: f"arn:aws:s3:::{g.bucket}")


def kms(method: str, action: str, **more: Any) -> Read:
    return Read("kms", method, f"kms:{action}", lambda g: {"KeyId": g.key, **more}, lambda g: g.key)


def iam(method: str, action: str, **more: Any) -> Read:
    return Read("iam", method, f"iam:{action}", lambda _: {"RoleName": "judged", **more}, lambda g: g.role)


def ec2(method: str, action: str, parameters: Callable[[Ground], dict[str, Any]] = lambda _: {}) -> Read:
    return Read("ec2", method, f"ec2:{action}", parameters)


def of_vpc(ground: Ground) -> dict[str, Any]:
    return {"Filters": [{"Name": "vpc-id", "Values": [ground.vpc]}]}


def trail(method: str, action: str, name: str) -> Read:
    return Read("cloudtrail", method, f"cloudtrail:{action}", lambda g: {name: g.trail}, lambda g: g.trail)


def rule(method: str, action: str, name: str) -> Read:
    return Read("events", method, f"events:{action}", lambda _: {name: "judged"}, lambda g: g.rule)


READS = (
    s3("get_bucket_encryption", "GetEncryptionConfiguration"),
    s3("get_bucket_versioning", "GetBucketVersioning"),
    s3("get_public_access_block", "GetBucketPublicAccessBlock"),
    s3("get_bucket_policy", "GetBucketPolicy"),
    s3("get_bucket_logging", "GetBucketLogging"),
    s3("get_bucket_ownership_controls", "GetBucketOwnershipControls"),
    s3("get_bucket_notification_configuration", "GetBucketNotification"),
    s3("get_object_lock_configuration", "GetBucketObjectLockConfiguration"),
    s3("list_object_versions", "ListBucketVersions"),
    kms("describe_key", "DescribeKey"),
    kms("get_key_policy", "GetKeyPolicy", PolicyName="default"),
    kms("get_key_rotation_status", "GetKeyRotationStatus"),
    kms("list_grants", "ListGrants"),
    Read("kms", "describe_key", "kms:DescribeKey", lambda _: {"KeyId": "alias/judged"}, lambda g: g.key),
    Read("kms", "list_aliases", "kms:ListAliases", lambda g: {"KeyId": g.key}),
    iam("get_role", "GetRole"),
    iam("list_attached_role_policies", "ListAttachedRolePolicies"),
    iam("list_role_policies", "ListRolePolicies"),
    iam("get_role_policy", "GetRolePolicy", PolicyName="inline"),
    Read("iam", "get_policy", "iam:GetPolicy", lambda g: {"PolicyArn": g.policy}, lambda g: g.policy),
    Read(
        "iam",
        "get_policy_version",
        "iam:GetPolicyVersion",
        lambda g: {"PolicyArn": g.policy, "VersionId": "v1"},
        lambda g: g.policy,
    ),
    ec2("describe_subnets", "DescribeSubnets", lambda g: {"SubnetIds": [g.subnet]}),
    ec2("describe_route_tables", "DescribeRouteTables", of_vpc),
    ec2("describe_vpc_endpoints", "DescribeVpcEndpoints", of_vpc),
    ec2("describe_security_groups", "DescribeSecurityGroups"),
    ec2("describe_flow_logs", "DescribeFlowLogs"),
    ec2("describe_vpcs", "DescribeVpcs", lambda g: {"VpcIds": [g.vpc]}),
    Read(
        "ec2",
        "describe_vpc_attribute",
        "ec2:DescribeVpcAttribute",
        lambda g: {"VpcId": g.vpc, "Attribute": "enableDnsSupport"},
        lambda g: f"arn:aws:ec2:{REGION}:{ACCOUNT_ID}:vpc/{g.vpc}",
    ),
    Read("cloudtrail", "describe_trails", "cloudtrail:DescribeTrails", lambda _: {}),
    Read("cloudtrail", "list_trails", "cloudtrail:ListTrails", lambda _: {}),
    trail("get_trail_status", "GetTrailStatus", "Name"),
    trail("get_event_selectors", "GetEventSelectors", "TrailName"),
    rule("describe_rule", "DescribeRule", "Name"),
    rule("list_targets_by_rule", "ListTargetsByRule", "Rule"),
    Read(
        "logs",
        "describe_log_groups",
        "logs:DescribeLogGroups",
        lambda _: {"logGroupNamePrefix": "/judged"},
        lambda _: f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:*",
    ),
    Read(
        "logs",
        "create_log_stream",
        "logs:CreateLogStream",
        lambda _: {"logGroupName": "/judged", "logStreamName": f"stream-{next(NUMBERS)}"},
        lambda _: f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:/judged:log-stream:stream-*",
    ),
    Read("macie2", "get_macie_session", "macie2:GetMacieSession", lambda _: {}),
)


@pytest.fixture(scope="module")
def ground(emulator: Emulator) -> Iterator[Ground]:
    admin = emulator.client
    key = admin("kms").create_key()["KeyMetadata"]["Arn"]
    admin("kms").create_alias(AliasName="alias/judged", TargetKeyId=key)
    admin("s3").create_bucket(Bucket="judged", ObjectLockEnabledForBucket=True)
    configure(admin("s3"), "judged", key)
    role = admin("iam").create_role(
        RoleName="judged",
        Path="/service/",
        AssumeRolePolicyDocument=json.dumps(TRUST),
        Tags=[{"Key": "k", "Value": "v"}],
    )["Role"]["Arn"]
    policy = admin("iam").create_policy(PolicyName="judged", PolicyDocument=json.dumps(NOTHING))["Policy"]["Arn"]
    admin("iam").put_role_policy(RoleName="judged", PolicyName="inline", PolicyDocument=json.dumps(NOTHING))
    admin("iam").attach_role_policy(RoleName="judged", PolicyArn=policy)
    trail = admin("cloudtrail").create_trail(Name="judged", S3BucketName="judged")["TrailARN"]
    admin("events").put_rule(Name="judged", EventPattern='{"source": ["aws.s3"]}')
    vpc = admin("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = admin("ec2").create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    admin("logs").create_log_group(logGroupName="/judged")
    admin("macie2").enable_macie()
    rule = f"arn:aws:events:{REGION}:{ACCOUNT_ID}:rule/judged"
    yield Ground("judged", key, role, policy, trail, rule, vpc, subnet)
    admin("macie2").disable_macie()
    admin("cloudtrail").delete_trail(Name="judged")


def configure(s3: Any, bucket: str, key: str) -> None:
    """Everything that is read of a bucket, so that no read ends for there being nothing to read."""
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    s3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
    )
    blocked = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(blocked, True))
    s3.put_bucket_logging(
        Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": "logs/"}}
    )
    s3.put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    s3.put_object_lock_configuration(
        Bucket=bucket,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}},
        },
    )
    nobody = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket", "Resource": f"arn:aws:s3:::{bucket}"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [nobody]}))


@pytest.fixture(scope="module")
def reader(emulator: Emulator) -> Callable[..., None]:
    """Gives the role `reader` other permissions, so that one role does for every test."""
    emulator.role("reader")
    iam = emulator.client("iam")

    def may(*statements: dict[str, Any]) -> None:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        iam.put_role_policy(RoleName="reader", PolicyName="may", PolicyDocument=json.dumps(document))

    return may


def error_of(emulator: Emulator, ground: Ground, read: Read, role: str | None) -> str:
    client = emulator.client(read.service, role)
    try:
        getattr(client, read.method)(**read.parameters(ground))
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


@pytest.mark.parametrize("read", READS, ids=str)
def test_a_read_needs_its_own_permission_on_its_own_resource(
    emulator: Emulator, ground: Ground, reader: Callable[..., None], read: Read
) -> None:
    role = f"arn:aws:iam::{ACCOUNT_ID}:role/reader"
    alone = {"Effect": "Allow", "Action": read.action, "Resource": read.resource(ground)}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}

    reader(alone)
    assert error_of(emulator, ground, read, role) == ""
    reader(everything, {**alone, "Effect": "Deny"})
    assert error_of(emulator, ground, read, role) in DENIED
    reader(everything | {"Action": "sns:*"})
    assert error_of(emulator, ground, read, role) in DENIED


@pytest.mark.parametrize("read", READS, ids=str)
def test_what_is_read_is_there(emulator: Emulator, ground: Ground, read: Read) -> None:
    assert error_of(emulator, ground, read, None) == ""


def test_a_role_is_described_with_its_trust_its_boundary_and_its_documents(emulator: Emulator, ground: Ground) -> None:
    iam = emulator.client("iam")
    iam.put_role_permissions_boundary(RoleName="judged", PermissionsBoundary=ground.policy)

    role = iam.get_role(RoleName="judged")["Role"]
    assert (role["Arn"], role["Path"]) == (f"arn:aws:iam::{ACCOUNT_ID}:role/service/judged", "/service/")
    assert role["AssumeRolePolicyDocument"] == TRUST
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == ground.policy
    assert role["Tags"] == [{"Key": "k", "Value": "v"}]
    assert iam.get_role_policy(RoleName="judged", PolicyName="inline")["PolicyDocument"] == NOTHING
    version = iam.get_policy(PolicyArn=ground.policy)["Policy"]["DefaultVersionId"]
    assert iam.get_policy_version(PolicyArn=ground.policy, VersionId=version)["PolicyVersion"]["Document"] == NOTHING


def test_a_bucket_tells_how_it_is_protected(emulator: Emulator, ground: Ground) -> None:
    s3 = emulator.client("s3")

    rules = s3.get_bucket_encryption(Bucket=ground.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": ground.key}
    assert s3.get_bucket_versioning(Bucket=ground.bucket)["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket=ground.bucket)["PublicAccessBlockConfiguration"].values())
    assert s3.get_bucket_logging(Bucket=ground.bucket)["LoggingEnabled"]["TargetPrefix"] == "logs/"
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=ground.bucket)
    lock = s3.get_object_lock_configuration(Bucket=ground.bucket)["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"] == {"Mode": "GOVERNANCE", "Days": 3}
    assert json.loads(s3.get_bucket_policy(Bucket=ground.bucket)["Policy"])["Statement"][0]["Effect"] == "Deny"


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("get_public_access_block", "NoSuchPublicAccessBlockConfiguration"),
        ("get_bucket_policy", "NoSuchBucketPolicy"),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
    ],
)
def test_a_bucket_says_what_it_lacks(emulator: Emulator, method: str, code: str) -> None:
    s3, name = emulator.client("s3"), f"bare-{method.replace('_', '-')}"
    s3.create_bucket(Bucket=name)
    s3.delete_public_access_block(Bucket=name)

    with pytest.raises(ClientError) as caught:
        getattr(s3, method)(Bucket=name)
    assert caught.value.response["Error"]["Code"] == code


def test_a_bucket_has_a_default_encryption_of_s3s_own(emulator: Emulator) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="bare")

    rules = s3.get_bucket_encryption(Bucket="bare")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
