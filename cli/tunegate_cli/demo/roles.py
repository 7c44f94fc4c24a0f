"""Sessions of the deployment's own roles: the administrator of an account is bound by nothing that is to be shown."""

import json
from typing import TYPE_CHECKING, Any, cast

import boto3

from tunegate_cli.stack import Stack

if TYPE_CHECKING:
    from boto3.session import Session


def as_role(stack: Stack, arn: str) -> "Session":
    """A session of that role, for the demo's length."""
    credentials = stack.sts.assume_role(RoleArn=arn, RoleSessionName="tunegate-demo")["Credentials"]
    return boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def as_service_role(stack: Stack, arn: str) -> "Session":
    """A session of a role that only Bedrock may take: it trusts this account too for the moment it takes to begin one.

    Only for the embedded cloud, where there is no Bedrock to start a job in.
    """
    iam = stack.session.client("iam")
    name = arn.rsplit("/", 1)[-1]
    trust = cast("dict[str, Any]", iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"])
    us = {"Effect": "Allow", "Principal": {"AWS": stack.sts.get_caller_identity()["Arn"]}, "Action": "sts:AssumeRole"}
    iam.update_assume_role_policy(
        RoleName=name, PolicyDocument=json.dumps(trust | {"Statement": [*trust["Statement"], us]})
    )
    try:
        return as_role(stack, arn)
    finally:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
