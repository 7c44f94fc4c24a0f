"""Bucket policies: a statement that is gone, or still there and narrower, is a guarantee lost."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunegate.job_facts import BucketFacts
from tunegate.judge.controls.guarantees import GUARANTEES, lost
from tunegate.judge.jobs import judge_estate
from tunegate.observe.documents import parse_document
from unit.estate_world import (
    GATE_ROLES,
    IMPORT_ROLE,
    EstateBreak,
    EstateChange,
    bucket_policy,
    bucket_with,
    estate,
    guarantee_statement,
)
from unit.job_world import assert_breaks_only
from unit.policy_world import DATA_KEY, OTHER_KEY, VPC_ID, document

STACK = Path(__file__).parents[2] / "stacks" / "guarantees.yaml"


def without_statement(purpose: str, sid: str) -> EstateChange:
    left = tuple(statement for statement in bucket_policy(purpose) if statement.sid != sid)
    return bucket_with(purpose, policy=left)


def weakened(purpose: str, sid: str, **members: Any) -> EstateChange:
    changed = document(guarantee_statement(purpose, sid) | members)
    rest = tuple(statement for statement in bucket_policy(purpose) if statement.sid != sid)
    return bucket_with(purpose, policy=(*rest, *changed))


def sparing(*arns: str) -> dict[str, Any]:
    return {"ArnNotEquals": {"aws:PrincipalArn": list(arns)}}


SETTLE = f"{GATE_ROLES}settle-object"

BREAKS = (
    *(
        EstateBreak("estate.bucket_guarantees", without_statement(purpose, sid), f"tunegate-{purpose} has lost", sid)
        for purpose, guarantees in GUARANTEES.items()
        for sid in guarantees
    ),
    EstateBreak(
        "estate.bucket_guarantees",
        weakened("approved", "OnlyTheGateWrites", Condition=sparing(SETTLE, "arn:aws:iam::111122223333:role/intern")),
        "spares",
        "a principal that is none of the gate's",
    ),
    EstateBreak(
        "estate.bucket_guarantees",
        weakened("approved", "NobodyDeletes", Action="s3:DeleteObject"),
        "does not deny s3:deleteobjectversion",
        "an action less",
    ),
    EstateBreak(
        "estate.bucket_guarantees",
        weakened("quarantine", "OnlyTheGateReads", Resource="arn:aws:s3:::tunegate-quarantine/old/*"),
        "does not cover all of tunegate-quarantine/*",
        "a prefix instead of all",
    ),
    EstateBreak(
        "estate.bucket_guarantees",
        weakened(
            "intake", "OnlyScannersRead", Condition=sparing(SETTLE) | {"Bool": {"aws:MultiFactorAuthPresent": "0"}}
        ),
        "binds only by Bool aws:MultiFactorAuthPresent",
        "one more condition",
    ),
    EstateBreak(
        "estate.bucket_guarantees",
        weakened(
            "approved", "ReadFromTheNetwork", Condition={"StringNotEquals": {"aws:SourceVpc": [VPC_ID, "vpc-0bb"]}}
        ),
        "vpc-0bb",
        "another network",
    ),
    EstateBreak(
        "estate.bucket_guarantees",
        weakened(
            "intake",
            "NoOtherKey",
            Condition={"StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": OTHER_KEY}},
        ),
        OTHER_KEY,
        "another key",
    ),
    EstateBreak(
        "estate.bucket_guarantees",
        weakened("approved", "NobodyDeletes", Principal={"AWS": SETTLE}),
        "has lost the statement NobodyDeletes",
        "held to one principal",
    ),
    EstateBreak(
        "estate.bucket_guarantees",
        weakened("approved", "NobodyDeletes", Condition={"ArnEquals": {"aws:PrincipalArn": [SETTLE]}}),
        "binds only by ArnEquals",
        "turned around",
    ),
)


@pytest.mark.parametrize("case", BREAKS, ids=str)
def test_one_change_breaks_one_control(case: EstateBreak) -> None:
    assert_breaks_only(case.control, case.names, judge_estate(case.facts))


def test_a_statement_that_denies_more_gives_its_guarantee_too() -> None:
    everything = weakened("approved", "NobodyDeletes", Action="s3:*", Condition={})(estate()).buckets["approved"]
    assert isinstance(everything, BucketFacts)
    assert isinstance(everything.policy, tuple)
    assert list(lost("approved", everything.policy, estate().deployed)) == []


class _Template(yaml.SafeLoader):
    """A template with its intrinsic functions as their arguments, where a name stands for what it names."""


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return _value(node.value)
    assert isinstance(node, yaml.SequenceNode)
    found = loader.construct_sequence(node, deep=True)
    # Without a break-glass role, which is the default.
    return found[2] if suffix == "If" else found


def _value(name: str) -> Any:
    values = {
        "AWS::NoValue": None,
        "VpcId": VPC_ID,
        "DataKeyArn": DATA_KEY,
        "ModelCustomizationRoleArn": estate().deployed.role_arns[0],
        "ModelImportRoleArn": IMPORT_ROLE,
    }
    if name in values:
        return values[name]
    if name.endswith("RoleArn"):
        return f"{GATE_ROLES}{name.removesuffix('RoleArn')}"
    for purpose in GUARANTEES:
        name = name.replace(f"${{{purpose.title()}Bucket}}", f"tunegate-{purpose}")
    return name.replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", "111122223333")


_Template.add_multi_constructor("!", _intrinsic)


def _present(value: Any) -> Any:
    """Without what `AWS::NoValue` takes out."""
    if isinstance(value, dict):
        return {name: _present(item) for name, item in value.items() if item is not None and _present(item) != {}}
    return [_present(item) for item in value if item is not None] if isinstance(value, list) else value


@pytest.mark.parametrize("purpose", GUARANTEES)
def test_the_stacks_own_bucket_policies_give_their_guarantees(purpose: str) -> None:
    template = yaml.load(STACK.read_text(), _Template)  # noqa: S506  (our own loader, made from the safe one)
    policy = _present(template["Resources"][f"{purpose.title()}BucketPolicy"]["Properties"]["PolicyDocument"])
    deployed = estate().deployed
    macie = "arn:aws:iam::111122223333:role/aws-service-role/macie.amazonaws.com/"
    exempting = replace(deployed, exempt=(*deployed.exempt, macie))
    assert list(lost(purpose, parse_document(policy), exempting)) == []
