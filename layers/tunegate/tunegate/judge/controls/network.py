"""R4, R15, R16: a job runs in a private network, and reaches S3 through an endpoint that names our buckets only."""

from collections.abc import Iterator

from tunegate.job_facts import Document, JobFacts, Subnet
from tunegate.judge.controls.control import Control, known
from tunegate.judge.controls.documents import allowing, lies_within
from tunegate.model import Severity
from tunegate.subject import Kind

_IN_A_VPC = frozenset({Kind.CUSTOMIZATION_JOB, Kind.IMPORT_JOB, Kind.TRAINING_JOB})
# Ways out of a VPC. A peering, transit or VPN route leads to another network, where there may be a way out as well;
# so may any other kind of target AWS adds. Only an endpoint ends where it says.
_ENDPOINT = "vpce-"
_WAYS_OUT = {
    "igw-": "an internet gateway",
    "eigw-": "an egress-only internet gateway",
    "nat-": "a NAT gateway",
    "i-": "an instance",
    "eni-": "a network interface",
    "tgw-": "a transit gateway",
    "pcx-": "a peered VPC",
    "vgw-": "a VPN gateway",
    "cagw-": "a carrier gateway",
    "lgw-": "a local gateway",
    "arn:": "a core network",
}


def _in_vpc(facts: JobFacts) -> Iterator[str]:
    if facts.described.vpc is None:
        yield "the job names no VPC, so its data travels outside the private network"


def _subnets_allowed(facts: JobFacts) -> Iterator[str]:
    allowed = facts.expected.subnet_ids | facts.rules.allowed_subnet_ids
    for subnet in facts.described.vpc.subnet_ids if facts.described.vpc else ():
        if subnet not in allowed:
            yield f"{subnet} is not one of the subnets for jobs"


def _groups_allowed(facts: JobFacts) -> Iterator[str]:
    allowed = facts.expected.security_group_ids | facts.rules.allowed_security_group_ids
    for group in facts.described.vpc.security_group_ids if facts.described.vpc else ():
        if group not in allowed:
            yield f"{group} is not one of the security groups for jobs"


def _subnets(facts: JobFacts) -> tuple[Subnet, ...]:
    if facts.described.vpc is None:
        return ()
    network = known(facts.network)
    return network.subnets if network else ()


def _no_way_out(facts: JobFacts) -> Iterator[str]:
    for subnet in _subnets(facts):
        yield from ways_out(subnet)


def ways_out(subnet: Subnet) -> Iterator[str]:
    """Each route of a subnet that leads out of its VPC."""
    for target in subnet.targets:
        if not target.startswith(_ENDPOINT):
            name = next((name for prefix, name in _WAYS_OUT.items() if target.startswith(prefix)), "another network")
            yield f"{subnet.id} has a route to {name} ({target})"


def _s3_endpoint(facts: JobFacts) -> Iterator[str]:
    for subnet in _subnets(facts):
        if not subnet.endpoints:
            yield f"the route table of {subnet.id} has no gateway endpoint for S3"


def _s3_endpoint_policy(facts: JobFacts) -> Iterator[str]:
    buckets = frozenset(
        f"arn:aws:s3:::{name}" for name in (facts.expected.approved_bucket, facts.expected.output_bucket)
    )
    for endpoint in {endpoint.id: endpoint for subnet in _subnets(facts) for endpoint in subnet.endpoints}.values():
        yield from open_endpoint(endpoint.id, endpoint.policy, buckets)


def open_endpoint(name: str, policy: Document, buckets: frozenset[str]) -> Iterator[str]:
    """Each statement of an endpoint's policy that reaches beyond these buckets (ARNs)."""
    for statement in allowing(policy):
        beyond = [resource for resource in statement.resources if not lies_within(resource, buckets)]
        if statement.not_resources or beyond:
            yield f"the policy of {name} reaches {', '.join(beyond) or 'all but some resources'}"


def _dns(facts: JobFacts) -> Iterator[str]:
    network = known(facts.network) if facts.described.vpc else None
    if network is not None and not known(network.dns_support):
        yield "the VPC does not resolve names, so S3's own URLs lead nowhere"


def _subnets_exist(facts: JobFacts) -> Iterator[str]:
    if facts.described.vpc is not None and known(facts.network) is None:
        yield "a subnet of the job does not exist, so its network cannot be judged"


CONTROLS: tuple[Control[JobFacts], ...] = (
    Control(
        "network.job_in_vpc", "A job runs in a VPC",
        Severity.CRITICAL, True, ("R4", "R15"),
        "Start the job again with vpcConfig; `tunegate train` and `tunegate import` set it.",
        _IN_A_VPC, _in_vpc,
    ),
    Control(
        "network.subnets_allowed", "A job runs in the subnets for jobs",
        Severity.HIGH, True, ("R15",),
        "Use the stack's subnets (output SubnetIds), or name these in the policy's allowed_subnet_ids.",
        _IN_A_VPC, _subnets_allowed,
    ),
    Control(
        "network.security_groups_allowed", "A job runs in the security groups for jobs",
        Severity.HIGH, True, ("R15",),
        "Use the stack's security group (output SecurityGroupIds), or name these in allowed_security_group_ids.",
        _IN_A_VPC, _groups_allowed,
    ),
    Control(
        "network.subnets_exist", "The subnets of a job are there to be looked at",
        Severity.HIGH, True, ("R15",),
        "Use subnets that exist; the stack's are in the output SubnetIds.",
        _IN_A_VPC, _subnets_exist,
    ),
    Control(
        "network.no_way_out", "No route leads from a job's subnets to the internet or another network",
        Severity.CRITICAL, True, ("R4", "R15"),
        "Delete the route from the subnet's route table.",
        _IN_A_VPC, _no_way_out,
    ),
    Control(
        "network.s3_endpoint", "Each subnet of a job reaches S3 through a gateway endpoint",
        Severity.HIGH, True, ("R16",),
        "Add a gateway endpoint for S3 to the route table of the subnet.",
        _IN_A_VPC, _s3_endpoint,
    ),
    Control(
        "network.s3_endpoint_policy", "The S3 endpoint's policy names the approved and the output bucket only",
        Severity.HIGH, True, ("R4", "R16"),
        "Put the endpoint's policy back as in stacks/network.yaml.",
        _IN_A_VPC, _s3_endpoint_policy,
    ),
    Control(
        "network.dns_support", "Names resolve in a job's VPC",
        Severity.MEDIUM, True, ("R16",),
        "Turn enableDnsSupport on for the VPC.",
        _IN_A_VPC, _dns,
    ),
)  # fmt: skip
