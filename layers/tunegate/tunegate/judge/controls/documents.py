"""What a policy document lets happen, as far as the controls ask.

The controls read what is allowed and leave Deny statements out: a Deny may go tomorrow, and least privilege means that
the Allow was never there. Actions are compared without regard to case, as IAM does.
"""

import re
from collections.abc import Iterator

from tunegate.job_facts import Document, Statement

# Actions for which IAM takes no resource: "*" is all they can be given.
# Service Authorization Reference, Amazon EC2.
RESOURCELESS = frozenset(
    {
        "ec2:describenetworkinterfaces",
        "ec2:describevpcs",
        "ec2:describedhcpoptions",
        "ec2:describesubnets",
        "ec2:describesecuritygroups",
    }
)

_NAMING = frozenset({"arnequals", "stringequals"})
_S3_IN_ANY_PARTITION = re.compile(r"^arn:[a-z-]+:s3:::")


def allowing(document: Document) -> Iterator[Statement]:
    return (statement for statement in document if statement.allows)


def service_of(action: str) -> str:
    return action.partition(":")[0].lower()


def is_wildcard(name: str) -> bool:
    return "*" in name or "?" in name


def everyone(statement: Statement) -> bool:
    """Whether a statement speaks of any principal whatever, or of all but some."""
    return bool(statement.not_principals) or any("*" in names for names in statement.principals.values())


def names_principals(statement: Statement) -> bool:
    """Whether a condition leaves only principals named in full: how KMS is told of a role that may not be there yet."""
    named = condition_values(statement, _NAMING, "aws:principalarn")
    return bool(named) and not any(map(is_wildcard, named))


def speaks_of(resource: str, service: str) -> bool:
    """Whether a resource of a policy can be one of a service: its ARN says so, or has a wildcard where it would."""
    parts = resource.split(":", 3)
    return len(parts) < 4 or parts[2] == service or any(map(is_wildcard, parts[:3]))


def lies_within(resource: str, arns: frozenset[str]) -> bool:
    """Whether a resource of a policy is one of these ARNs, or something below one of them (`arn/…`).

    The ARNs are written with the partition `aws`; those of S3, which name no account, are compared in any partition.
    """
    resource = _S3_IN_ANY_PARTITION.sub("arn:aws:s3:::", resource)
    return any(resource == arn or resource.startswith(f"{arn}/") for arn in arns)


def condition_values(statement: Statement, operators: frozenset[str], key: str) -> tuple[str, ...]:
    """The values a condition key is held to under any of these operators; both are compared without case."""
    return tuple(
        value
        for operator, keys in statement.conditions.items()
        if operator.lower() in operators
        for name, values in keys.items()
        if name.lower() == key
        for value in values
    )
