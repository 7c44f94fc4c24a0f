"""The network of the job gate: what CloudFormation makes of it, what EC2 tells of it, and what policies see of it."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contract.emulator import Emulator
from tunegate_local.emulator import ACCOUNT_ID, REGION

S3 = f"com.amazonaws.{REGION}.s3"
S3_LIST = "pl-63a5400a"


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": ["arn:aws:s3:::named", "arn:aws:s3:::named/*"],
        },
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:role/favoured"},
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::favours/*",
        },
    ],
}
RESOURCES: dict[str, Any] = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.7.0.0/16", "EnableDnsHostnames": True}},
    "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": ref("Vpc"), "CidrBlock": "10.7.1.0/24"}},
    "Loose": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": ref("Vpc"), "CidrBlock": "10.7.2.0/24"}},
    "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": ref("Vpc")}},
    "Routes": {
        "Type": "AWS::EC2::SubnetRouteTableAssociation",
        "Properties": {"SubnetId": ref("Subnet"), "RouteTableId": ref("Table")},
    },
    "Gateway": {
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": {
            "VpcId": ref("Vpc"),
            "VpcEndpointType": "Gateway",
            "ServiceName": S3,
            "RouteTableIds": [ref("Table")],
            "PolicyDocument": POLICY,
        },
    },
    "Jobs": {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {
            "GroupDescription": "jobs",
            "VpcId": ref("Vpc"),
            "SecurityGroupEgress": [
                {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "DestinationPrefixListId": S3_LIST}
            ],
        },
    },
    "Rule": {
        "Type": "AWS::EC2::SecurityGroupIngress",
        "Properties": {
            "GroupId": ref("Jobs"),
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 443,
            "SourceSecurityGroupId": ref("Jobs"),
        },
    },
    "Runtime": {
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": {
            "VpcId": ref("Vpc"),
            "VpcEndpointType": "Interface",
            "ServiceName": f"com.amazonaws.{REGION}.bedrock-runtime",
            "SubnetIds": [ref("Subnet")],
            "SecurityGroupIds": [ref("Jobs")],
            "PrivateDnsEnabled": True,
        },
    },
    "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/flow"}},
    "FlowLog": {
        "Type": "AWS::EC2::FlowLog",
        "Properties": {
            "ResourceId": ref("Vpc"),
            "ResourceType": "VPC",
            "TrafficType": "ALL",
            "LogDestinationType": "cloud-watch-logs",
            "LogDestination": {"Fn::GetAtt": ["Logs", "Arn"]},
            "DeliverLogsPermissionArn": f"arn:aws:iam::{ACCOUNT_ID}:role/flow",
            "MaxAggregationInterval": 60,
        },
    },
}


@dataclass(frozen=True)
class Network:
    vpc: str
    subnet: str
    loose: str
    table: str
    gateway: str
    runtime: str
    group: str
    flow_log: str


@pytest.fixture(scope="module")
def network(emulator: Emulator) -> Network:
    emulator.stack("network", RESOURCES)
    described = emulator.client("cloudformation").describe_stack_resources(StackName="network")["StackResources"]
    ids = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in described}
    names = ("Vpc", "Subnet", "Loose", "Table", "Gateway", "Runtime", "Jobs", "FlowLog")
    return Network(*(ids[name] for name in names))


def through(endpoint: str, client: Any) -> Any:
    """The client, its requests coming through a VPC endpoint."""

    def add(request: Any, **_: Any) -> None:
        request.headers["x-tunegate-vpc-endpoint"] = endpoint

    client.meta.events.register("before-sign", add)
    return client


def is_denied(call: Any, **named: Any) -> bool:
    try:
        call(**named)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException"):
            raise
        return True
    return False


def test_endpoints_are_told_in_full_and_by_filter(emulator: Emulator, network: Network) -> None:
    ec2 = emulator.client("ec2")
    mine = [{"Name": "vpc-id", "Values": [network.vpc]}]
    found = {one["VpcEndpointId"]: one for one in ec2.describe_vpc_endpoints(Filters=mine)["VpcEndpoints"]}

    assert set(found) == {network.gateway, network.runtime}
    gateway, runtime = found[network.gateway], found[network.runtime]
    assert (gateway["VpcEndpointType"], gateway["ServiceName"], gateway["State"]) == ("Gateway", S3, "available")
    assert gateway["RouteTableIds"] == [network.table]
    assert json.loads(gateway["PolicyDocument"]) == POLICY
    assert runtime["SubnetIds"] == [network.subnet]
    assert [group["GroupId"] for group in runtime["Groups"]] == [network.group]
    assert runtime["PrivateDnsEnabled"]
    # An endpoint without a policy of its own lets everything through, and says so.
    assert json.loads(runtime["PolicyDocument"])["Statement"][0]["Action"] == "*"
    of_s3 = [*mine, {"Name": "service-name", "Values": [S3]}]
    assert [one["VpcEndpointId"] for one in ec2.describe_vpc_endpoints(Filters=of_s3)["VpcEndpoints"]] == [
        network.gateway
    ]
    elsewhere = [{"Name": "vpc-id", "Values": ["vpc-0"]}]
    assert ec2.describe_vpc_endpoints(Filters=elsewhere)["VpcEndpoints"] == []


def test_an_endpoint_made_by_the_api_keeps_its_policy(emulator: Emulator, network: Network) -> None:
    ec2 = emulator.client("ec2")
    made = ec2.create_vpc_endpoint(VpcId=network.vpc, ServiceName=S3, PolicyDocument=json.dumps(POLICY))["VpcEndpoint"]
    name = made["VpcEndpointId"]

    assert json.loads(made["PolicyDocument"]) == POLICY
    ec2.modify_vpc_endpoint(VpcEndpointId=name, ResetPolicy=True)
    [opened] = ec2.describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"]
    assert json.loads(opened["PolicyDocument"])["Statement"][0]["Action"] == "*"
    ec2.delete_vpc_endpoints(VpcEndpointIds=[name])
    with pytest.raises(ClientError, match=r"InvalidVpcEndpointId\.NotFound"):
        ec2.describe_vpc_endpoints(VpcEndpointIds=[name])


def test_a_route_table_shows_where_s3_is_reached(emulator: Emulator, network: Network) -> None:
    ec2 = emulator.client("ec2")
    of_subnet = [{"Name": "association.subnet-id", "Values": [network.subnet]}]
    [table] = ec2.describe_route_tables(Filters=of_subnet)["RouteTables"]

    assert table["RouteTableId"] == network.table
    assert {route.get("DestinationPrefixListId"): route["GatewayId"] for route in table["Routes"]} == {
        None: "local",
        S3_LIST: network.gateway,
    }
    assert ec2.describe_prefix_lists(PrefixListIds=[S3_LIST])["PrefixLists"][0]["PrefixListName"] == S3
    # A subnet without an association of its own uses the VPC's main table.
    of_loose = [{"Name": "association.subnet-id", "Values": [network.loose]}]
    assert ec2.describe_route_tables(Filters=of_loose)["RouteTables"] == []
    main = [{"Name": "vpc-id", "Values": [network.vpc]}, {"Name": "association.main", "Values": ["true"]}]
    assert len(ec2.describe_route_tables(Filters=main)["RouteTables"]) == 1


def test_the_vpc_its_groups_and_its_flow_log_are_as_declared(emulator: Emulator, network: Network) -> None:
    ec2 = emulator.client("ec2")

    def dns(attribute: str) -> bool:
        answer = ec2.describe_vpc_attribute(VpcId=network.vpc, Attribute=attribute)
        return bool(answer[attribute[0].upper() + attribute[1:]]["Value"])

    assert dns("enableDnsSupport")
    assert dns("enableDnsHostnames")
    [group] = ec2.describe_security_groups(GroupIds=[network.group])["SecurityGroups"]
    assert [rule["PrefixListIds"] for rule in group["IpPermissionsEgress"]] == [[{"PrefixListId": S3_LIST}]]
    assert [rule["UserIdGroupPairs"][0]["GroupId"] for rule in group["IpPermissions"]] == [network.group]
    of_vpc = [{"Name": "resource-id", "Values": [network.vpc]}]
    [log] = ec2.describe_flow_logs(Filters=of_vpc)["FlowLogs"]
    assert (log["FlowLogId"], log["FlowLogStatus"], log["TrafficType"]) == (network.flow_log, "ACTIVE", "ALL")
    assert (log["LogGroupName"], log["MaxAggregationInterval"]) == ("/flow", 60)
    assert log["DeliverLogsPermissionArn"].endswith(":role/flow")


@pytest.fixture(scope="module")
def buckets(emulator: Emulator, network: Network) -> None:
    """Buckets that are only written to from the VPC, one named by its endpoint's policy, one only for some, one not."""
    for name in ("named", "favours", "unnamed"):
        emulator.client("s3").create_bucket(Bucket=name)
        emulator.deny(name, "s3:PutObject", {"StringNotEquals": {"aws:SourceVpc": network.vpc}})


