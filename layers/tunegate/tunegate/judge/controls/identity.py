"""R12, R13, R14: a job's service role can be assumed by Bedrock alone, and reaches what the job needs and no more."""

from collections.abc import Iterator

from tunegate.job_facts import JobFacts, Statement
from tunegate.judge.controls.control import Control, known
from tunegate.judge.controls.documents import (
    RESOURCELESS,
    allowing,
    condition_values,
    everyone,
    is_wildcard,
    lies_within,
    service_of,
    speaks_of,
)
from tunegate.model import Severity
from tunegate.subject import Kind

_WITH_A_ROLE = frozenset({Kind.CUSTOMIZATION_JOB, Kind.IMPORT_JOB})
_BEDROCK = "bedrock.amazonaws.com"
_EQUAL = frozenset({"stringequals", "stringlike", "arnequals", "arnlike"})

# What a job does with its role. Amazon Bedrock user guide, "Create a service role for model customization", "… for
# model import" and "Protect your model customization jobs using a VPC".
_S3_READ = frozenset({"s3:getobject", "s3:listbucket"})
_S3_WRITE = frozenset({"s3:putobject", "s3:abortmultipartupload"})
_KMS = frozenset({"kms:decrypt", "kms:generatedatakey", "kms:describekey"})
_EC2 = RESOURCELESS | {
    "ec2:createnetworkinterface",
    "ec2:createnetworkinterfacepermission",
    "ec2:deletenetworkinterface",
    "ec2:deletenetworkinterfacepermission",
    "ec2:createtags",
}
_GRADER = frozenset({"lambda:invokefunction"})

# AWS's own example gives these three on "*", and holds them to Bedrock's interfaces in the job's subnets instead.
_HELD_BY_CONDITION = frozenset(
    {"ec2:createnetworkinterfacepermission", "ec2:deletenetworkinterface", "ec2:deletenetworkinterfacepermission"}
)


def _trust(facts: JobFacts) -> Iterator[str]:
    role = known(facts.role)
    if role is None:
        yield f"the role {facts.described.role_arn} does not exist, so who can become it cannot be told"
        return
    for statement in allowing(role.trust):
        if everyone(statement) or set(statement.principals) - {"Service"}:
            yield f"{role.arn} can be assumed by others than AWS services"


def _trusting(facts: JobFacts) -> Iterator[Statement]:
    role = known(facts.role)
    return allowing(role.trust) if role else iter(())


def _not_shared(facts: JobFacts) -> Iterator[str]:
    for statement in _trusting(facts):
        for service in statement.principals.get("Service", ()):
            if service != _BEDROCK:
                yield f"{facts.described.role_arn} can be assumed by {service} as well"


def _trust_conditions(facts: JobFacts) -> Iterator[str]:
    for statement in _trusting(facts):
        if _BEDROCK in statement.principals.get("Service", ()):
            yield from _open_trust(facts, statement)


def _open_trust(facts: JobFacts, statement: Statement) -> Iterator[str]:
    expected = facts.expected
    jobs = f":bedrock:{expected.region}:{expected.account}:{facts.described.subject.kind.value}/"
    accounts = condition_values(statement, _EQUAL, "aws:sourceaccount")
    if set(accounts) != {expected.account}:
        yield f"the trust of {facts.described.role_arn} is not held to this account by aws:SourceAccount"
    sources = condition_values(statement, _EQUAL, "aws:sourcearn")
    if not sources or not all(jobs in source for source in sources):
        kind = facts.described.subject.kind.value
        yield f"the trust of {facts.described.role_arn} is not held to {kind}s by aws:SourceArn"


def _permissions(facts: JobFacts) -> Iterator[Statement]:
    role = known(facts.role)
    return allowing(known(role.permissions)) if role else iter(())


def _no_wildcards(facts: JobFacts) -> Iterator[str]:
    for statement in _permissions(facts):
        name = statement.sid or "a statement without Sid"
        if statement.not_actions or any(map(is_wildcard, statement.actions)):
            yield f"{name} allows actions by wildcard"
        if statement.not_resources or ("*" in statement.resources and not _needs_no_resource(statement)):
            yield f"{name} allows its actions on every resource"


def _needs_no_resource(statement: Statement) -> bool:
    actions = {action.lower() for action in statement.actions}
    held = _subnets_of(statement) and condition_values(statement, _EQUAL, "ec2:resourcetag/bedrockmanaged") == ("true",)
    return actions <= (RESOURCELESS | _HELD_BY_CONDITION if held else RESOURCELESS)


def _subnets_of(statement: Statement) -> tuple[str, ...]:
    """The subnets that the interfaces a statement speaks of must lie in, by its condition."""
    return condition_values(statement, _EQUAL, "ec2:subnet")


def _only_needed_actions(facts: JobFacts) -> Iterator[str]:
    needed = _S3_READ | _KMS | _EC2
    if facts.described.subject.kind is Kind.CUSTOMIZATION_JOB:
        needed |= _S3_WRITE
    if facts.described.grader:
        needed |= _GRADER
    for statement in _permissions(facts):
        for action in statement.actions:
            # Wildcards are another control's: one fault, one finding.
            if not is_wildcard(action) and action.lower() not in needed:
                yield f"{facts.described.role_arn} may {action}, which no such job needs"


