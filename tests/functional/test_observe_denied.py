"""Whatever the job gate may not read is told as unknown, by the permission it takes; what may pass is tried again."""

from collections.abc import Callable
from typing import Any

import pytest

from contract.aws_calls import OBSERVED, calls
from functional.aws_answers import Answers, Operation, Refusal, unknowns_in
from functional.aws_in_order import (
    BEGAN,
    COPY,
    DEPLOYMENT,
    ENDED,
    EXPECTED,
    IMPORT,
    IMPORTED,
    JOB,
    KEY,
    MODEL,
    PACKAGE,
    ROLE,
    STACK,
    SUBNET,
    THROUGHPUT,
    TRAINING,
    VPC,
    in_order,
)
from tunegate.errors import RetryableError
from tunegate.job_rules import JobRules
from tunegate.observe.buckets import bucket_facts
from tunegate.observe.descriptions import describe, tags_of
from tunegate.observe.estate import estate_facts
from tunegate.observe.inputs import inputs, output_keys
from tunegate.observe.keys import key_facts
from tunegate.observe.listings import endpoints_of
from tunegate.observe.networks import flow_logs, network
from tunegate.observe.roles import role_facts
from tunegate.subject import subject_of


def described(arn: str) -> Callable[[Answers], Any]:
    return lambda aws: describe(aws.client("bedrock"), aws.client("sagemaker"), subject_of(arn))


LOOKS: dict[str, Callable[[Answers], Any]] = {
    **{
        subject_of(arn).kind.value: described(arn)
        for arn in (JOB, IMPORT, COPY, MODEL, IMPORTED, THROUGHPUT, DEPLOYMENT, TRAINING, PACKAGE)
    },
    "tags": lambda aws: tags_of(aws.client("bedrock"), MODEL),
    "endpoints": lambda aws: endpoints_of(aws.client("bedrock"), MODEL),
    "key": lambda aws: key_facts(aws.client("kms"), KEY),
    "role": lambda aws: role_facts(aws.client("iam"), ROLE),
    "network": lambda aws: network(aws.client("ec2"), [SUBNET]),
    "flow logs": lambda aws: flow_logs(aws.client("ec2"), VPC),
    "bucket": lambda aws: bucket_facts(aws.client("s3"), "approved", protections=True),
    "bucket's key": lambda aws: bucket_facts(aws.client("s3"), "approved", protections=False),
    "inputs": lambda aws: inputs(
        aws.client("s3"), ("s3://approved/train.jsonl",), BEGAN, ENDED, lambda key, version: ("clean", "digest", True)
    ),
    "outputs": lambda aws: output_keys(aws.client("s3"), "s3://output/jobs/tune/"),
    "estate": lambda aws: estate_facts(aws.client, STACK, JobRules(), EXPECTED),
}

# Where the permission is not called like the operation. Service Authorization Reference, Amazon S3.
PERMISSIONS = {
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "ListObjectVersions": "s3:ListBucketVersions",
    "ListObjectsV2": "s3:ListBucket",
    "GetObjectTagging": "s3:GetObjectVersionTagging",
}
DENIALS = {"s3": "AccessDenied", "iam": "AccessDenied", "ec2": "UnauthorizedOperation"}


def reads() -> list[tuple[str, Operation]]:
    """Each operation that each look makes, as recorded by looking."""
    found = []
    for look, at in LOOKS.items():
        aws = in_order()
        assert list(unknowns_in(at(aws))) == []
        found += [(look, operation) for operation in dict.fromkeys(aws.asked)]
    return found


READS = reads()
NAMES = [f"{look}: {operation}" for look, (_, operation) in READS]


def denial(operation: Operation) -> Refusal:
    service, name = operation
    # HEAD has no body to say more.
    code = "403" if name == "HeadObject" else DENIALS.get(service, "AccessDeniedException")
    return Refusal(code, f"User: arn:aws:sts::111122223333:assumed-role/x/y is not authorized to perform: {name}", 403)


def permission(look: str, operation: Operation) -> str:
    service, name = operation
    if name == "HeadObject":
        return "s3:GetObject" if look == "outputs" else "s3:GetObjectVersion"
    return PERMISSIONS.get(name, f"{service}:{name}")


@pytest.mark.parametrize(("look", "operation"), READS, ids=NAMES)
def test_a_denied_read_is_unknown_and_names_the_permission(look: str, operation: Operation) -> None:
    facts = LOOKS[look](in_order().but({operation: denial(operation)}))
    missing = list(unknowns_in(facts))
    assert {unknown.action for unknown in missing} == {permission(look, operation)}
    assert {unknown.error for unknown in missing} == {denial(operation).code}
    assert all(unknown.resource for unknown in missing)


@pytest.mark.parametrize(("look", "operation"), READS, ids=NAMES)
def test_a_throttled_read_is_tried_again(look: str, operation: Operation) -> None:
    throttled = Refusal("SlowDown", status=503) if operation[0] == "s3" else Refusal("ThrottlingException")
    with pytest.raises(RetryableError):
        LOOKS[look](in_order().but({operation: throttled}))


def test_no_read_of_the_room_is_left_out() -> None:
    # What serves a model is listed by operations whose names stand in a table.
    listed = {("bedrock", "ListCustomModelDeployments"), ("bedrock", "ListProvisionedModelThroughputs")}
    made = {(call.service, call.operation.name) for call in calls(*OBSERVED)}
    assert made | listed == {operation for _, operation in READS}
