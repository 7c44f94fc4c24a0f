"""Network: each way in which a job's network is not private, or its way to S3 not the one that names our buckets."""

from dataclasses import replace

import pytest

from tunegate.job_facts import Endpoint, JobFacts, Network, Vpc
from tunegate.job_rules import JobRules
from tunegate.judge.jobs import judge_job
from tunegate.subject import Kind
from unit.job_world import Break, assert_breaks_only, compliant, described, having, in_subnet
from unit.policy_world import ACCOUNT, APPROVED, GROUP, OUTPUT, S3_ENDPOINT, SUBNET, both, gateway

IN_A_VPC = (Kind.CUSTOMIZATION_JOB, Kind.IMPORT_JOB, Kind.TRAINING_JOB)
WAYS_OUT = {
    "igw-0aa": "an internet gateway",
    "nat-0aa": "a NAT gateway",
    "eigw-0aa": "an egress-only internet gateway",
    "tgw-0aa": "a transit gateway",
    "pcx-0aa": "a peered VPC",
    "vgw-0aa": "a VPN gateway",
    "cagw-0aa": "a carrier gateway",
    "lgw-0aa": "a local gateway",
    "eni-0aa": "a network interface",
    "i-0aa": "an instance",
    "arn:aws:networkmanager::111122223333:core-network/c": "a core network",
    "new-0aa": "another network",
}


def endpoint(*resources: str, **members: object) -> Endpoint:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": list(resources)}
    return gateway(statement | members)


def deaf(facts: JobFacts) -> JobFacts:
    """Names do not resolve, where the network is known."""
    if not isinstance(facts.network, Network):
        return facts
    return replace(facts, network=replace(facts.network, dns_support=False))


BREAKS = (
    Break("network.job_in_vpc", described(vpc=None), "no VPC", "trendmicro:Bedrock-014"),
    Break("network.job_in_vpc", described(vpc=None), "no VPC", "docs:bedrock/vpc-custom-model-import", Kind.IMPORT_JOB),
    Break("network.job_in_vpc", described(vpc=None), "no VPC", kind=Kind.TRAINING_JOB),
    Break("network.subnets_allowed", described(vpc=Vpc((SUBNET, "subnet-0bb"), (GROUP,))), "subnet-0bb"),
    Break("network.security_groups_allowed", described(vpc=Vpc((SUBNET,), (GROUP, "sg-0bb"))), "sg-0bb"),
    Break("network.subnets_exist", having(network=None), "does not exist"),
    *(
        Break("network.no_way_out", in_subnet(targets=(S3_ENDPOINT, target)), f"{SUBNET} has a route to {name}",
              "config:no-unrestricted-route-to-igw" if target == "igw-0aa" else "")
        for target, name in WAYS_OUT.items()
    ),
    Break("network.s3_endpoint", in_subnet(endpoints=()), SUBNET, "docs:bedrock/vpc-s3"),
    Break(
        "network.s3_endpoint_policy", in_subnet(endpoints=(endpoint("*"),)), S3_ENDPOINT,
        "prowler:vpc_endpoint_connections_trust_boundaries",
    ),
    Break("network.s3_endpoint_policy", in_subnet(endpoints=(endpoint("arn:aws:s3:::*/*"),)), "arn:aws:s3:::*/*"),
    Break("network.s3_endpoint_policy", in_subnet(endpoints=(endpoint(*both("elsewhere")),)), "elsewhere"),
    Break(
        "network.s3_endpoint_policy",
        in_subnet(endpoints=(endpoint(Resource=[], NotResource=["arn:aws:s3:::x"]),)), "all but some",
    ),
    Break(
        "network.s3_endpoint_policy", in_subnet(endpoints=(gateway(), Endpoint("vpce-0bb", endpoint("*").policy))),
        "vpce-0bb",
    ),
    Break(
        "network.dns_support", deaf, "does not resolve",
        "docs:bedrock/vpc-s3",
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", BREAKS, ids=str)
def test_one_change_breaks_one_control(case: Break) -> None:
    assert_breaks_only(case.control, case.names, judge_job(case.facts))


@pytest.mark.parametrize("kind", IN_A_VPC)
def test_every_job_that_runs_in_a_vpc_is_judged_by_it(kind: Kind) -> None:
    way_out = in_subnet(targets=("nat-0aa",))(compliant(kind))
    assert [breach.control for breach in judge_job(way_out).breaches] == ["network.no_way_out"]


def test_the_endpoint_policy_of_the_bedrock_user_guide_passes() -> None:
    """Bedrock user guide, "(Example) Restrict data access to your Amazon S3 data using VPC": one bucket, by name."""
    documented = gateway(
        {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": both(APPROVED),
         "Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}},
    )  # fmt: skip
    assert judge_job(in_subnet(endpoints=(documented,))(compliant(Kind.IMPORT_JOB))).breaches == ()


def test_an_endpoint_policy_in_another_partition_passes() -> None:
    abroad = endpoint(f"arn:aws-cn:s3:::{APPROVED}", f"arn:aws-cn:s3:::{OUTPUT}/*")
    assert judge_job(in_subnet(endpoints=(abroad,))(compliant(Kind.CUSTOMIZATION_JOB))).breaches == ()


def test_a_bucket_whose_name_only_begins_like_ours_is_another_one() -> None:
    facts = in_subnet(endpoints=(endpoint(f"arn:aws:s3:::{APPROVED}-copy/*"),))(compliant(Kind.CUSTOMIZATION_JOB))
    assert [breach.control for breach in judge_job(facts).breaches] == ["network.s3_endpoint_policy"]


def test_your_own_subnets_and_groups_are_fine_once_the_policy_names_them() -> None:
    facts = described(vpc=Vpc(("subnet-0bb",), ("sg-0bb",)))(compliant(Kind.CUSTOMIZATION_JOB))
    rules = JobRules(allowed_subnet_ids=frozenset({"subnet-0bb"}), allowed_security_group_ids=frozenset({"sg-0bb"}))
    assert judge_job(replace(facts, rules=rules)).breaches == ()


def test_a_job_without_a_vpc_is_one_finding() -> None:
    """What its network would be is then no question."""
    facts = replace(described(vpc=None)(compliant(Kind.CUSTOMIZATION_JOB)), network=None)
    assert [breach.control for breach in judge_job(facts).breaches] == ["network.job_in_vpc"]
