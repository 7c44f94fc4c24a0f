"""Jobs in a VPC: their network interface, what the role needs for it, and the way to S3."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from contract.bedrock.test_local_bedrock_models import importing
from contract.bedrock.world import Account, allow, until
from tunegate_local.emulator import ACCOUNT_ID, REGION
from tunegate_local.services.bedrock.data import Data
from tunegate_local.services.bedrock.roles import Session

EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT_ID}"
DESCRIBE = [f"ec2:Describe{what}" for what in ("NetworkInterfaces", "Vpcs", "DhcpOptions", "Subnets", "SecurityGroups")]


@dataclass(frozen=True)
class Network:
    """A VPC with one subnet, and nothing that leads out of it."""

    vpc: str
    subnet: str
    group: str
    route_table: str

    @property
    def config(self) -> dict[str, Any]:
        return {"subnetIds": [self.subnet], "securityGroupIds": [self.group]}


def network(account: Account) -> Network:
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    group = ec2.create_security_group(GroupName=f"jobs-{vpc}", Description="jobs", VpcId=vpc)["GroupId"]
    return Network(vpc, subnet, group, table)


def gateway(account: Account, vpc: str, tables: list[str], service: str = "s3") -> str:
    """A gateway endpoint."""
    answer = account.client("ec2").create_vpc_endpoint(
        VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.{service}", VpcEndpointType="Gateway", RouteTableIds=tables
    )
    endpoint: str = answer["VpcEndpoint"]["VpcEndpointId"]
    return endpoint


def documented(place: Network, tag: str = "BedrockModelCustomizationJobArn", job: str = "*") -> list[dict[str, Any]]:
    """What AWS tells one to allow the role: custom-model-job-access-security in Bedrock's user guide."""
    subnet, group = f"{EC2}:subnet/{place.subnet}", f"{EC2}:security-group/{place.group}"
    every = f"{EC2}:network-interface/*"
    asked = {"StringEquals": {"aws:RequestTag/BedrockManaged": ["true"]}, "ArnLike": {f"aws:RequestTag/{tag}": [job]}}
    own = {"StringEquals": {"ec2:Subnet": [subnet]}, "ArnLike": {f"ec2:ResourceTag/{tag}": [job]}}
    changed = ["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface"]
    tagging = {
        "StringEquals": {"ec2:CreateAction": ["CreateNetworkInterface"]},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["BedrockManaged", tag]},
    }
    return [
        allow("s3:*"),
        allow(DESCRIBE),
        allow("ec2:CreateNetworkInterface", every, Condition=asked),
        allow("ec2:CreateNetworkInterface", [subnet, group]),
        allow([*changed, "ec2:DeleteNetworkInterfacePermission"], every, Condition=own),
        allow("ec2:CreateTags", every, Condition=tagging),
    ]


def interfaces(account: Account, subnet: str) -> list[dict[str, Any]]:
    found = account.client("ec2").describe_network_interfaces()["NetworkInterfaces"]
    return [interface for interface in found if interface["SubnetId"] == subnet]


class TestInterface:
    def test_is_there_while_the_job_runs_and_names_it(self, account: Account, slowly: None) -> None:
        place = network(account)
        gateway(account, place.vpc, [place.route_table])
        jobs = f"arn:aws:bedrock:{REGION}:{ACCOUNT_ID}:model-customization-job/*"
        arn = account.job(account.service_role(*documented(place, job=jobs)), vpcConfig=place.config)

        [interface] = until(lambda: interfaces(account, place.subnet), bool)
        assert {tag["Key"]: tag["Value"] for tag in interface["TagSet"]} == {
            "BedrockManaged": "true",
            "BedrockModelCustomizationJobArn": arn,
        }
        assert [group["GroupId"] for group in interface["Groups"]] == [place.group]
        job = account.ended(arn)
        assert (job["status"], job["vpcConfig"]) == ("Completed", place.config)
        until(lambda: interfaces(account, place.subnet), lambda found: not found)

    def test_an_import_job_has_one_too(self, account: Account, slowly: None) -> None:
        place = network(account)
        gateway(account, place.vpc, [place.route_table])
        role = account.service_role(*documented(place, "BedrockModelImportJobArn"), kind="model-import-job")
        request = importing(account, roleArn=role, vpcConfig=place.config)
        arn = account.bedrock("CreateModelImportJob", **request)["jobArn"]

        [interface] = until(lambda: interfaces(account, place.subnet), bool)
        assert {"Key": "BedrockModelImportJobArn", "Value": arn} in interface["TagSet"]
        job = until(
            lambda: account.bedrock("GetModelImportJob", jobIdentifier=arn), lambda job: job["status"] != "InProgress"
        )
        assert (job["status"], job["vpcConfig"]) == ("Completed", place.config)

    @pytest.mark.parametrize("left_out", range(1, 6))
    def test_needs_every_permission_aws_documents(self, account: Account, left_out: int) -> None:
        place = network(account)
        gateway(account, place.vpc, [place.route_table])
        statements = documented(place)
        left = statements.pop(left_out)
        job = account.ended(account.job(account.service_role(*statements), vpcConfig=place.config))

        assert job["status"] == "Failed"
        actions = left["Action"] if isinstance(left["Action"], list) else [left["Action"]]
        assert any(action in job["failureMessage"] for action in actions)


