"""Macie's classification jobs, and what they say of each object.

Sources: Macie API reference, DescribeClassificationJob and Finding; Macie user guide, "Storing and retaining sensitive
data discovery results": one JSON record for each object analysed or tried, clean ones included.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunegate.errors import PermanentError, aws_call
from tunegate.model import Category, ObjectVersion
from tunegate.scan.lines import read_lines
from tunegate.scan.source import gunzip
from tunegate.service_answers import Answer, Seen, Service

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

COMPLETE = "COMPLETE"
FINDING = "Macie Finding"
_ENDED_OTHERWISE = frozenset({"PAUSED", "USER_PAUSED", "CANCELLED"})
_CATEGORIES = {"CREDENTIALS": Category.SECRET}
_MOST_TYPES = 50
_MOST_LINES = 100
_MOST_BYTES, _RECORD_BYTES = 4 * 1024**3, 8 * 1024**2


@dataclass(frozen=True, slots=True)
class Repository:
    """Where Macie writes its results: `prefix` without a slash at its end."""

    bucket: str
    prefix: str
    key_arn: str
    account: str
    region: str

    def below(self, job_id: str) -> str:
        return f"{self.prefix}/AWSLogs/{self.account}/Macie/{self.region}/{job_id}/"


@dataclass(frozen=True, slots=True)
class ObjectResult:
    """What one record of a job's results says of an object. `version_id` is empty where it names none."""

    key: str
    version_id: str
    etag: str
    status: str
    seen: tuple[Seen, ...]

    def is_of(self, version: ObjectVersion, etag: str) -> bool:
        """Macie reads whatever is current when it comes to an object: only the very version counts."""
        return (self.key, self.etag) == (version.key, etag) and self.version_id in ("", version.version_id)


def job_end(macie: Any, job_id: str) -> str | None:
    """How a job ended: `COMPLETE`, or what else became of it in words; None while it runs."""
    with aws_call("Looking at Macie's job"):
        answer = macie.describe_classification_job(jobId=job_id)
    status = str(answer.get("jobStatus", ""))
    if status in _ENDED_OTHERWISE:
        return f"its job is {status}"
    if status != COMPLETE:
        return None
    code = answer.get("lastRunErrorStatus", {}).get("code")
    return COMPLETE if code == "NONE" else "its job ended with an error"


def object_results(s3: "S3Client", repository: Repository, job_id: str) -> list[ObjectResult]:
    """Every record that a job wrote. Raises `PermanentError` for one that is not of the documented form."""
    found: list[ObjectResult] = []
    with aws_call("Reading Macie's results"):
        for page in s3.get_paginator("list_objects_v2").paginate(
            Bucket=repository.bucket, Prefix=repository.below(job_id)
        ):
            for entry in page.get("Contents", []):
                if entry["Key"].endswith(".jsonl.gz"):
                    body = s3.get_object(Bucket=repository.bucket, Key=entry["Key"])["Body"].read()
                    found.extend(_records(body))
    return found


def etag_of(s3: "S3Client", version: ObjectVersion) -> str:
    """A version's etag as its listing gives it, for which nobody needs to read the object; empty where it is gone."""
    with aws_call("Listing the versions of an object"):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=version.bucket, Prefix=version.key):
            for entry in page.get("Versions", []):
                if (entry["Key"], entry["VersionId"]) == (version.key, version.version_id):
                    return entry["ETag"].strip('"')
    return ""


def answer_of(results: list[ObjectResult], version: ObjectVersion, etag: str) -> Answer | None:
    """The answer on one version, or None where no record is about it. An archive has a record for each file in it."""
    of_version = [result for result in results if result.is_of(version, etag)]
    if not of_version:
        return None
    status = next((result.status for result in of_version if result.status != COMPLETE), COMPLETE)
    seen = tuple(one for result in of_version for one in result.seen)
    return Answer(service=Service.MACIE, status=status, seen=seen[:_MOST_TYPES])


def result_in(event: Mapping[str, Any]) -> ObjectResult | None:
    """What a finding's event says of an object; None for a sample, which is about no object there is.

    Raises `PermanentError` for any other event. Source: Macie user guide, "Amazon EventBridge event schema for Macie
    findings".
    """
    try:
        if event["detail-type"] != FINDING or event["detail"]["category"] != "CLASSIFICATION":
            raise PermanentError("the event is not one of Macie's sensitive data findings")
        return None if event["detail"].get("sample") else _result(event["detail"])
    except (KeyError, TypeError, AttributeError, ValueError):
        raise PermanentError("the event is not one of Macie's sensitive data findings") from None


def _records(body: bytes) -> Iterator[ObjectResult]:
    try:
        for line in read_lines(gunzip(iter([body]), _MOST_BYTES), start=0, end=None, record_bytes=_RECORD_BYTES):
            if line.data is None:
                raise ValueError("a record is too long")
            if line.data.strip():
                yield _result(json.loads(line.data))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise PermanentError("Macie's results are not of the documented form") from None


def _result(record: Mapping[str, Any]) -> ObjectResult:
    stored, result = record["resourcesAffected"]["s3Object"], record["classificationDetails"]["result"]
    status = result["status"]
    code = str(status["code"])
    words = code if code == COMPLETE else " ".join(filter(None, (code, status.get("reason"))))
    return ObjectResult(
        stored["key"],
        str(stored.get("versionId") or ""),
        # The API calls it eTag, the published results and events write it in small letters.
        str(stored.get("eTag") or stored.get("etag") or "").strip('"'),
        words[:200],
        tuple(_seen(result)),
    )


def _seen(result: Mapping[str, Any]) -> Iterator[Seen]:
    for item in result.get("sensitiveData") or ():
        category = _CATEGORIES.get(item["category"], Category.PII)
        for detection in item["detections"]:
            yield _one(category, str(detection["type"]), detection)
    for detection in (result.get("customDataIdentifiers") or {}).get("detections") or ():
        yield _one(Category.PII, str(detection["name"]), detection)


def _one(category: Category, name: str, detection: Mapping[str, Any]) -> Seen:
    occurrences = detection.get("occurrences") or {}
    lines = {int(place["start"]) for place in occurrences.get("lineRanges") or ()}
    # Of JSON lines, records are the lines, counted from 0.
    lines |= {int(place["recordIndex"]) + 1 for place in occurrences.get("records") or ()}
    kind = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")[:60] or "custom"
    return Seen(category=category, type=kind, count=int(detection["count"]), lines=tuple(sorted(lines)[:_MOST_LINES]))
