"""The gate's account in memory: its buckets, its ledger, its topic with somebody on call, and its queue of jobs."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from moto import mock_aws

from functional.conftest import TABLE, make_ledger
from tunegate.act.tags import Tag
from tunegate.model import ObjectVersion
from unit.policy_world import ACCOUNT, DATA_KEY, GROUP, MODEL_KEY, REGION, SUBNET

ARNS = f"arn:aws:{{}}:{REGION}:{ACCOUNT}:{{}}"
INTAKE, APPROVED, QUARANTINE, OUTPUT, EVIDENCE, POLICY = BUCKETS = tuple(
    f"tunegate-{purpose}" for purpose in ("intake", "approved", "quarantine", "output", "evidence", "policy")
)
SCAN, SCAN_MODEL = (ARNS.format("states", f"stateMachine:tunegate-{name}") for name in ("scan", "scan-model"))
FIXED = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "POWERTOOLS_TRACE_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": "tunegate",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    **{f"{bucket.removeprefix('tunegate-').upper()}_BUCKET": bucket for bucket in BUCKETS},
    "LEDGER_TABLE": TABLE,
    "ANSWERS_TABLE": "answers",
    "SCAN_STATE_MACHINE_ARN": SCAN,
    "MODEL_SCAN_STATE_MACHINE_ARN": SCAN_MODEL,
    "ALERTS_TOPIC_ARN": f"arn:aws:sns:{REGION}:123456789012:alerts",
    "QUIET_MINUTES": "0",
    "FOLLOW_UP_SECONDS": "300",
    "RESULTS_PREFIX": "macie",
    "ACCOUNT_ID": ACCOUNT,
    "SUBNET_IDS": SUBNET,
    "SECURITY_GROUP_IDS": GROUP,
    "DATA_KEY_ARN": DATA_KEY,
    "QUARANTINE_KEY_ARN": DATA_KEY,
    "MODEL_KEY_ARN": MODEL_KEY,
    "PERMISSIONS_BOUNDARY_ARN": "none",
}


@dataclass
class Account:
    """Clients of the account's administrator, whose calls are never made to fail."""

    s3: Any
    dynamodb: Any
    sqs: Any
    jobs_queue: str = ""
    alerts_queue: str = ""
    _bodies: dict[ObjectVersion, bytes] = field(default_factory=dict)

    def fill(self) -> None:
        """Make everything anew."""
        self._bodies.clear()
        for bucket in BUCKETS:
            self.s3.create_bucket(Bucket=bucket)
            self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        make_ledger(self.dynamodb)
        self.dynamodb.create_table(
            TableName="answers",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        sns = boto3.client("sns")
        topic = sns.create_topic(Name="alerts")["TopicArn"]
        self.jobs_queue = self.sqs.create_queue(QueueName="jobs")["QueueUrl"]
        self.alerts_queue = self.sqs.create_queue(QueueName="on-call")["QueueUrl"]
        on_call = self.sqs.get_queue_attributes(QueueUrl=self.alerts_queue, AttributeNames=["QueueArn"])
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=on_call["Attributes"]["QueueArn"])
        os.environ |= {
            "ALERTS_TOPIC_ARN": topic,
            "JOBS_QUEUE_URL": self.jobs_queue,
        }

    def upload(self, key: str, body: bytes) -> ObjectVersion:
        put = self.s3.put_object(
            Bucket=INTAKE, Key=key, Body=body, ServerSideEncryption="aws:kms", SSEKMSKeyId=DATA_KEY
        )
        return ObjectVersion(INTAKE, key, put["VersionId"])

    def versions(self, bucket: str) -> Iterator[tuple[ObjectVersion, bytes]]:
        """Every version in a bucket with its body."""
        for entry in self.s3.list_object_versions(Bucket=bucket).get("Versions", []):
            version = ObjectVersion(bucket, entry["Key"], entry["VersionId"])
            if version not in self._bodies:
                named = {"Bucket": bucket, "Key": version.key, "VersionId": version.version_id}
                self._bodies[version] = self.s3.get_object(**named)["Body"].read()
            yield version, self._bodies[version]

    def verdict_on(self, version: ObjectVersion) -> str:
        """The verdict a version is tagged with; empty for none."""
        named = {"Bucket": version.bucket, "Key": version.key, "VersionId": version.version_id}
        tags = {tag["Key"]: tag["Value"] for tag in self.s3.get_object_tagging(**named)["TagSet"]}
        return str(tags.get(Tag.VERDICT, ""))

    def policy(self) -> bytes:
        """The document in force; empty while that is the default one."""
        key = "accepted/current.json"
        if not self.s3.list_objects_v2(Bucket=POLICY, Prefix=key)["KeyCount"]:
            return b""
        return bytes(self.s3.get_object(Bucket=POLICY, Key=key)["Body"].read())

    def rows(self) -> list[dict[str, Any]]:
        """The ledger, in DynamoDB's typed notation."""
        return [dict(item) for item in self.dynamodb.scan(TableName=TABLE)["Items"]]

    def alerts(self) -> list[dict[str, Any]]:
        """What on-call has received so far, repeats included."""
        taken = self.sqs.receive_message(QueueUrl=self.alerts_queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(json.loads(message["Body"])["Message"]) for message in taken.get("Messages", [])]


@contextmanager
def in_memory(begun: Callable[[], None]) -> Iterator[tuple[Account, Any]]:
    """The account, and what empties it. `begun` is called before any client is made."""
    with mock_aws() as mock:
        begun()
        yield Account(boto3.client("s3"), boto3.client("dynamodb"), boto3.client("sqs")), mock
