"""Putting back what an attack may take away."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

from e2e.job_world import JobWorld
from tunegate_local.deploy import subscribe


@contextmanager
def lifecycle(world: JobWorld, bucket: str) -> Iterator[None]:
    s3 = world.client("s3")
    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    try:
        yield
    finally:
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})


@contextmanager
def object_lock(world: JobWorld, bucket: str) -> Iterator[None]:
    s3 = world.client("s3")
    before = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    try:
        yield
    finally:
        s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=before)


@contextmanager
def bucket_policy(world: JobWorld, bucket: str) -> Iterator[None]:
    s3 = world.client("s3")
    before = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    try:
        yield
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=before)


@contextmanager
def subscription(world: JobWorld) -> Iterator[str]:
    """The on-call's subscription, made again where it is gone."""
    sns, topic = world.client("sns"), world.output("AlertsTopicArn")
    [found] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    try:
        yield str(found["SubscriptionArn"])
    finally:
        if not sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
            subscribe(world.deployment.cloud.environment(), topic, found["Endpoint"])


@contextmanager
def topic_policy(world: JobWorld) -> Iterator[None]:
    sns, topic = world.client("sns"), world.output("AlertsTopicArn")
    before = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    try:
        yield
    finally:
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=before)


@contextmanager
def trust(world: JobWorld, role: str) -> Iterator[None]:
    iam, name = world.client("iam"), role.rsplit("/", 1)[1]
    before = json.dumps(iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"])
    try:
        yield
    finally:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=before)


@contextmanager
def role_policy(world: JobWorld, role: str, policy: str) -> Iterator[None]:
    """Without an inline policy that was not there."""
    try:
        yield
    finally:
        try:
            world.client("iam").delete_role_policy(RoleName=role.rsplit("/", 1)[1], PolicyName=policy)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchEntity":
                raise


@contextmanager
def no_events(world: JobWorld) -> Iterator[None]:
    """Nobody is told of anything."""
    world.drop_events()
    try:
        yield
    finally:
        world.deliver_events()
