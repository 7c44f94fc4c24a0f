"""Macie's classification jobs: they take time, keep to their scope, write results for each object and tell of findings.

A job reads the current version of each object in its scope. Data is detected by the process that serves Comprehend.
https://docs.aws.amazon.com/macie/latest/user/discovery-results-repository-s3.html
https://docs.aws.amazon.com/macie/latest/user/findings-publish-event-schemas.html
"""

import gzip
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ministack.core.iam_evaluator import pin_request_origin
from ministack.core.responses import request_scope

from tunegate_local.detectors.wire import ServiceError
from tunegate_local.services.bedrock.data import client
from tunegate_local.services.macie_detection import Detections, custom_items, detect, items
from tunegate_local.services.macie_ends import Ends
from tunegate_local.services.macie_identifiers import Identifiers

type Answer = dict[str, Any]
type Scope = Callable[[Mapping[str, Any]], bool]
"""Whether a listed object belongs to a job."""
type Publish = Callable[[str, str, Answer, list[str]], None]

FINDING = "Macie Finding"
logger = logging.getLogger("tunegate_local.services")
_READABLE = (".csv", ".htm", ".html", ".json", ".jsonl", ".tsv", ".txt", ".xml", ".yaml", ".yml")


class Jobs:
    """The jobs of all accounts, by their ids."""

    def __init__(self, publish: Publish, seconds: Callable[[], float], ends: Ends, identifiers: Identifiers) -> None:
        self._publish, self._seconds, self._ends, self._identifiers = publish, seconds, ends, identifiers
        self._jobs: dict[str, Answer] = {}
        self._tokens: dict[str, str] = {}

    def create(self, account: str, region: str, asked: Mapping[str, Any], export: Mapping[str, Any]) -> Answer:
        """The same client token is the same job. `export` is where results go; without one there are none."""
        if asked["jobType"] != "ONE_TIME" or "bucketDefinitions" not in asked["s3JobDefinition"]:
            raise ServiceError("ValidationException", "Only one-time jobs over named buckets are served here.")
        scope_of(asked)
        self._identifiers.detect("", asked.get("customDataIdentifierIds", ()))
        self._identifiers.allowed(asked.get("allowListIds", ()))
        job_id = self._tokens.setdefault(asked["clientToken"], secrets.token_hex(16))
        if job_id not in self._jobs:
            arn = f"arn:aws:macie2:{region}:{account}:classification-job/{job_id}"
            self._jobs[job_id] = {
                **asked,
                "jobId": job_id,
                "jobArn": arn,
                "jobStatus": "RUNNING",
                "createdAt": datetime.now(UTC),
                "lastRunErrorStatus": {"code": "NONE"},
            }
            work = (account, region, self._jobs[job_id], dict(export))
            threading.Thread(target=self._run, args=work, name="macie", daemon=True).start()
        return {"jobId": job_id, "jobArn": self._jobs[job_id]["jobArn"]}

    def describe(self, job_id: str) -> Answer:
        """As DescribeClassificationJob."""
        if job_id not in self._jobs:
            raise ServiceError("ResourceNotFoundException", "The job does not exist")
        return dict(self._jobs[job_id])

    def _run(self, account: str, region: str, job: Answer, export: Mapping[str, Any]) -> None:
        pin_request_origin("127.0.0.1", secure_transport=True)
        with request_scope(account, region):
            job["lastRunTime"] = datetime.now(UTC)
            time.sleep(self._seconds())
            status, error = self._ends.status, self._ends.error
            if status == "COMPLETE":
                try:
                    s3 = client("s3", region)
                    for bucket, stored in _in_scope(s3, job):
                        self._examine(s3, account, region, job, export, bucket, stored)
                except Exception:
                    # As Macie: the job is over, and its error is all that is told.
                    logger.exception("Macie's job failed")
                    error = True
            job.update(jobStatus=status, lastRunErrorStatus={"code": "ERROR" if error else "NONE"})

    def _examine(
        self, s3: Any, account: str, region: str, job: Answer, export: Mapping[str, Any], bucket: str, stored: Answer
    ) -> None:
        found: Detections = {}
        custom: Detections = {}
        status = {"code": "SKIPPED", "reason": "UNSUPPORTED_FILE_TYPE_EXCEPTION"}
        if stored["Key"].endswith(_READABLE):
            body = s3.get_object(Bucket=bucket, Key=stored["Key"], VersionId=stored["VersionId"])["Body"].read()
            text, status = body.decode("utf-8", "replace"), {"code": "COMPLETE"}
            found = detect(text, self._identifiers.allowed(job.get("allowListIds", ())))
            custom = self._identifiers.detect(text, job.get("customDataIdentifierIds", ()))
        record = _record(account, region, job, bucket, stored, status, found, custom)
        if "bucketName" in export:
            prefix = f"{export['keyPrefix']}/" if export.get("keyPrefix") else ""
            place = f"{prefix}AWSLogs/{account}/Macie/{region}/{job['jobId']}/{account}/{record['id']}.jsonl.gz"
            s3.put_object(
                Bucket=export["bucketName"],
                Key=place,
                Body=gzip.compress(json.dumps(record).encode() + b"\n"),
                ServerSideEncryption="aws:kms",
                SSEKMSKeyId=export["kmsKeyArn"],
            )
        if found or custom:
            self._publish("aws.macie", FINDING, record, [])


