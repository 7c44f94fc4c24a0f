"""The policies that docs/organisation.md gives organizations: valid, small enough, no hindrance to the stack."""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from contract.templates import ROOT, listed, properties, statements
from contract.test_template_access import authorization

PAGE = (ROOT / "docs/organisation.md").read_text()
POLICIES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
MAKING, PROTECTING, BOUNDARY = POLICIES
# Service control policies: 5,120 characters. Managed policies: 6,144 without white space.
LARGEST = 5120


def granted() -> set[str]:
    """Every action that a role of the stack is granted."""
    documents = [policy["PolicyDocument"] for policy in properties("AWS::IAM::Policy").values()]
    return {action for document in documents for s in statements(document) for action in listed(s["Action"])}


def names(statement: dict[str, Any], action: str) -> bool:
    return any(fnmatchcase(action, pattern) for pattern in listed(statement["Action"]))


@pytest.mark.parametrize("policy", POLICIES, ids=["making", "protecting", "boundary"])
def test_each_policy_is_small_enough(policy: dict[str, Any]) -> None:
    assert len(json.dumps(policy, separators=(",", ":"))) <= LARGEST


@pytest.mark.parametrize("policy", POLICIES, ids=["making", "protecting", "boundary"])
def test_each_statement_is_explained_and_names_actions_that_exist(policy: dict[str, Any]) -> None:
    reference = authorization()
    for statement in policy["Statement"]:
        assert f"| {statement['Sid']} |" in PAGE
        for action in listed(statement["Action"]):
            service, _, name = action.partition(":")
            assert any(fnmatchcase(known, name.lower()) for known in reference[service]["Actions"]), action


def test_a_control_policy_only_denies() -> None:
    assert {s["Effect"] for policy in (MAKING, PROTECTING) for s in policy["Statement"]} == {"Deny"}


def test_the_boundary_allows_everything_the_stack_grants() -> None:
    allowed = [s for s in BOUNDARY["Statement"] if s["Effect"] == "Allow"]
    assert [action for action in sorted(granted()) if not any(names(s, action) for s in allowed)] == []


def test_the_boundary_refuses_nothing_the_stack_grants() -> None:
    refused = [s for s in BOUNDARY["Statement"] if s["Effect"] == "Deny" and "Condition" not in s]
    assert [action for action in sorted(granted()) if any(names(s, action) for s in refused)] == []


def test_the_boundary_gives_no_way_to_more_rights() -> None:
    (allowed,) = (s for s in BOUNDARY["Statement"] if s["Effect"] == "Allow")
    ways = ["iam:CreateRole", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "sts:AssumeRole", "kms:PutKeyPolicy"]
    assert [action for action in ways if names(allowed, action)] == []


@pytest.mark.parametrize("policy", [MAKING, PROTECTING], ids=["making", "protecting"])
def test_the_roles_that_are_spared_are_the_stacks(policy: dict[str, Any]) -> None:
    roles = {
        role["RoleName"]["Fn::Sub"].replace("${Prefix}", "tunegate") for role in properties("AWS::IAM::Role").values()
    }
    spared = re.findall(r"role/([\w-]+)\"", json.dumps(policy))
    assert set(spared) <= roles | {"DEPLOYMENT-ROLE", "tunegate-"}
