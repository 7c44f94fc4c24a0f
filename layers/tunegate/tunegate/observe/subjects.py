"""What the ledger and the evidence bucket hold of jobs, models and the estate."""

import json
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tunegate.errors import aws_call, error_code
from tunegate.job_facts import InputObject, Standing
from tunegate.model import ObjectVersion, Verdict
from tunegate.observe.ledger import decisions_of, plain, recent
from tunegate.rows import Action, DecisionRow, Entity
from tunegate.subject import Kind
from tunegate.subject_rows import SubjectRow, origin_key, subject_digest, subject_key, subject_partition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


_READING_JOBS = frozenset({Kind.CUSTOMIZATION_JOB, Kind.IMPORT_JOB, Kind.TRAINING_JOB})


def subject_row(dynamodb: "DynamoDBClient", table: str, arn: str) -> SubjectRow | None:
    """What the gate decided of a subject, or None where it never saw it."""
    item = _item(dynamodb, table, subject_key(arn))
    return SubjectRow.from_item(item) if item else None


def origin_of(dynamodb: "DynamoDBClient", table: str, arn: str) -> dict[str, str]:
    """What the gate noted of who made a model: `{"job": ARN}` or `{"source": URI or ARN}`; empty for nothing."""
    item = _item(dynamodb, table, origin_key(arn))
    return {name: str(item[name]) for name in ("job", "source") if item.get(name)} if item else {}


def standing_of(dynamodb: "DynamoDBClient", table: str, arn: str) -> Standing:
    row = subject_row(dynamodb, table, arn)
    return Standing(arn, row.approval if row else None, row.key_arn if row else "")


def open_rows(dynamodb: "DynamoDBClient", table: str, arn: str) -> list[dict[str, Any]]:
    """The breaches and gaps of a subject that are not over."""
    with aws_call("Reading the ledger"):
        pages = dynamodb.get_paginator("query").paginate(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": subject_partition(arn)}},
            ConsistentRead=True,
        )
        rows = [plain(item) for page in pages for item in page["Items"]]
    return [row for row in rows if row["sk"].startswith(("breach#", "gap#")) and "resolved_at" not in row]


def decided(dynamodb: "DynamoDBClient", table: str, version: ObjectVersion) -> tuple[str, str, DecisionRow | None]:
    """The ledger's verdict on an approved object version, the digest of its policy, and the row that put it there.

    Empty and None where there is none. Of the decisions on the upload it is a copy of, the newest counts.
    """
    rows = decisions_of(dynamodb, table, version.key)
    placed = next((row for row in rows if row.destination == version), None)
    if placed is None:
        return "", "", None
    newest = next(row.decision for row in rows if row.decision.subject == placed.decision.subject)
    return newest.verdict.value, newest.policy_digest, placed


def is_evidenced(s3: "S3Client", bucket: str, row: DecisionRow) -> bool:
    """Whether the findings that only judging functions write are of the row's upload, and say what the row needs.

    A scan's row needs them to say clean; a release needs that the upload was judged at all. So nobody who can write
    to the ledger alone, or to `approved` alone, makes a file pass for scanned.
    """
    if not row.evidence.startswith("findings/"):
        return False
    with aws_call("Reading the findings"):
        try:
            found = json.loads(s3.get_object(Bucket=bucket, Key=row.evidence)["Body"].read())
        except ClientError as error:
            if error_code(error) == "NoSuchKey":
                return False
            raise
    subject = row.decision.subject
    # A file of a model was judged with the whole upload, whose findings they are.
    judged = {"bucket": subject.bucket, "key": row.upload or subject.key}
    if not row.upload:
        judged["version_id"] = subject.version_id
    said = {name: found["object"][name] for name in judged}
    return said == judged and (row.action is Action.RELEASE or found["verdict"] == Verdict.CLEAN)


def manifest_key(arn: str) -> str:
    return f"manifests/{subject_digest(arn)}.json"


def read_manifest(s3: "S3Client", bucket: str, arn: str) -> tuple[InputObject, ...] | None:
    """What a job read when the gate first saw it running, or None where that was never recorded."""
    with aws_call("Reading the job's manifest"):
        try:
            body = s3.get_object(Bucket=bucket, Key=manifest_key(arn))["Body"].read()
        except ClientError as error:
            if error_code(error) == "NoSuchKey":
                return None
            raise
    return tuple(
        InputObject(item["bucket"], item["key"], item["version_id"], item["checksum"])
        for item in json.loads(body)["inputs"]
    )


@dataclass(frozen=True, slots=True)
class Reader:
    """A job that read a version, or of which nobody can tell whether it did."""

    arn: str
    certain: bool


def jobs_that_read(
    s3: "S3Client", dynamodb: "DynamoDBClient", table: str, evidence: str, versions: Container[ObjectVersion]
) -> Iterator[Reader]:
    """The jobs whose manifests name one of these versions, and those that never had a manifest written."""
    for item in recent(dynamodb, table, Entity.SUBJECT):
        row = SubjectRow.from_item(item)
        if row.subject.kind in _READING_JOBS:
            manifest = read_manifest(s3, evidence, row.subject.arn)
            if manifest is None:
                yield Reader(row.subject.arn, certain=False)
            elif any(ObjectVersion(one.bucket, one.key, one.version_id) in versions for one in manifest):
                yield Reader(row.subject.arn, certain=True)


def _item(dynamodb: "DynamoDBClient", table: str, key: dict[str, str]) -> dict[str, Any] | None:
    with aws_call("Reading the ledger"):
        answer = dynamodb.get_item(
            TableName=table, Key={name: {"S": value} for name, value in key.items()}, ConsistentRead=True
        )
    return plain(answer["Item"]) if "Item" in answer else None
