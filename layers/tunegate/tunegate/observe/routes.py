"""Where the routes of a subnet lead."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

TARGETS = (
    "GatewayId",
    "NatGatewayId",
    "EgressOnlyInternetGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "InstanceId",
    "NetworkInterfaceId",
    "CarrierGatewayId",
    "LocalGatewayId",
    "CoreNetworkArn",
    "OdbNetworkArn",
    "IpAddress",
)
"""Every member of a route that names where it leads: Amazon EC2 API Reference, Route."""

_ENDPOINT = "vpce-"


def route_table(subnet_id: str, vpc_id: str, tables: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The table a subnet is associated with, or else the main one of its VPC."""
    for table in tables:
        if any(association.get("SubnetId") == subnet_id for association in table.get("Associations", ())):
            return table
    for table in tables:
        if table["VpcId"] == vpc_id and any(association.get("Main") for association in table.get("Associations", ())):
            return table
    return None


def targets(routes: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """What the routes lead to, without what stays in the VPC.

    A black hole leads nowhere now, yet would again if what it names came back: it counts. A route to an endpoint is a
    gateway endpoint's only where it is for a service's prefix list; for addresses it leads through a Gateway Load
    Balancer's endpoint to whatever stands behind that.
    """
    return tuple(target for route in routes for target in _targets(route))


def _targets(route: Mapping[str, Any]) -> Iterator[str]:
    named = [str(route[member]) for member in TARGETS if route.get(member)]
    if not named:
        # Some target that AWS added since.
        yield "unknown"
    for target in named:
        if target.startswith(_ENDPOINT) and "DestinationPrefixListId" not in route:
            yield f"load-balancer:{target}"
        elif target != "local":
            yield target
