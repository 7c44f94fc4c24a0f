"""Writing down what was decided about a job, a model or the estate: the rows that alerts hang off."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tunegate.act.ledger import Ledger, write_if, write_once
from tunegate.errors import aws_call, error_code
from tunegate.job_facts import InputObject
from tunegate.judge.jobs import Conclusion
from tunegate.observe.subjects import manifest_key, open_rows, subject_row
from tunegate.rows import Entity
from tunegate.subject_rows import SubjectRow, breach_item, gap_item, origin_key, subject_digest
from tunegate.times import later, now

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def begin_look(ledger: Ledger, arn: str) -> str:
    """The time of a look at a subject that begins now: after all that were recorded, whichever clock they went by."""
    row = subject_row(ledger.dynamodb, ledger.table, arn)
    return later(now(), row.observed_at if row else "")


def record_subject(ledger: Ledger, row: SubjectRow) -> bool:
    """Put what now holds of a subject, unless something observed later is there. Returns whether it was put."""
    newest = "attribute_not_exists(pk) OR observed_at <= :observed"
    return write_if(ledger.dynamodb, ledger.table, row.to_item(), newest, {":observed": row.observed_at})


def record_findings(ledger: Ledger, row: SubjectRow, conclusion: Conclusion) -> None:
    """Open a row for each broken control and each missing permission that has none, and close those that are over."""
    current = [
        *(breach_item(row, breach) for breach in conclusion.breaches),
        *(gap_item(row, gap) for gap in conclusion.gaps),
    ]
    for item in current:
        write_if(ledger.dynamodb, ledger.table, item, "attribute_not_exists(pk) OR attribute_exists(resolved_at)")
    _close(ledger, row, {item["sk"] for item in current})


def record_origin(ledger: Ledger, arn: str, **origin: str) -> None:
    """Note who made a model, where the model itself does not say: its `job`, or the `source` it was created from."""
    write_once(ledger.dynamodb, ledger.table, origin_key(arn) | {"entity": Entity.ORIGIN.value, **origin})


def put_manifest(s3: "S3Client", bucket: str, arn: str, inputs: Iterable[InputObject]) -> str:
    """Record what a job reads, once: what a later look finds does not replace it. Returns the key."""
    listed = [
        {"bucket": item.bucket, "key": item.key, "version_id": item.version_id, "checksum": item.checksum}
        for item in sorted(inputs)
    ]
    with aws_call("Recording the job's manifest"):
        try:
            s3.put_object(
                Bucket=bucket,
                Key=manifest_key(arn),
                Body=json.dumps({"subject": arn, "inputs": listed}).encode(),
                ContentType="application/json",
                IfNoneMatch="*",
            )
        except ClientError as error:
            if error_code(error) != "PreconditionFailed":
                raise
    return manifest_key(arn)


def put_evidence(s3: "S3Client", bucket: str, row: SubjectRow, document: dict[str, Any]) -> str:
    """Write all that a conclusion was drawn from; returns its key."""
    key = f"jobs/{subject_digest(row.subject.arn)}/{row.observed_at}.json"
    with aws_call("Writing evidence"):
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode(), ContentType="application/json")
    return key


def _close(ledger: Ledger, row: SubjectRow, still_open: set[str]) -> None:
    for item in open_rows(ledger.dynamodb, ledger.table, row.subject.arn):
        # One opened by a later look than this is not ours to close.
        if item["sk"] in still_open or item["at"] > row.observed_at:
            continue
        with aws_call("Writing the ledger"):
            ledger.dynamodb.update_item(
                TableName=ledger.table,
                Key={"pk": {"S": item["pk"]}, "sk": {"S": item["sk"]}},
                UpdateExpression="SET resolved_at = :at",
                ExpressionAttributeValues={":at": {"S": row.observed_at}},
            )