def scope_of(asked: Mapping[str, Any]) -> Scope:
    """Which objects a job takes in. Raises ValidationException for a scope that is not served."""
    scoping = asked["s3JobDefinition"].get("scoping", {})
    if scoping.get("excludes", {}).get("and"):
        raise ServiceError("ValidationException", "Exclusions are not served here.")
    takes = [_taken(term.get("simpleScopeTerm", {})) for term in scoping.get("includes", {}).get("and", [])]
    return lambda stored: all(take(stored) for take in takes)


def _taken(term: Mapping[str, Any]) -> Scope:
    values = term.get("values", [])
    match term.get("key"), term.get("comparator"):
        case "OBJECT_KEY", "STARTS_WITH":
            return lambda stored: stored["Key"].startswith(tuple(values))
        case "OBJECT_LAST_MODIFIED_DATE", "GT":
            since = max(datetime.fromisoformat(value) for value in values)
            return lambda stored: stored["LastModified"] > since
    raise ServiceError("ValidationException", "Only keys that begin, and dates after, are served here.")


def _in_scope(s3: Any, job: Mapping[str, Any]) -> Iterator[tuple[str, Answer]]:
    takes = scope_of(job)
    for definition in job["s3JobDefinition"]["bucketDefinitions"]:
        for bucket in definition["buckets"]:
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                for stored in page.get("Versions", []):
                    if stored["IsLatest"] and takes(stored):
                        yield bucket, stored


def _record(
    account: str,
    region: str,
    job: Mapping[str, Any],
    bucket: str,
    stored: Mapping[str, Any],
    status: dict[str, str],
    found: Detections,
    custom: Detections,
) -> Answer:
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    key = stored["Key"]
    return {
        "schemaVersion": "1.0",
        "id": secrets.token_hex(16),
        "accountId": account,
        "partition": "aws",
        "region": region,
        "category": "CLASSIFICATION",
        "type": "SensitiveData:S3Object/Multiple",
        "title": "The S3 object contains sensitive data." if found or custom else "The S3 object was analyzed.",
        "severity": {"score": 3, "description": "High"} if found or custom else {"score": 1, "description": "Low"},
        "createdAt": at,
        "updatedAt": at,
        "count": 1,
        "archived": False,
        "sample": False,
        "policyDetails": None,
        "classificationDetails": {
            "jobArn": job["jobArn"],
            "jobId": job["jobId"],
            "originType": "SENSITIVE_DATA_DISCOVERY_JOB",
            "result": {
                "status": status,
                "sizeClassified": stored["Size"] if status["code"] == "COMPLETE" else 0,
                "mimeType": "text/plain",
                "additionalOccurrences": False,
                "sensitiveData": items(found),
                "customDataIdentifiers": custom_items(custom),
            },
        },
        "resourcesAffected": {
            "s3Bucket": {"arn": f"arn:aws:s3:::{bucket}", "name": bucket},
            "s3Object": {
                "bucketArn": f"arn:aws:s3:::{bucket}",
                "key": key,
                "path": f"{bucket}/{key}",
                "extension": key.rpartition(".")[2],
                "versionId": stored["VersionId"],
                "eTag": stored["ETag"].strip('"'),
                "size": stored["Size"],
                "storageClass": "STANDARD",
                "publicAccess": False,
            },
        },
    }
