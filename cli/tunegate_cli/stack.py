"""The deployment a command speaks to: a CloudFormation stack's outputs, and clients by boto3's usual settings."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import ClientError

from tunegate.errors import error_code
from tunegate_cli.errors import CommandError

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

DEFAULT_NAME = "tunegate"
FUNCTION_SECONDS = 310
"""How long a function may take to answer: a little more than the longest is given in the template."""
StackName = Annotated[
    str, typer.Option("--stack", envvar="TUNEGATE_STACK", help="The CloudFormation stack Tunegate was deployed as.")
]


@dataclass(frozen=True)
class Stack:
    """A deployed Tunegate. Its attributes are named as the stack's outputs are."""

    name: str
    outputs: Mapping[str, str]
    session: "Session"

    def output(self, name: str) -> str:
        try:
            return self.outputs[name]
        except KeyError:
            raise CommandError(
                f"The stack {self.name} has no output {name}: deploy this version of Tunegate."
            ) from None

    @property
    def intake(self) -> str:
        return self.output("IntakeBucket")

    @property
    def approved(self) -> str:
        return self.output("ApprovedBucket")

    @property
    def quarantine(self) -> str:
        return self.output("QuarantineBucket")

    @property
    def evidence(self) -> str:
        return self.output("EvidenceBucket")

    @property
    def policies(self) -> str:
        return self.output("PolicyBucket")

    @property
    def data_key(self) -> str:
        return self.output("DataKeyArn")

    @property
    def ledger(self) -> str:
        return self.output("LedgerTable")

    @cached_property
    def s3(self) -> "S3Client":
        return self.session.client("s3")

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        return self.session.client("dynamodb")

    @cached_property
    def lambda_(self) -> "LambdaClient":
        # An audit takes minutes: a client that gave up sooner would ask for another one.
        return self.session.client("lambda", config=Config(read_timeout=FUNCTION_SECONDS))

    @cached_property
    def stepfunctions(self) -> "SFNClient":
        return self.session.client("stepfunctions")

    @cached_property
    def sqs(self) -> "SQSClient":
        return self.session.client("sqs")

    @cached_property
    def sts(self) -> "STSClient":
        return self.session.client("sts")


def find_stack(name: str | None = None, session: "Session | None" = None) -> Stack:
    """The deployed stack of that name. Raises `CommandError` where there is none."""
    name = name or os.environ.get("TUNEGATE_STACK") or DEFAULT_NAME
    session = session or boto3.Session()
    try:
        stacks = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error_code(error) == "ValidationError":
            raise _absent(name) from None
        raise
    if not stacks:
        raise _absent(name)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
    return Stack(name, outputs, session)


def _absent(name: str) -> CommandError:
    return CommandError(
        f"No stack named {name} in this account and Region: name yours with --stack, deploy it with `sam deploy`, "
        "or start the embedded cloud with `tunegate up`."
    )
