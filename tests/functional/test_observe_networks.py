"""A job's subnets with everything their routes lead to, and their way to S3."""

import json
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from functional.aws_answers import Reply
from functional.aws_in_order import (
    ENDPOINT,
    FLOW_LOG,
    SUBNET,
    SUBNETS,
    TABLE,
    TO_S3,
    VPC,
    in_order,
    policy,
    route_table,
)
from functional.conftest import Account
from tunegate.job_facts import Network, Subnet, Unknown
from tunegate.observe.networks import flow_logs, network

READS = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::approved/*"}


@dataclass(frozen=True)
class Ground:
    """A VPC with one subnet, which has the main route table."""

    ec2: Any
    vpc: str
    subnet: str
    main: str

    def look(self, *more: str) -> Network:
        found = network(self.ec2, [self.subnet, *more])
        assert isinstance(found, Network)
        return found

    def only(self) -> Subnet:
        [subnet] = self.look().subnets
        return subnet

    def another_subnet(self) -> str:
        return str(self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.2.0/24")["Subnet"]["SubnetId"])


@pytest.fixture
def ground(account: Account) -> Ground:
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    return Ground(ec2, vpc, subnet, tables[0]["RouteTableId"])


def test_a_closed_subnet_leads_nowhere(ground: Ground) -> None:
    assert ground.only() == Subnet(ground.subnet, ground.vpc, ground.main)
    assert ground.look().dns_support is True


def test_a_subnet_without_a_table_of_its_own_has_the_vpcs(ground: Ground) -> None:
    gateway = ground.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ground.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=ground.vpc)
    ground.ec2.create_route(RouteTableId=ground.main, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    assert ground.only().targets == (gateway,)
    own = ground.ec2.create_route_table(VpcId=ground.vpc)["RouteTable"]["RouteTableId"]
    ground.ec2.associate_route_table(RouteTableId=own, SubnetId=ground.subnet)
    assert ground.only() == Subnet(ground.subnet, ground.vpc, own)


def test_each_subnet_is_told_by_its_own_table(ground: Ground) -> None:
    other = ground.another_subnet()
    own = ground.ec2.create_route_table(VpcId=ground.vpc)["RouteTable"]["RouteTableId"]
    ground.ec2.associate_route_table(RouteTableId=own, SubnetId=other)
    tables = {subnet.id: subnet.route_table for subnet in ground.look(other).subnets}
    assert tables == {ground.subnet: ground.main, other: own}


def test_the_gateway_endpoint_on_the_table_is_told_with_its_policy(ground: Ground) -> None:
    made = ground.ec2.create_vpc_endpoint(
        VpcId=ground.vpc,
        ServiceName="com.amazonaws.us-east-1.s3",
        VpcEndpointType="Gateway",
        RouteTableIds=[ground.main],
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [READS]}),
    )["VpcEndpoint"]["VpcEndpointId"]
    [endpoint] = ground.only().endpoints
    assert endpoint.id == made
    assert [statement.resources for statement in endpoint.policy] == [("arn:aws:s3:::approved/*",)]


def test_dns_may_be_off(ground: Ground) -> None:
    ground.ec2.modify_vpc_attribute(VpcId=ground.vpc, EnableDnsSupport={"Value": False})
    assert ground.look().dns_support is False


def test_a_subnet_that_is_not_there_leaves_no_network(ground: Ground) -> None:
    assert network(ground.ec2, [ground.subnet, "subnet-00000000000000000"]) is None


def test_without_subnets_there_is_no_network_rather_than_all_of_them(ground: Ground) -> None:
    assert network(ground.ec2, []) is None


def told(*routes: dict[str, Any]) -> tuple[str, ...]:
    """What the routes of the one subnet lead to."""
    aws = in_order().but({("ec2", "DescribeRouteTables"): {"RouteTables": [route_table(*routes)]}})
    found = network(aws.client("ec2"), [SUBNET])
    assert isinstance(found, Network)
    return found.subnets[0].targets


# One route of each kind of target: Amazon VPC user guide, "Example routing options".
@pytest.mark.parametrize(
    ("route", "target"),
    [
        ({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}, "igw-1"),
        ({"DestinationIpv6CidrBlock": "::/0", "GatewayId": "igw-1"}, "igw-1"),
        ({"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1"}, "eigw-1"),
        ({"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}, "nat-1"),
        ({"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "blackhole"}, "nat-1"),
        ({"DestinationCidrBlock": "10.1.0.0/16", "TransitGatewayId": "tgw-1"}, "tgw-1"),
        ({"DestinationCidrBlock": "10.1.0.0/16", "VpcPeeringConnectionId": "pcx-1"}, "pcx-1"),
        ({"DestinationCidrBlock": "10.1.0.0/16", "GatewayId": "vgw-1"}, "vgw-1"),
        ({"DestinationCidrBlock": "0.0.0.0/0", "NetworkInterfaceId": "eni-1"}, "eni-1"),
        ({"DestinationCidrBlock": "10.1.0.0/16", "CarrierGatewayId": "cagw-1"}, "cagw-1"),
        ({"DestinationCidrBlock": "10.1.0.0/16", "LocalGatewayId": "lgw-1"}, "lgw-1"),
        ({"DestinationCidrBlock": "10.1.0.0/16", "CoreNetworkArn": "arn:core"}, "arn:core"),
        (TO_S3, "vpce-0a"),
        ({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "vpce-2"}, "load-balancer:vpce-2"),
        ({"DestinationCidrBlock": "0.0.0.0/0", "State": "active"}, "unknown"),
    ],
)
def test_every_kind_of_target_is_told(route: dict[str, Any], target: str) -> None:
    assert told(route) == (target,)


def test_a_target_with_two_names_is_told_by_both() -> None:
    route = {"DestinationCidrBlock": "0.0.0.0/0", "InstanceId": "i-1", "NetworkInterfaceId": "eni-1"}
    assert told(route) == ("i-1", "eni-1")


@pytest.mark.parametrize(
    "other",
    [
        {"State": "pending"},
        {"VpcEndpointType": "Interface"},
        {"ServiceName": "com.amazonaws.us-east-1.dynamodb"},
        {"RouteTableIds": ["rtb-other"]},
    ],
)
def test_only_a_working_gateway_for_s3_on_the_table_counts(other: dict[str, Any]) -> None:
    aws = in_order().but({("ec2", "DescribeVpcEndpoints"): {"VpcEndpoints": [ENDPOINT | other]}})
    found = network(aws.client("ec2"), [SUBNET])
    assert isinstance(found, Network)
    assert found.subnets[0].endpoints == ()


@pytest.mark.parametrize("document", [None, "{", policy({"Effect": "Maybe"})])
def test_an_endpoint_whose_policy_cannot_be_read_is_unknown(document: str | None) -> None:
    endpoint = {name: value for name, value in ENDPOINT.items() if name != "PolicyDocument"}
    if document is not None:
        endpoint["PolicyDocument"] = document
    found = network(
        in_order().but({("ec2", "DescribeVpcEndpoints"): {"VpcEndpoints": [endpoint]}}).client("ec2"), [SUBNET]
    )
    assert isinstance(found, Unknown)
    assert found.action == "ec2:DescribeVpcEndpoints"


def test_a_subnet_whose_table_is_not_told_is_unknown() -> None:
    found = network(in_order().but({("ec2", "DescribeRouteTables"): {"RouteTables": []}}).client("ec2"), [SUBNET])
    assert found == Unknown("ec2:DescribeRouteTables", VPC, f"no route table could be found for {SUBNET}")


def test_a_subnet_left_out_of_the_answer_is_not_there() -> None:
    aws = in_order().but({("ec2", "DescribeSubnets"): SUBNETS})
    assert network(aws.client("ec2"), [SUBNET, "subnet-0b"]) is None


def test_tables_are_read_to_the_last_page() -> None:
    own = route_table({"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}, SubnetId=SUBNET)

    def page(params: Any) -> dict[str, Any]:
        if "NextToken" in params:
            return {"RouteTables": [own | {"RouteTableId": "rtb-own"}]}
        return {"RouteTables": [route_table()], "NextToken": "next"}

    found = network(in_order().but({("ec2", "DescribeRouteTables"): page}).client("ec2"), [SUBNET])
    assert isinstance(found, Network)
    assert (found.subnets[0].route_table, found.subnets[0].targets) == ("rtb-own", ("nat-1",))
    assert TABLE != "rtb-own"


@pytest.mark.parametrize(
    ("logs", "kept"),
    [
        ([FLOW_LOG], True),
        ([], False),
        ([FLOW_LOG | {"TrafficType": "REJECT"}], False),
        ([FLOW_LOG | {"FlowLogStatus": "INACTIVE"}], False),
        ([FLOW_LOG | {"DeliverLogsStatus": "FAILED"}], False),
        ([FLOW_LOG | {"TrafficType": "ACCEPT"}, FLOW_LOG], True),
    ],
)
def test_a_flow_log_must_record_everything_and_arrive(logs: list[dict[str, Any]], kept: bool) -> None:
    reply: Reply = {"FlowLogs": logs}
    assert flow_logs(in_order().but({("ec2", "DescribeFlowLogs"): reply}).client("ec2"), VPC) is kept


def test_flow_logs_are_those_of_the_vpc(ground: Ground) -> None:
    assert flow_logs(ground.ec2, ground.vpc) is False
    boto3.client("logs").create_log_group(logGroupName="flows")
    ground.ec2.create_flow_logs(
        ResourceIds=[ground.vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogGroupName="flows",
        DeliverLogsPermissionArn="arn:aws:iam::111122223333:role/flows",
    )
    assert flow_logs(ground.ec2, ground.vpc) is True
    assert flow_logs(ground.ec2, "vpc-00000000000000000") is False