@pytest.mark.usefixtures("buckets")
def test_a_policy_sees_the_vpc_a_request_comes_from(emulator: Emulator, network: Network) -> None:
    role = emulator.role("through", "s3:*")
    outside, inside = emulator.client("s3", role), through(network.gateway, emulator.client("s3", role))

    assert is_denied(outside.put_object, Bucket="named", Key="a", Body=b"")
    assert not is_denied(inside.put_object, Bucket="named", Key="a", Body=b"")


@pytest.mark.usefixtures("buckets")
def test_a_policy_sees_the_endpoint_a_request_comes_through(emulator: Emulator, network: Network) -> None:
    emulator.client("s3").create_bucket(Bucket="one-endpoint")
    emulator.deny("one-endpoint", "s3:PutObject", {"StringNotEquals": {"aws:SourceVpce": "vpce-another"}})
    role = emulator.role("through-another", "s3:*")

    assert is_denied(
        through(network.gateway, emulator.client("s3", role)).put_object, Bucket="one-endpoint", Key="a", Body=b""
    )


@pytest.mark.usefixtures("buckets")
def test_an_endpoints_policy_holds_for_whom_and_for_what_it_names(emulator: Emulator, network: Network) -> None:
    favoured, other = emulator.role("favoured", "s3:*"), emulator.role("not-favoured", "s3:*")

    def denied(role: str, bucket: str) -> bool:
        s3 = through(network.gateway, emulator.client("s3", role))
        return is_denied(s3.put_object, Bucket=bucket, Key="a", Body=b"")

    assert denied(favoured, "unnamed")
    assert not denied(favoured, "favours")
    assert denied(other, "favours")


@pytest.mark.usefixtures("buckets")
def test_an_endpoint_is_only_of_its_own_service(emulator: Emulator, network: Network) -> None:
    """What S3 asks of KMS comes from S3, and a request to another service does not come through S3's endpoint."""
    kms = emulator.client("kms")
    statements = [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "kms:GenerateDataKey",
            "Resource": "*",
            "Condition": {"Null": {"aws:SourceVpc": "false"}},
        },
    ]
    key = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))["KeyMetadata"]["Arn"]
    role = emulator.role("keyed-through", "s3:*", "kms:*")
    s3 = through(network.gateway, emulator.client("s3", role))

    encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    assert not is_denied(s3.put_object, Bucket="named", Key="b", Body=b"", **encrypted)
    assert not is_denied(
        through(network.gateway, emulator.client("kms", role)).generate_data_key, KeyId=key, KeySpec="AES_256"
    )
