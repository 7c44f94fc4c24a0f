"""Gaps in EC2's network, as far as a job's way to S3 is judged by what EC2 tells."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from ministack.core.responses import get_region, now_iso
from ministack.services import ec2
from ministack.services.cloudformation import provisioners

type Record = dict[str, Any]
type Parameters = Mapping[str, Any]

# What an endpoint without a policy of its own has:
# https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html#vpc-endpoint-default-endpoint-policy
_OPEN = {"Version": "2008-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
_FILTERS: dict[str, Callable[[Record], str]] = {
    "service-name": lambda endpoint: str(endpoint["ServiceName"]),
    "vpc-id": lambda endpoint: str(endpoint["VpcId"]),
    "vpc-endpoint-id": lambda endpoint: str(endpoint["VpcEndpointId"]),
    "vpc-endpoint-state": lambda endpoint: str(endpoint["State"]),
    "vpc-endpoint-type": lambda endpoint: str(endpoint["VpcEndpointType"]),
}
# AWS's own ids of the lists of S3's addresses, in some Regions.
_S3_LISTS = {"us-east-1": "pl-63a5400a", "us-west-2": "pl-68a54001", "eu-west-1": "pl-6da54004"}


def endpoints_are_described_in_full() -> None:
    """DescribeVpcEndpoints tells an endpoint's policy, groups and DNS, and filters; ministack does none of that.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html
    """
    fields, create, modify = ec2._vpce_fields_xml, ec2._create_vpc_endpoint, ec2._modify_vpc_endpoint

    def vpce_fields_xml(endpoint: Record, tag: str = "item") -> str:
        # `</item>` also ends lists inside; the endpoint's own end is the last.
        body, end, rest = fields(endpoint, tag).rpartition(f"</{tag}>")
        return f"{body}{_more(endpoint)}{end}{rest}"

    def create_vpc_endpoint(asked: Parameters) -> Any:
        before = set(ec2._vpc_endpoints.keys())
        answer = create(asked)
        for made in set(ec2._vpc_endpoints.keys()) - before:
            ec2._vpc_endpoints[made] |= {
                "PolicyDocument": ec2._p(asked, "PolicyDocument") or None,
                "SecurityGroupIds": ec2._parse_member_list(asked, "SecurityGroupId"),
                "PrivateDnsEnabled": _true(ec2._p(asked, "PrivateDnsEnabled")),
                "CreationTimestamp": now_iso(),
            }
            answer = ec2._xml(
                200, "CreateVpcEndpointResponse", vpce_fields_xml(ec2._vpc_endpoints[made], "vpcEndpoint")
            )
        return answer

    def modify_vpc_endpoint(asked: Parameters) -> Any:
        answer = modify(asked)
        if _true(ec2._p(asked, "ResetPolicy")):
            ec2._vpc_endpoints[ec2._p(asked, "VpcEndpointId")]["PolicyDocument"] = None
        return answer

    ec2._vpce_fields_xml = vpce_fields_xml
    ec2._ACTION_MAP |= {
        "CreateVpcEndpoint": create_vpc_endpoint,
        "ModifyVpcEndpoint": modify_vpc_endpoint,
        "DescribeVpcEndpoints": _describe_endpoints,
    }


def gateway_endpoints_are_routes() -> None:
    """A gateway endpoint shows in its route tables: the service's prefix list leads to it. Ministack adds no route.

    https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html#gateway-endpoint-routing
    """
    fields, list_id = ec2._rtb_fields_xml, ec2._aws_pl_id_from_name

    def aws_pl_id_from_name(name: str) -> str:
        known = _S3_LISTS.get(get_region()) if name == f"com.amazonaws.{get_region()}.s3" else None
        return known or str(list_id(name))

    def rtb_fields_xml(table: Record, tag: str = "item") -> str:
        routes = [
            {
                "DestinationPrefixListId": aws_pl_id_from_name(endpoint["ServiceName"]),
                "GatewayId": endpoint["VpcEndpointId"],
                "State": "active",
                "Origin": "CreateRoute",
            }
            for endpoint in ec2._vpc_endpoints.values()
            if endpoint["VpcEndpointType"] == "Gateway" and table["RouteTableId"] in endpoint["RouteTableIds"]
        ]
        return str(fields({**table, "Routes": [*table.get("Routes", []), *routes]}, tag))

    ec2._aws_pl_id_from_name = aws_pl_id_from_name
    ec2._rtb_fields_xml = rtb_fields_xml


def security_group_rules_are_resources() -> None:
    """`AWS::EC2::SecurityGroupIngress` and `AWS::EC2::SecurityGroupEgress`, which ministack's CloudFormation lacks."""
    for kind, kept in (("Ingress", "IpPermissions"), ("Egress", "IpPermissionsEgress")):
        provisioners._RESOURCE_HANDLERS[f"AWS::EC2::SecurityGroup{kind}"] = {
            "create": _create_rule(kept),
            "delete": _delete_rule(kept),
        }


