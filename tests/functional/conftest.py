"""An account in memory: the gate's buckets and ledger, as the functions find them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from tunegate.act.ledger import Ledger
from tunegate.act.promote import Destination, Upload
from tunegate.model import ObjectVersion
from tunegate.observe.ledger import RECENT_INDEX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient

REGION = "us-east-1"
BUCKETS = ("intake", "approved", "quarantine", "evidence", "policy")
TABLE = "ledger"


@dataclass(frozen=True)
class Account:
    s3: "S3Client"
    dynamodb: "DynamoDBClient"
    sns: "SNSClient"
    key: str

    @property
    def approved(self) -> Destination:
        return Destination("approved", self.key, ranked=True)

    @property
    def quarantine(self) -> Destination:
        return Destination("quarantine", self.key, ranked=False)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.dynamodb, TABLE)

    def upload(self, key: str, body: bytes, order: str = "01") -> Upload:
        answer = self.s3.put_object(Bucket="intake", Key=key, Body=body, ContentType="application/jsonl")
        return Upload(ObjectVersion("intake", key, answer["VersionId"]), order)

    def bodies(self, bucket: str, key: str) -> list[bytes]:
        """The versions of a key, newest first."""
        listed = self.s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", [])
        return [self.s3.get_object(Bucket=bucket, Key=key, VersionId=v["VersionId"])["Body"].read() for v in listed]

    def tags(self, version: ObjectVersion) -> dict[str, str]:
        tags = self.s3.get_object_tagging(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)[
            "TagSet"
        ]
        return {tag["Key"]: tag["Value"] for tag in tags}

    def rows(self) -> list[dict[str, Any]]:
        return [dict(item) for item in self.dynamodb.scan(TableName=TABLE)["Items"]]


def make_ledger(dynamodb: "DynamoDBClient") -> None:
    """The ledger with its index, as stacks/storage.yaml has them."""
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "entity", "at")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": RECENT_INDEX,
                "KeySchema": [
                    {"AttributeName": "entity", "KeyType": "HASH"},
                    {"AttributeName": "at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        built = Account(boto3.client("s3"), boto3.client("dynamodb"), boto3.client("sns"), "")
        key = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
        for bucket in BUCKETS:
            built.s3.create_bucket(Bucket=bucket)
            built.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        make_ledger(built.dynamodb)
        yield Account(built.s3, built.dynamodb, built.sns, key)
