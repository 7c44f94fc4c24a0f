"""A deployment in memory for the command line: S3 and DynamoDB by moto, the other services as small fakes."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner, Result

from tunegate.act.ledger import write_once
from tunegate.model import Category, Decision, Finding, ObjectVersion, Severity, Verdict
from tunegate.rows import Action, DecisionRow
from tunegate_cli.main import app

KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/data"
ACTOR = "arn:aws:sts::111122223333:assumed-role/tunegate-operator/kim"
MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:tunegate-scan"
LAUNCH_MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:tunegate-launch"
OUTPUTS = {
    "IntakeBucket": "intake",
    "ApprovedBucket": "approved",
    "QuarantineBucket": "quarantine",
    "EvidenceBucket": "evidence",
    "PolicyBucket": "policy",
    "DataKeyArn": KEY_ARN,
    "LedgerTable": "ledger",
    "ReleaseFunctionName": "tunegate-release-object",
    "ScanStateMachineArn": MACHINE,
    "LaunchStateMachineArn": LAUNCH_MACHINE,
    "RedriveFunction": "tunegate-redrive-messages",
    "AuditFunction": "tunegate-audit-estate",
    "JobsQueueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/tunegate-jobs",
}
SSN = Finding(Category.PII, "SSN", Severity.HIGH, True, 8, "/prompt", 1, 1.0, ("screen",), ((3, 14),))


@dataclass
class FakeCloudFormation:
    stacks: dict[str, dict[str, str]]

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if StackName not in self.stacks:
            raise refused("DescribeStacks", "ValidationError", f"Stack with id {StackName} does not exist")
        outputs = self.stacks[StackName].items()
        return {"Stacks": [{"Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in outputs]}]}


@dataclass
class FakeSts:
    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": ACTOR}


@dataclass
class FakeLambda:
    answer: dict[str, Any]
    failed: bool = False
    payloads: list[dict[str, Any]] = field(default_factory=list)

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        assert FunctionName == OUTPUTS["ReleaseFunctionName"]
        self.payloads.append(json.loads(Payload))
        answer: dict[str, Any] = {"Payload": io.BytesIO(json.dumps(self.answer).encode())}
        return answer | ({"FunctionError": "Unhandled"} if self.failed else {})


@dataclass
class FakeStepFunctions:
    started: dict[str, dict[str, Any]] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)

    def describe_execution(self, executionArn: str) -> dict[str, str]:
        name = executionArn.rpartition(":")[2]
        if name not in self.statuses:
            raise refused("DescribeExecution", "ExecutionDoesNotExist", "")
        return {"status": self.statuses[name]}

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> dict[str, str]:
        assert stateMachineArn == MACHINE
        if name in self.started:
            raise refused("StartExecution", "ExecutionAlreadyExists", "")
        self.started[name] = json.loads(input)
        return {"executionArn": f"{MACHINE}:{name}"}


class World:
    """The account a command finds, and builders for what is in it."""

    def __init__(self) -> None:
        self.session = boto3.Session("id", "secret", region_name="us-east-1")
        self.s3 = self.session.client("s3")
        self.dynamodb = self.session.client("dynamodb")
        self.release = FakeLambda({"destination": {"bucket": "approved", "version_id": "a1"}, "verdict": "clean"})
        self.stepfunctions = FakeStepFunctions()
        self.fakes: dict[str, Any] = {
            "cloudformation": FakeCloudFormation({"tunegate": OUTPUTS}),
            "sts": FakeSts(),
            "lambda": self.release,
            "stepfunctions": self.stepfunctions,
            "s3": self.s3,
            "dynamodb": self.dynamodb,
        }
        self._make()

    def client(self, service: str, **_: Any) -> Any:
        return self.fakes[service]

    def run(self, *arguments: str) -> Result:
        """Run `tunegate` with these arguments, boto3's usual settings leading here."""
        with patch("boto3.Session", lambda: self):
            return run(*arguments)

    def put(self, key: str, bucket: str = "intake", body: bytes = b"{}") -> ObjectVersion:
        return ObjectVersion(bucket, key, self.s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"])

    def take_out(self, version: ObjectVersion) -> None:
        self.s3.delete_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)

    def decide(
        self, version: ObjectVersion, verdict: Verdict, at: str = "2026-11-22T10:00:00.000Z", **more: Any
    ) -> str:
        """Write a decision; returns its scan id. `more` are further fields of the row."""
        findings = (SSN,) if verdict is Verdict.FLAGGED else ()
        decision = Decision(version, verdict, "digest", more.pop("findings", findings), more.pop("reason", "a reason"))
        scan_id: str = more.pop("scan_id", version.digest)
        row = DecisionRow(decision, more.pop("action", Action.SCAN), scan_id, at, "0A", **more)
        write_once(self.dynamodb, "ledger", row.to_item())
        return scan_id

    def quarantine(self, key: str) -> ObjectVersion:
        """A file that was flagged. Returns the version it was uploaded as."""
        uploaded = self.put(key)
        self.decide(uploaded, Verdict.FLAGGED, destination=self.put(key, "quarantine"))
        self.take_out(uploaded)
        return uploaded

    def _make(self) -> None:
        for bucket in ("intake", "approved", "quarantine", "evidence", "policy"):
            self.s3.create_bucket(Bucket=bucket)
            self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        self.dynamodb.create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk", "entity", "at")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "recent",
                    "KeySchema": [
                        {"AttributeName": "entity", "KeyType": "HASH"},
                        {"AttributeName": "at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )


@contextmanager
def world() -> Iterator[World]:
    with mock_aws():
        yield World()


def run(*arguments: str) -> Result:
    """Run `tunegate` as a program whose output is piped."""
    return CliRunner(env={"TUNEGATE_STACK": None}).invoke(app, list(arguments))


def refused(operation: str, code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)
