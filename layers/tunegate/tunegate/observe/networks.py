"""The network a job runs in: its subnets, their routes and their way to S3."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tunegate.errors import PermanentError
from tunegate.job_facts import Endpoint, Known, Network, Subnet, Unknown
from tunegate.observe.documents import parse_document
from tunegate.observe.reads import read, read_or, saying
from tunegate.observe.routes import route_table, targets

type _Item = Mapping[str, Any]

# boto3's stubs for EC2 outweigh all others together, so its client is untyped; a contract test holds the fields.
_NO_SUBNET = saying("InvalidSubnetID.NotFound", "InvalidSubnetId.NotFound")


def network(ec2: Any, subnet_ids: Sequence[str]) -> Known[Network | None]:
    """The subnets with their routes and endpoints; None where one of them does not exist."""
    subnets = _subnets(ec2, subnet_ids)
    if subnets is None or isinstance(subnets, Unknown):
        return subnets
    vpc_ids = sorted({subnet["VpcId"] for subnet in subnets})
    asked = ", ".join(vpc_ids)
    endpoints = read("ec2:DescribeVpcEndpoints", asked, lambda: _s3_gateways(ec2, vpc_ids))
    if isinstance(endpoints, Unknown):
        return endpoints
    found = read("ec2:DescribeRouteTables", asked, lambda: _routed(subnets, _route_tables(ec2, vpc_ids), endpoints))
    return found if isinstance(found, Unknown) else Network(found, _dns_support(ec2, vpc_ids))


def flow_logs(ec2: Any, vpc_id: str) -> Known[bool]:
    """Whether an active flow log covers all traffic of the VPC."""
    return read("ec2:DescribeFlowLogs", vpc_id, lambda: any(map(_records_all, _flow_logs(ec2, vpc_id))))


def _subnets(ec2: Any, subnet_ids: Sequence[str]) -> Known[list[_Item] | None]:
    asked = sorted(set(subnet_ids))
    if not asked:
        # Asked for no subnet by name, EC2 would tell of every one there is.
        return None
    found = read_or(
        "ec2:DescribeSubnets",
        ", ".join(asked),
        lambda: list(ec2.describe_subnets(SubnetIds=asked)["Subnets"]),
        _NO_SUBNET,
        None,
    )
    if found is None or isinstance(found, Unknown):
        return found
    return found if {subnet["SubnetId"] for subnet in found} == set(asked) else None


def _route_tables(ec2: Any, vpc_ids: Sequence[str]) -> list[_Item]:
    pages = ec2.get_paginator("describe_route_tables").paginate(Filters=_in_vpcs(vpc_ids))
    return [table for page in pages for table in page["RouteTables"]]


def _s3_gateways(ec2: Any, vpc_ids: Sequence[str]) -> list[tuple[frozenset[str], Endpoint]]:
    """The gateway endpoints for S3 that work, each with the route tables it is on."""
    pages = ec2.get_paginator("describe_vpc_endpoints").paginate(Filters=_in_vpcs(vpc_ids))
    return [
        (
            frozenset(endpoint.get("RouteTableIds", ())),
            Endpoint(endpoint["VpcEndpointId"], parse_document(endpoint.get("PolicyDocument"))),
        )
        for page in pages
        for endpoint in page["VpcEndpoints"]
        if endpoint["VpcEndpointType"] == "Gateway"
        and endpoint["ServiceName"].endswith(".s3")
        and endpoint["State"].lower() == "available"
    ]


def _routed(
    subnets: Iterable[_Item], tables: Sequence[_Item], endpoints: Sequence[tuple[frozenset[str], Endpoint]]
) -> tuple[Subnet, ...]:
    found = []
    for subnet in subnets:
        table = route_table(subnet["SubnetId"], subnet["VpcId"], tables)
        if table is None:
            raise PermanentError(f"no route table could be found for {subnet['SubnetId']}")
        table_id = table["RouteTableId"]
        on_table = tuple(endpoint for table_ids, endpoint in endpoints if table_id in table_ids)
        found.append(Subnet(subnet["SubnetId"], subnet["VpcId"], table_id, targets(table["Routes"]), on_table))
    return tuple(found)


def _dns_support(ec2: Any, vpc_ids: Sequence[str]) -> Known[bool]:
    return read(
        "ec2:DescribeVpcAttribute",
        ", ".join(vpc_ids),
        lambda: all(
            ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsSupport")["EnableDnsSupport"]["Value"]
            for vpc_id in vpc_ids
        ),
    )


def _flow_logs(ec2: Any, vpc_id: str) -> Iterable[_Item]:
    asked = [{"Name": "resource-id", "Values": [vpc_id]}]
    for page in ec2.get_paginator("describe_flow_logs").paginate(Filter=asked):
        yield from page["FlowLogs"]


def _records_all(log: _Item) -> bool:
    return (
        log.get("FlowLogStatus") == "ACTIVE"
        and log.get("TrafficType") == "ALL"
        and log.get("DeliverLogsStatus") != "FAILED"
    )


def _in_vpcs(vpc_ids: Sequence[str]) -> list[dict[str, Any]]:
    return [{"Name": "vpc-id", "Values": list(vpc_ids)}]