class TestWayToS3:
    @pytest.mark.parametrize("where", ["no endpoint", "another service's", "another route table's", "another VPC's"])
    def test_a_job_without_one_fails(self, account: Account, where: str) -> None:
        place, other = network(account), network(account)
        match where:
            case "another service's":
                gateway(account, place.vpc, [place.route_table], "dynamodb")
            case "another route table's":
                unused = account.client("ec2").create_route_table(VpcId=place.vpc)["RouteTable"]["RouteTableId"]
                gateway(account, place.vpc, [unused])
            case "another VPC's":
                gateway(account, other.vpc, [other.route_table])
        job = account.ended(account.job(account.service_role(*documented(place)), vpcConfig=place.config))
        assert job["status"] == "Failed"
        assert "Could not connect to Amazon S3" in job["failureMessage"]

    def test_the_main_route_table_counts_for_a_subnet_without_its_own(self, account: Account) -> None:
        ec2, place = account.client("ec2"), network(account)
        subnet = ec2.create_subnet(VpcId=place.vpc, CidrBlock="10.1.2.0/24")["Subnet"]["SubnetId"]
        filters = [{"Name": "vpc-id", "Values": [place.vpc]}, {"Name": "association.main", "Values": ["true"]}]
        [main] = ec2.describe_route_tables(Filters=filters)["RouteTables"]
        gateway(account, place.vpc, [main["RouteTableId"]])
        place = Network(place.vpc, subnet, place.group, main["RouteTableId"])
        job = account.ended(account.job(account.service_role(*documented(place)), vpcConfig=place.config))
        assert job["status"] == "Completed"

    def test_buckets_know_which_endpoint_a_job_comes_through(self, account: Account) -> None:
        place, other = network(account), network(account)
        ours, theirs = (gateway(account, each.vpc, [each.route_table]) for each in (place, other))
        role = account.service_role(*documented(place))
        for endpoint, status in ((ours, "Completed"), (theirs, "Failed")):
            bucket, uri = account.data()
            account.emulator.deny(bucket, "s3:GetObject", {"StringNotEquals": {"aws:SourceVpce": endpoint}})
            request = {"trainingDataConfig": {"s3Uri": uri}}
            assert account.ended(account.job(role, vpcConfig=place.config, **request))["status"] == status
            assert account.ended(account.job(role, **request))["status"] == "Failed"

    def test_a_way_over_the_internet_is_one(self, account: Account) -> None:
        ec2, place = account.client("ec2"), network(account)
        nat = ec2.create_nat_gateway(SubnetId=place.subnet, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
        ec2.create_route(RouteTableId=place.route_table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
        job = account.ended(account.job(account.service_role(*documented(place)), vpcConfig=place.config))
        assert job["status"] == "Completed"


class TestEndpointHeader:
    """By this header the emulator knows which endpoint a request came through."""

    @pytest.fixture
    def seen(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str | None]]:
        headers: list[str | None] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                headers.append(self.headers.get("x-tunegate-vpc-endpoint"))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("GATEWAY_PORT", str(server.server_port))
        yield headers
        server.shutdown()
        server.server_close()

    @pytest.mark.parametrize("endpoint", ["vpce-0123456789abcdef0", None])
    def test_is_sent_by_jobs_in_a_vpc_only(self, seen: list[str | None], endpoint: str | None) -> None:
        session = Session("arn:aws:iam::111122223333:role/r", REGION, "ASIAEXAMPLE", "secret", "token")
        Data(session, endpoint).write("s3://bucket/prefix", "name", b"content")
        assert seen == [endpoint]
