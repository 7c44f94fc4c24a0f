"""A job's way through a VPC: the interface it gets there, and the gateway endpoint by which it reaches S3.

https://docs.aws.amazon.com/bedrock/latest/userguide/custom-model-job-access-security.html
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ministack.services import ec2

from tunegate_local.detectors.wire import ServiceError
from tunegate_local.services.bedrock.roles import Session
from tunegate_local.services.bedrock.store import Details, JobError, Tags

_DESCRIBED = ("NetworkInterfaces", "Vpcs", "DhcpOptions", "Subnets", "SecurityGroups")
# The tag that names the job on its interface, by the kind of job.
JOB_TAGS = {
    "model-customization-job": "BedrockModelCustomizationJobArn",
    "model-import-job": "BedrockModelImportJobArn",
}


def require_vpc(config: Details | None) -> None:
    """Raises ValidationException unless the subnets and security groups exist, all in one VPC."""
    if config is None:
        return
    found = [ec2._subnets.get(subnet) for subnet in config["subnetIds"]]
    found += [ec2._security_groups.get(group) for group in config["securityGroupIds"]]
    if None in found or len({item["VpcId"] for item in found if item}) != 1:
        raise ServiceError(
            "ValidationException", "The subnets and security groups must exist and belong to the same VPC."
        )


@contextmanager
def interfaces(config: Details | None, session: Session, job_arn: str) -> Iterator[None]:
    """The network interface Bedrock makes with the role's permissions, there while the job runs.

    Raises JobError where the role lacks them.
    """
    if config is None:
        yield
        return
    account, kind = job_arn.split(":")[4], job_arn.split(":", 5)[5].split("/", 1)[0]
    tags = {"BedrockManaged": "true", JOB_TAGS[kind]: job_arn}
    _require_permissions(config, session, account, tags)
    interface = _create(config, tags)
    try:
        yield
    finally:
        ec2._network_interfaces.pop(interface, None)
        ec2._tags.pop(interface, None)


def endpoint(config: Details | None, region: str) -> str | None:
    """The S3 gateway endpoint of one of the job's subnets; None where the job reaches S3 over the internet.

    Raises JobError where it cannot reach S3 at all.
    """
    if config is None:
        return None
    tables = [table for subnet in config["subnetIds"] if (table := _route_table(subnet)) is not None]
    for gateway in ec2._vpc_endpoints.values():
        if gateway["ServiceName"] == f"com.amazonaws.{region}.s3" and gateway["VpcEndpointType"] == "Gateway":
            for table in tables:
                if table["RouteTableId"] in gateway["RouteTableIds"]:
                    return str(gateway["VpcEndpointId"])
    if any(route.get("NatGatewayId") for table in tables for route in table["Routes"]):
        return None
    raise JobError("Could not connect to Amazon S3 from the provided VPC. Verify that it has an S3 endpoint.")


def _require_permissions(config: Details, session: Session, account: str, tags: Tags) -> None:
    prefix = f"arn:aws:ec2:{session.region}:{account}"
    every = f"{prefix}:network-interface/*"
    asked: dict[str, Any] = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    asked["aws:TagKeys"] = list(tags)
    carried: dict[str, Any] = {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
    carried |= {f"ec2:ResourceTag/{key}": value for key, value in tags.items()}
    carried["ec2:Subnet"] = f"{prefix}:subnet/{config['subnetIds'][0]}"
    checks: list[tuple[str, str, dict[str, Any]]] = [(f"ec2:Describe{what}", "*", {}) for what in _DESCRIBED]
    checks += [("ec2:CreateNetworkInterface", every, asked)]
    checks += [("ec2:CreateNetworkInterface", f"{prefix}:subnet/{subnet}", {}) for subnet in config["subnetIds"]]
    checks += [
        ("ec2:CreateNetworkInterface", f"{prefix}:security-group/{group}", {}) for group in config["securityGroupIds"]
    ]
    checks += [("ec2:CreateTags", every, {**asked, "ec2:CreateAction": "CreateNetworkInterface"})]
    checks += [
        (f"ec2:{action}", every, carried)
        for action in (
            "CreateNetworkInterfacePermission",
            "DeleteNetworkInterfacePermission",
            "DeleteNetworkInterface",
        )
    ]
    for action, resource, context in checks:
        if not session.may(action, resource, context):
            raise JobError(
                f"The provided role {session.role_arn} is not authorized to perform: {action} on resource: {resource}"
            )


def _create(config: Details, tags: Tags) -> str:
    """The id of a new network interface in the first subnet."""
    before = set(ec2._network_interfaces)
    asked = {"SubnetId": [config["subnetIds"][0]], "Description": ["Interface managed by Amazon Bedrock"]}
    asked |= {f"SecurityGroupId.{n}": [group] for n, group in enumerate(config["securityGroupIds"], start=1)}
    ec2._create_network_interface(asked)
    interface = next(iter(set(ec2._network_interfaces) - before))
    ec2._tags[interface] = [{"Key": key, "Value": value} for key, value in tags.items()]
    return str(interface)


def _route_table(subnet: str) -> dict[str, Any] | None:
    """The table associated with the subnet, or its VPC's main one."""
    tables = list(ec2._route_tables.values())
    own = (t for t in tables if any(a.get("SubnetId") == subnet for a in t["Associations"]))
    vpc = (ec2._subnets.get(subnet) or {}).get("VpcId")
    main = (t for t in tables if t["VpcId"] == vpc and any(a.get("Main") for a in t["Associations"]))
    return next(own, None) or next(main, None)
