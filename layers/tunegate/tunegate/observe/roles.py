"""IAM roles and everything their policies allow."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunegate.job_facts import Document, Known, RoleFacts, Statement, Unknown
from tunegate.observe.documents import parse_document
from tunegate.observe.reads import read, read_or, saying

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.type_defs import RoleTypeDef


def role_facts(iam: "IAMClient", arn: str) -> Known[RoleFacts | None]:
    """A role by its ARN; None where there is none."""
    role = _role(iam, arn)
    if role is None or isinstance(role, Unknown):
        return role
    return read("iam:GetRole", arn, lambda: _facts(iam, role))


def role_trust(iam: "IAMClient", arn: str) -> Known[Document | None]:
    """Whom a role trusts; None where there is no such role."""
    role = _role(iam, arn)
    if role is None or isinstance(role, Unknown):
        return role
    return read("iam:GetRole", arn, lambda: parse_document(role["AssumeRolePolicyDocument"]))


def policy_names(iam: "IAMClient", arn: str) -> Known[tuple[str, ...]]:
    """The names of a role's inline policies, and the ARNs of its attached ones."""
    name = arn.rsplit("/", 1)[-1]
    inline = read("iam:ListRolePolicies", arn, lambda: tuple(_inline_names(iam, name)))
    attached = read("iam:ListAttachedRolePolicies", arn, lambda: tuple(_attached_arns(iam, name)))
    if isinstance(inline, Unknown):
        return inline
    return attached if isinstance(attached, Unknown) else (*inline, *attached)


def _role(iam: "IAMClient", arn: str) -> "Known[RoleTypeDef | None]":
    name = arn.rsplit("/", 1)[-1]
    role = read_or("iam:GetRole", arn, lambda: iam.get_role(RoleName=name)["Role"], saying("NoSuchEntity"), None)
    if role is None or isinstance(role, Unknown):
        return role
    # A role of another account, or of another path, may have the same name.
    return role if role["Arn"] == arn else None


def _facts(iam: "IAMClient", role: "RoleTypeDef") -> RoleFacts:
    boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
    trust = parse_document(role["AssumeRolePolicyDocument"])
    return RoleFacts(role["Arn"], trust, _permissions(iam, role["Arn"], role["RoleName"]), boundary)


def _permissions(iam: "IAMClient", arn: str, name: str) -> Known[Document]:
    inline = read("iam:ListRolePolicies", arn, lambda: tuple(_inline_names(iam, name)))
    attached = read("iam:ListAttachedRolePolicies", arn, lambda: tuple(_attached_arns(iam, name)))
    if isinstance(inline, Unknown):
        return inline
    if isinstance(attached, Unknown):
        return attached
    statements: list[Statement] = []
    documents = [
        *(_inline(iam, arn, name, policy) for policy in inline),
        *(_managed(iam, policy) for policy in attached),
    ]
    for document in documents:
        if isinstance(document, Unknown):
            return document
        statements.extend(document)
    return tuple(statements)


def _inline(iam: "IAMClient", arn: str, role: str, policy: str) -> Known[Document]:
    return read(
        "iam:GetRolePolicy",
        arn,
        lambda: parse_document(iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]),
    )


def _managed(iam: "IAMClient", arn: str) -> Known[Document]:
    version = read("iam:GetPolicy", arn, lambda: iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"])
    if isinstance(version, Unknown):
        return version
    return read(
        "iam:GetPolicyVersion",
        arn,
        lambda: parse_document(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]),
    )


def _inline_names(iam: "IAMClient", role: str) -> Iterator[str]:
    for page in iam.get_paginator("list_role_policies").paginate(RoleName=role):
        yield from page["PolicyNames"]


def _attached_arns(iam: "IAMClient", role: str) -> Iterator[str]:
    for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role):
        yield from (policy["PolicyArn"] for policy in page["AttachedPolicies"])
