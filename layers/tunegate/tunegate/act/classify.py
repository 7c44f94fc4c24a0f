"""Asking Macie: where its results go, one job for many uploads, and which scans wait for which job."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tunegate.errors import PermanentError, aws_call
from tunegate.model import ObjectVersion
from tunegate.observe.macie import Repository
from tunegate.service_answers import Service, wait_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def export_results(macie: Any, repository: Repository) -> None:
    """Have Macie write its results to the repository. Raises `PermanentError` where they go elsewhere already.

    An account has one such configuration in a Region, so one that somebody else has made is never replaced.
    """
    with aws_call("Reading where Macie's results go"):
        answer = macie.get_classification_export_configuration()
    destination = answer.get("configuration", {}).get("s3Destination")
    if destination is None:
        with aws_call("Having Macie's results written"):
            macie.put_classification_export_configuration(
                configuration={
                    "s3Destination": {
                        "bucketName": repository.bucket,
                        "keyPrefix": repository.prefix,
                        "kmsKeyArn": repository.key_arn,
                    }
                }
            )
    elif (destination["bucketName"], destination.get("keyPrefix", "")) != (repository.bucket, repository.prefix):
        raise PermanentError("Macie's results go to another bucket, where the gate cannot read them")


@dataclass(frozen=True, slots=True)
class Detecting:
    """What Macie detects with beside all of its own identifiers, and what text it lets pass: ids of the account's."""

    custom_identifiers: tuple[str, ...] = ()
    allow_lists: tuple[str, ...] = ()


NOTHING_OF_OUR_OWN = Detecting()


def create_job(
    macie: Any, repository: Repository, bucket: str, term: Mapping[str, Any], token: str, by: Detecting
) -> str:
    """Start a one-time job over the objects that a scope term takes in; the same token never starts two.

    `token` names what the job is for, in any length. Returns the job's id.
    """
    digest = hashlib.sha256(token.encode()).hexdigest()[:32]
    with aws_call("Creating Macie's job"):
        answer = macie.create_classification_job(
            clientToken=digest,
            jobType="ONE_TIME",
            name=f"tunegate-{digest}",
            managedDataIdentifierSelector="ALL",
            customDataIdentifierIds=list(by.custom_identifiers),
            allowListIds=list(by.allow_lists),
            samplingPercentage=100,
            s3JobDefinition={
                "bucketDefinitions": [{"accountId": repository.account, "buckets": [bucket]}],
                "scoping": {"includes": {"and": [{"simpleScopeTerm": dict(term)}]}},
            },
        )
    return str(answer["jobId"])


def below(prefixes: Sequence[str]) -> dict[str, Any]:
    """The scope term of everything below these prefixes."""
    return {"comparator": "STARTS_WITH", "key": "OBJECT_KEY", "values": list(prefixes)}


def changed_since(moment: datetime) -> dict[str, Any]:
    """The scope term of everything put after a moment."""
    value = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"comparator": "GT", "key": "OBJECT_LAST_MODIFIED_DATE", "values": [value]}


def note(dynamodb: "DynamoDBClient", table: str, version: ObjectVersion, **noted: str) -> None:
    """Write down with a scan that waits which job looks at its version, or since when that job is complete."""
    with aws_call("Noting Macie's job"):
        dynamodb.update_item(
            TableName=table,
            Key=wait_key(version, Service.MACIE),
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in noted),
            ExpressionAttributeValues={f":{name}": {"S": value} for name, value in noted.items()},
        )