def _describe_endpoints(asked: Parameters) -> Any:
    ids, filters = ec2._parse_member_list(asked, "VpcEndpointId"), ec2._parse_filters(asked)
    missing = next((one for one in ids if one not in ec2._vpc_endpoints), None)
    if missing is not None:
        return ec2._error("InvalidVpcEndpointId.NotFound", f"The VPC endpoint '{missing}' does not exist", 400)
    unknown = next((name for name in filters if name not in _FILTERS and not name.startswith("tag")), None)
    if unknown is not None:
        return ec2._error("InvalidParameterValue", f"The filter '{unknown}' is invalid", 400)
    items = "".join(
        ec2._vpce_fields_xml(endpoint)
        for endpoint in ec2._vpc_endpoints.values()
        if (not ids or endpoint["VpcEndpointId"] in ids)
        and all(_FILTERS[name](endpoint) in values for name, values in filters.items() if name in _FILTERS)
        and ec2._resource_matches_tag_filters(endpoint["VpcEndpointId"], filters)
    )
    return ec2._xml(200, "DescribeVpcEndpointsResponse", f"<vpcEndpointSet>{items}</vpcEndpointSet>")


def _more(endpoint: Record) -> str:
    policy = endpoint.get("PolicyDocument") or _OPEN
    text = policy if isinstance(policy, str) else json.dumps(policy)
    groups = "".join(
        f"<item><groupId>{group}</groupId><groupName>{escape(_group_name(group))}</groupName></item>"
        for group in endpoint.get("SecurityGroupIds") or []
    )
    created = endpoint.get("CreationTimestamp")
    return (
        f"<policyDocument>{escape(text)}</policyDocument><groupSet>{groups}</groupSet>"
        f"<privateDnsEnabled>{str(_true(endpoint.get('PrivateDnsEnabled'))).lower()}</privateDnsEnabled>"
        + (f"<creationTimestamp>{created}</creationTimestamp>" if created else "")
    )


def _group_name(group: str) -> str:
    return str((ec2._security_groups.get(group) or {}).get("GroupName", ""))


def _create_rule(kept: str) -> Callable[[str, Record, str], tuple[str, Record]]:
    def create(_logical_id: str, props: Record, _stack_name: str) -> tuple[str, Record]:
        group = ec2._security_groups.get(props["GroupId"])
        if group is None:
            raise ValueError(f"The security group '{props['GroupId']}' does not exist")
        [rule] = provisioners._ec2_sg_permissions([props])
        group[kept].append(rule)
        return ec2._sg_rule_id(props["GroupId"], kept == "IpPermissionsEgress", rule), {}

    return create


def _delete_rule(kept: str) -> Callable[[str, Record], None]:
    def delete(_physical_id: str, props: Record) -> None:
        group = ec2._security_groups.get(props["GroupId"])
        [rule] = provisioners._ec2_sg_permissions([props])
        if group is not None and rule in group[kept]:
            group[kept].remove(rule)

    return delete


def _true(value: Any) -> bool:
    return str(value).lower() == "true"
