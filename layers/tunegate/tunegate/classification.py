"""Scans that wait for Macie → one job over all of them, and each scan resumed once its version has a result.

Macie takes one new job in ten seconds and no job for a single version, so uploads are asked about together: by the
folder at the top of their keys, which is their dataset. Of each run of the schedule one job comes, at most.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tunegate.act.classify import NOTHING_OF_OUR_OWN, Detecting, below, create_job, export_results, note
from tunegate.act.waiting import Waiting
from tunegate.errors import PermanentError
from tunegate.model import ObjectVersion
from tunegate.observe.ledger import recent
from tunegate.observe.macie import COMPLETE, ObjectResult, Repository, answer_of, etag_of, job_end, object_results
from tunegate.rows import Entity
from tunegate.service_answers import Answer, Service

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

MOST_PREFIXES = 50
"""Of one job; what is beyond them waits for the next run."""
RESULTS_WITHIN = timedelta(minutes=10)
"""After the end of a job its results should all be in the repository."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """What asking Macie takes."""

    macie: Any
    s3: "S3Client"
    dynamodb: "DynamoDBClient"
    table: str
    waiting: Waiting
    repository: Repository
    by: Detecting = NOTHING_OF_OUR_OWN


@dataclass(frozen=True, slots=True)
class Asked:
    """A scan that waits: its version, the job that looks at it, and since when that job is complete; empty for none."""

    version: ObjectVersion
    job_id: str
    complete_at: str


@dataclass(frozen=True, slots=True)
class Round:
    """What one run did: the job it started, empty for none, how many uploads that looks at, how many were answered."""

    job_id: str
    uploads: int
    answered: int


def classify(classifier: Classifier, now: datetime) -> Round:
    """Answer what Macie has looked at, then have it look at what is new."""
    asked = sorted(_asked(classifier), key=lambda one: one.job_id)
    answered = 0
    for job_id, of_job in groupby((one for one in asked if one.job_id), lambda one: one.job_id):
        answered += _answer(classifier, job_id, list(of_job), now)
    new = [one.version for one in asked if not one.job_id]
    batch = list(_batch(new))
    if not batch:
        return Round("", 0, answered)
    export_results(classifier.macie, classifier.repository)
    prefixes = sorted({dataset_of(version.key) for version in batch})
    token = "\n".join(sorted(version.digest for version in batch))
    job_id = create_job(classifier.macie, classifier.repository, batch[0].bucket, below(prefixes), token, classifier.by)
    for version in batch:
        note(classifier.dynamodb, classifier.table, version, job_id=job_id)
    return Round(job_id, len(batch), answered)


def dataset_of(key: str) -> str:
    """The folder at the top of a key, or the key itself where it is in none."""
    folder, slash, _ = key.partition("/")
    return folder + slash


def _asked(classifier: Classifier) -> Iterator[Asked]:
    for row in recent(classifier.dynamodb, classifier.table, Entity.WAITING):
        if row["service"] == Service.MACIE:
            version = ObjectVersion(row["bucket"], row["key"], row["version_id"])
            yield Asked(version, row.get("job_id", ""), row.get("complete_at", ""))


def _batch(versions: Iterable[ObjectVersion]) -> Iterator[ObjectVersion]:
    """The versions of as many datasets as one job takes."""
    datasets: set[str] = set()
    for version in versions:
        dataset = dataset_of(version.key)
        if dataset in datasets or len(datasets) < MOST_PREFIXES:
            datasets.add(dataset)
            yield version


def _answer(classifier: Classifier, job_id: str, asked: list[Asked], now: datetime) -> int:
    results: list[ObjectResult] = []
    try:
        end = job_end(classifier.macie, job_id)
        if end is None:
            return 0
        if end == COMPLETE:
            results = object_results(classifier.s3, classifier.repository, job_id)
    except PermanentError as error:
        # One job that cannot be read keeps none of the others waiting.
        end = str(error)[:200]
    answers = [(one.version, _answer_on(classifier, one, end, results, now)) for one in asked]
    for version, answer in answers:
        if answer is not None:
            classifier.waiting.answer(version, answer)
    return sum(answer is not None for _, answer in answers)


def _answer_on(
    classifier: Classifier, one: Asked, end: str, results: list[ObjectResult], now: datetime
) -> Answer | None:
    """Absence of a finding is not clean: only a record of this very version is an answer, or that there is none."""
    if end != COMPLETE:
        return Answer(service=Service.MACIE, status=end)
    found = answer_of(results, one.version, etag_of(classifier.s3, one.version))
    if found is not None:
        return found
    if not one.complete_at:
        note(classifier.dynamodb, classifier.table, one.version, complete_at=now.isoformat())
        return None
    if now - datetime.fromisoformat(one.complete_at) < RESULTS_WITHIN:
        return None
    return Answer(service=Service.MACIE, status="it has no result for this version")
