"""A role with everything its policies say, wherever they hang and however many they are."""

import json
from typing import Any

import boto3
import pytest

from functional.aws_in_order import ACCOUNT, REPLIES, ROLE, in_order
from functional.conftest import Account
from tunegate.job_facts import RoleFacts, Unknown
from tunegate.observe.roles import role_facts

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def document(action: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}})


@pytest.fixture
def iam(account: Account) -> Any:
    return boto3.client("iam")


def facts(iam: Any, arn: str) -> RoleFacts:
    found = role_facts(iam, arn)
    assert isinstance(found, RoleFacts)
    return found


def actions(found: RoleFacts) -> set[str]:
    assert not isinstance(found.permissions, Unknown)
    return {action for statement in found.permissions for action in statement.actions}


def test_inline_and_attached_policies_count_together(iam: Any) -> None:
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=document("s3:*"))["Policy"]["Arn"]
    arn = iam.create_role(RoleName="job", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=boundary)["Role"]["Arn"]
    iam.put_role_policy(RoleName="job", PolicyName="one", PolicyDocument=document("s3:GetObject"))
    iam.put_role_policy(RoleName="job", PolicyName="two", PolicyDocument=document("s3:PutObject"))
    managed = iam.create_policy(PolicyName="managed", PolicyDocument=document("kms:Encrypt"))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="job", PolicyArn=managed)
    found = facts(iam, arn)
    assert actions(found) == {"s3:GetObject", "s3:PutObject", "kms:Encrypt"}
    assert found.boundary == boundary
    assert [statement.principals for statement in found.trust] == [{"Service": ("bedrock.amazonaws.com",)}]
    iam.create_policy_version(PolicyArn=managed, PolicyDocument=document("kms:Decrypt"), SetAsDefault=True)
    assert "kms:Decrypt" in actions(facts(iam, arn))
    assert "kms:Encrypt" not in actions(facts(iam, arn))


def test_a_role_under_a_path_is_found_and_one_of_another_path_is_not(iam: Any) -> None:
    arn = iam.create_role(RoleName="job", Path="/service-role/", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    assert facts(iam, arn).arn == arn
    assert role_facts(iam, arn.replace("service-role/", "")) is None


def test_there_may_be_no_such_role(iam: Any) -> None:
    assert role_facts(iam, f"arn:aws:iam::{ACCOUNT}:role/none") is None


def test_policies_are_read_to_the_last_page() -> None:
    def listed(key: str, names: dict[str, Any], more: dict[str, Any]) -> Any:
        def page(params: Any) -> dict[str, Any]:
            if "Marker" in params:
                return {key: [more]}
            return {key: [names], "IsTruncated": True, "Marker": "next"}

        return page

    def attached(name: str) -> dict[str, Any]:
        return {"PolicyName": name, "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/{name}"}

    def named(params: Any) -> dict[str, Any]:
        text = document(f"s3:{params['PolicyName']}")
        return {"RoleName": "job", "PolicyName": params["PolicyName"], "PolicyDocument": text}

    aws = in_order().but(
        {
            ("iam", "ListRolePolicies"): lambda params: (
                {"PolicyNames": ["Two"]}
                if "Marker" in params
                else {"PolicyNames": ["One"], "IsTruncated": True, "Marker": "next"}
            ),
            ("iam", "GetRolePolicy"): named,
            ("iam", "ListAttachedRolePolicies"): listed("AttachedPolicies", attached("Three"), attached("Four")),
            ("iam", "GetPolicyVersion"): lambda params: {
                "PolicyVersion": {"Document": document(f"s3:{params['PolicyArn'].rsplit('/', 1)[-1]}")}
            },
        }
    )
    assert actions(facts(aws.client("iam"), ROLE)) == {"s3:One", "s3:Two", "s3:Three", "s3:Four"}


def test_one_broken_policy_makes_the_permissions_unknown() -> None:
    version = {"PolicyVersion": {"Document": "%7B"}}
    found = facts(in_order().but({("iam", "GetPolicyVersion"): version}).client("iam"), ROLE)
    assert isinstance(found.permissions, Unknown)
    assert found.permissions.action == "iam:GetPolicyVersion"


def test_a_trust_policy_that_cannot_be_read_is_unknown() -> None:
    reply: Any = REPLIES["iam", "GetRole"]
    broken = {"Role": reply["Role"] | {"AssumeRolePolicyDocument": "{}"}}
    found = role_facts(in_order().but({("iam", "GetRole"): broken}).client("iam"), ROLE)
    assert isinstance(found, Unknown)