def _buckets_in_reach(facts: JobFacts) -> Iterator[str]:
    names = {facts.expected.approved_bucket}
    if facts.described.subject.kind is Kind.CUSTOMIZATION_JOB:
        names.add(facts.expected.output_bucket)
    yield from _beyond(facts, "s3", frozenset(f"arn:aws:s3:::{name}" for name in names))


def _keys_in_reach(facts: JobFacts) -> Iterator[str]:
    keys = {facts.expected.data_key_arn, facts.expected.model_key_arn} | facts.rules.allowed_model_key_arns
    yield from _beyond(facts, "kms", frozenset(keys))


def _beyond(facts: JobFacts, service: str, arns: frozenset[str]) -> Iterator[str]:
    for statement in _permissions(facts):
        if not any(service_of(action) == service for action in statement.actions):
            continue
        for resource in statement.resources:
            if resource != "*" and speaks_of(resource, service) and not lies_within(resource, arns):
                yield f"{facts.described.role_arn} reaches {resource}"


def _network_in_reach(facts: JobFacts) -> Iterator[str]:
    allowed = {
        "subnet": facts.expected.subnet_ids | facts.rules.allowed_subnet_ids,
        "security-group": facts.expected.security_group_ids | facts.rules.allowed_security_group_ids,
    }
    for statement in _permissions(facts):
        places = statement.resources if _places_interfaces(statement) else ()
        for resource in (*places, *_subnets_of(statement)):
            kind, _, name = resource.rpartition(":")[2].partition("/")
            # "*" alone is another control's: one fault, one finding.
            if resource != "*" and (is_wildcard(kind) or name not in allowed.get(kind, {name})):
                yield f"{facts.described.role_arn} may place network interfaces in {resource}"


def _places_interfaces(statement: Statement) -> bool:
    return any(action.lower() == "ec2:createnetworkinterface" for action in statement.actions)


def _boundary(facts: JobFacts) -> Iterator[str]:
    role = known(facts.role)
    if role is not None and facts.expected.boundary and role.boundary != facts.expected.boundary:
        yield f"{role.arn} is not bounded by {facts.expected.boundary}"


CONTROLS: tuple[Control[JobFacts], ...] = (
    Control(
        "identity.trust_bedrock_only", "No person, account or identity provider can become the job's role",
        Severity.CRITICAL, True, ("R12",),
        "Let the role's trust policy name the service bedrock.amazonaws.com and nobody else.",
        _WITH_A_ROLE, _trust,
    ),
    Control(
        "identity.not_shared", "The job's role serves no other AWS service",
        Severity.HIGH, True, ("R12",),
        "Give the other service a role of its own, and take it out of this trust policy.",
        _WITH_A_ROLE, _not_shared,
    ),
    Control(
        "identity.trust_conditions", "Bedrock can assume the role only for this account's jobs of this kind",
        Severity.HIGH, True, ("R12",),
        "Add the conditions aws:SourceAccount and aws:SourceArn to the trust policy, as in stacks/roles.yaml.",
        _WITH_A_ROLE, _trust_conditions,
    ),
    Control(
        "identity.no_wildcards", "The role's policies have no wildcard action or resource",
        Severity.HIGH, True, ("R12", "R13"),
        "Name each action and each bucket, key and subnet, as in stacks/job_permissions.yaml.",
        _WITH_A_ROLE, _no_wildcards,
    ),
    Control(
        "identity.needed_actions", "The role may do only what such a job does",
        Severity.HIGH, True, ("R12", "R14"),
        "Take the named actions out of the role's policies.",
        _WITH_A_ROLE, _only_needed_actions,
    ),
    Control(
        "identity.buckets_in_reach", "The role reaches only the approved and the output bucket",
        Severity.CRITICAL, True, ("R4", "R13"),
        "Take the other buckets out of the role's policies.",
        _WITH_A_ROLE, _buckets_in_reach,
    ),
    Control(
        "identity.keys_in_reach", "The role reaches only the data key and the keys for models",
        Severity.HIGH, True, ("R11", "R13"),
        "Take the other keys out of the role's policies.",
        _WITH_A_ROLE, _keys_in_reach,
    ),
    Control(
        "identity.network_in_reach", "The role may place network interfaces only where jobs run",
        Severity.MEDIUM, True, ("R14",),
        "Name only the stack's subnets and security groups in the statement for ec2:CreateNetworkInterface.",
        _WITH_A_ROLE, _network_in_reach,
    ),
    Control(
        "identity.boundary", "The role stands under the permissions boundary",
        Severity.MEDIUM, True, ("R12",),
        "Put the boundary of the parameter PermissionsBoundaryArn on the role.",
        _WITH_A_ROLE, _boundary,
    ),
)  # fmt: skip
