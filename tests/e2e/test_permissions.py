"""Least privilege, held against what happened: no function may do what it never did in all the tests before this one.

It runs last. What only happens when something fails, or is done by AWS with the function's role and not by its code, is
listed here with the reason; whatever is neither used nor listed has to go, and what a function was refused has to come.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import Deployment
from e2e.job_world import JobWorld

BY_LAMBDA = "Lambda itself does this with the function's role, where no code of ours runs"
BY_THE_TABLE = "DynamoDB does this with the caller's rights for a table under a CMK; the embedded cloud does not ask"
BY_THE_QUEUE = "SQS does this with the caller's rights for a queue under a CMK; the embedded cloud does not ask"
BY_THE_TOPIC = "SNS does this with the caller's rights for a topic under a CMK; the embedded cloud does not ask"
BY_BEDROCK = "Bedrock does this with the rights of whoever creates the job"
LARGE = "only of files above the size that one copy takes"
FAILED = "only where an invocation failed for good, or a multipart copy was cut short"
ABSENT = "makes S3 say 404 and not 403 of what is not there"
ELSEWHERE = "only of jobs and models that SageMaker made, or of policies that are attached by ARN"
REASONS = frozenset({BY_LAMBDA, BY_THE_TABLE, BY_THE_QUEUE, BY_THE_TOPIC, BY_BEDROCK, LARGE, FAILED, ABSENT, ELSEWHERE})

OF_EVERY_FUNCTION = {
    "logs:CreateLogStream": BY_LAMBDA,
    "logs:PutLogEvents": BY_LAMBDA,
    "xray:PutTraceSegments": BY_LAMBDA,
    "xray:PutTelemetryRecords": BY_LAMBDA,
}
UNUSED: Mapping[str, Mapping[str, str]] = {}


def granted(world: JobWorld, role: str) -> frozenset[str]:
    """Every action the deployed policies of a role allow."""
    iam, name = world.client("iam"), role.rsplit("/", 1)[1]
    documents = [
        iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    return frozenset(action for document in documents for action in _actions(document))


def _actions(document: Mapping[str, Any]) -> Iterator[str]:
    for statement in document["Statement"]:
        listed = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        yield from listed


def used(world: JobWorld) -> dict[str, set[str]]:
    """By function, what its own sessions were allowed; what a test did in its name does not count."""
    found: dict[str, set[str]] = {}
    for call in world.control("GET", "calls"):
        for session in call["sessions"]:
            if session.startswith("tunegate-"):
                found.setdefault(session, set()).add(call["action"])
    return found


@pytest.fixture(scope="module")
def world(deployment: Deployment, request: pytest.FixtureRequest) -> JobWorld:
    """Only where all the tests ran that make the functions work."""
    ran = {item.path.name for item in request.session.items}
    missing = {file.name for file in Path(__file__).parent.glob("test_*.py")} - ran
    if missing:
        pytest.skip(f"it takes the whole end-to-end run; not in this one: {', '.join(sorted(missing))}")
    return JobWorld(deployment)


def functions(world: JobWorld) -> dict[str, str]:
    pages = world.client("lambda").get_paginator("list_functions").paginate()
    return {function["FunctionName"]: function["Role"] for page in pages for function in page["Functions"]}


def test_no_function_holds_a_permission_it_never_uses(world: JobWorld) -> None:
    seen = used(world)
    unused = {}
    for name, role in functions(world).items():
        excused = {**OF_EVERY_FUNCTION, **UNUSED.get(name.removeprefix("tunegate-"), {})}
        left = granted(world, role) - seen.get(name, set()) - excused.keys()
        if left:
            unused[name] = sorted(left)
    assert unused == {}


def test_no_reason_is_given_for_what_is_used_or_not_granted(world: JobWorld) -> None:
    seen, roles = used(world), functions(world)
    stale = {
        (name, action)
        for name, excused in UNUSED.items()
        for action in excused
        if action not in granted(world, roles[f"tunegate-{name}"]) - seen.get(f"tunegate-{name}", set())
    }
    assert stale == set()
    assert {reason for excused in UNUSED.values() for reason in excused.values()} <= REASONS


def test_no_function_lacks_a_permission(world: JobWorld) -> None:
    """What a function was refused without any policy having denied it, in tests that take no permission away."""
    lacking = {
        (name, refusal["action"])
        for name, role in functions(world).items()
        for refusal in world.control("GET", f"refusals?{name}")
        if refusal["decision"] == "ImplicitDeny" and refusal["action"] not in granted(world, role)
    }
    assert lacking == set()
