"""Least privilege, held against what happened: no function may do what it never did in all the tests before this one.

It runs last. What only happens when something fails, or is done by AWS with the function's role and not by its code,
is listed here with the reason, and may be used or not; whatever is neither used nor listed has to go, and what a
function was refused has to come.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from attacks import undo
from attacks.ground import Ground
from e2e.conftest import Deployment, wait_for
from e2e.job_world import BASE_MODEL, RECORDS, JobWorld

BY_LAMBDA = "Lambda does this with the function's role, where no code of ours runs"
BY_THE_TABLE = "DynamoDB does this with the caller's rights for a table under a CMK; the embedded cloud does not ask"
BY_THE_QUEUE = "SQS does this with the caller's rights for a queue under a CMK; the embedded cloud does not ask"
BY_A_MOVE = "SQS does this with the rights of whoever starts a move of messages"
BY_THE_TOPIC = "SNS does this with the caller's rights for a topic under a CMK; the embedded cloud does not ask"
ABSENT = "makes S3 answer 404 and not 403 of what is not there"
FAILED = "only where an invocation has failed for good"
CUT_SHORT = "only where a copy was cut short"
REMOVED = "only when the stack is removed"
REPEATED = "only where a service answers again, and worse"
BY_BEDROCK = "Bedrock does this with the rights of whoever creates the job"
ATTACHED = "only of roles that have policies attached by ARN"
BY_SAGEMAKER = "only of what SageMaker made"
BY_JOB_POLICY = "only where the policy has rejected imports deleted"
BY_POLICY = "only where the policy asks Comprehend's classifier for prompts"

OF_EVERY_FUNCTION = {
    "logs:CreateLogStream": BY_LAMBDA,
    "logs:PutLogEvents": BY_LAMBDA,
    "xray:PutTraceSegments": BY_LAMBDA,
    "xray:PutTelemetryRecords": BY_LAMBDA,
}
ON_THE_TABLE = {"kms:Decrypt": BY_THE_TABLE, "kms:DescribeKey": BY_THE_TABLE}
FROM_A_QUEUE = {
    "sqs:ReceiveMessage": BY_LAMBDA,
    "sqs:DeleteMessage": BY_LAMBDA,
    "sqs:GetQueueAttributes": BY_LAMBDA,
}
UNUSED: Mapping[str, Mapping[str, str]] = {
    "accept-policy": {
        "kms:DescribeKey": BY_THE_TABLE,
        "s3:ListBucket": ABSENT,
        "s3:ListBucketVersions": ABSENT,
        "sqs:SendMessage": FAILED,
    },
    "ask-macie": {"kms:DescribeKey": BY_THE_TABLE, "dynamodb:GetItem": REPEATED},
    "audit-estate": {"s3:ListBucket": ABSENT, "sqs:SendMessage": FAILED},
    "await-answer": ON_THE_TABLE,
    "configure-logging": {"bedrock:DeleteModelInvocationLoggingConfiguration": REMOVED},
    "follow-job": ON_THE_TABLE,
    "gather-models": {"kms:DescribeKey": BY_THE_TABLE, "s3:ListBucket": ABSENT},
    "hold-object": {
        **ON_THE_TABLE,
        "s3:ListBucket": ABSENT,
        "dynamodb:Query": CUT_SHORT,
        "s3:GetObjectVersionTagging": CUT_SHORT,
        "s3:PutObjectVersionTagging": CUT_SHORT,
    },
    "inspect-object": {"s3:ListBucket": ABSENT, "s3:ListBucketVersions": ABSENT},
    "judge-object": {"s3:ListBucket": ABSENT},
    "launch-job": {
        "kms:CreateGrant": BY_BEDROCK,
        "kms:Decrypt": BY_BEDROCK,
        "kms:DescribeKey": BY_BEDROCK,
        "kms:GenerateDataKey": BY_BEDROCK,
    },
    "reconcile": {"kms:DescribeKey": BY_THE_QUEUE, "kms:GenerateDataKey": BY_THE_QUEUE, "s3:ListBucket": ABSENT},
    "record-upload": ON_THE_TABLE,
    "redrive-messages": {
        "kms:Decrypt": BY_THE_QUEUE,
        "kms:GenerateDataKey": BY_THE_QUEUE,
        "sqs:SendMessage": BY_A_MOVE,
    },
    "revoke-object": {"kms:DescribeKey": BY_THE_TABLE, "s3:AbortMultipartUpload": CUT_SHORT, "sqs:SendMessage": FAILED},
    "release-object": {
        "kms:DescribeKey": BY_THE_TABLE,
        "s3:ListBucket": ABSENT,
        "s3:AbortMultipartUpload": CUT_SHORT,
    },
    "scan-model": {"s3:ListBucket": ABSENT},
    "scan-text": {
        "comprehend:ClassifyDocument": BY_POLICY,
        "kms:DescribeKey": BY_THE_TABLE,
        "s3:ListBucket": ABSENT,
        "s3:ListBucketVersions": ABSENT,
    },
    "send-alert": {
        **ON_THE_TABLE,
        "dynamodb:DescribeStream": BY_LAMBDA,
        "dynamodb:GetRecords": BY_LAMBDA,
        "dynamodb:GetShardIterator": BY_LAMBDA,
        "dynamodb:ListStreams": BY_LAMBDA,
        "kms:GenerateDataKey": BY_THE_TOPIC,
        "sqs:SendMessage": FAILED,
    },
    "settle-object": {
        "kms:DescribeKey": BY_THE_TABLE,
        "s3:ListBucket": ABSENT,
        "s3:AbortMultipartUpload": CUT_SHORT,
    },
    "start-scan": {**FROM_A_QUEUE, "kms:Decrypt": BY_THE_QUEUE},
    "take-answer": {
        **ON_THE_TABLE,
        "dynamodb:GetItem": REPEATED,
        "kms:GenerateDataKey": BY_THE_QUEUE,
        "sqs:SendMessage": FAILED,
    },
    "verify-job": {
        **FROM_A_QUEUE,
        "iam:GetPolicy": ATTACHED,
        "iam:GetPolicyVersion": ATTACHED,
        "bedrock:DeleteImportedModel": BY_JOB_POLICY,
        "sagemaker:DescribeModelPackage": BY_SAGEMAKER,
        "sagemaker:DescribeTrainingJob": BY_SAGEMAKER,
    },
}


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
    """Where all the tests ran that make the functions work, and with what only the command does besides."""
    ran = {item.path.name for item in request.session.items}
    missing = {file.name for file in Path(__file__).parent.glob("test_*.py")} - ran
    if missing:
        pytest.skip(f"it takes the whole end-to-end run; not in this one: {', '.join(sorted(missing))}")
    world = JobWorld(deployment)
    world.deliver_events()
    launch_both_kinds(world)
    rescue_an_upload(world)
    return world


def rescue_an_upload(world: JobWorld) -> None:
    """What reconcile does of an upload whose event was lost."""
    ground = Ground(world)
    with undo.no_events(world):
        upload = world.deployment.put(ground.fresh(), RECORDS)
    assert ground.decided_after_all(upload)


def launch_both_kinds(world: JobWorld) -> None:
    """What `tunegate train` and `tunegate import` do."""
    world.stage_seconds(0.3)
    world.settle_by_hand("permissions/train.jsonl", RECORDS)
    world.approve_model("models/permissions/")
    kinds = {
        "customization": {"data": "permissions/train.jsonl", "base_model": BASE_MODEL},
        "import": {"data": "models/permissions/"},
    }
    states = world.client("stepfunctions", world.output("LauncherRoleArn"))
    for kind, asked in kinds.items():
        request = {"kind": kind, "name": f"permissions-{kind}", "model": f"permissions-{kind}", **asked}
        started = states.start_execution(
            stateMachineArn=world.output("LaunchStateMachineArn"), input=json.dumps(request)
        )["executionArn"]

        def ended(execution: str = started) -> str | None:
            status = str(states.describe_execution(executionArn=execution)["status"])
            return None if status == "RUNNING" else status

        assert wait_for(f"the launch of an {kind}", ended) == "SUCCEEDED"


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
    assert not unused, json.dumps(unused)


def test_reasons_are_given_for_what_is_granted_only(world: JobWorld) -> None:
    roles = functions(world)
    stale = {
        (name, action)
        for name, excused in UNUSED.items()
        for action in excused
        if action not in granted(world, roles[f"tunegate-{name}"])
    }
    assert stale == set()


def test_no_function_lacks_a_permission(world: JobWorld) -> None:
    """What a function was refused without any policy having denied it, in tests that take no permission away."""
    lacking = {
        (name, refusal["action"])
        for name, role in functions(world).items()
        for refusal in world.control("GET", f"refusals?{name}")
        if refusal["decision"] == "ImplicitDeny" and refusal["action"] not in granted(world, role)
    }
    assert lacking == set()
