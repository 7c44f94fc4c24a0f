"""Macie's look at files that are approved already: one job at a time over what was approved since the last.

How far Macie has looked is one row of the ledger. Only a job that ended well moves it on, so nothing is left out: what
a failed job was to look at, the next one does.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tunegate.act.classify import NOTHING_OF_OUR_OWN, Detecting, changed_since, create_job, export_results
from tunegate.classification import RESULTS_WITHIN
from tunegate.errors import PermanentError, aws_call
from tunegate.observe.ledger import plain, recent
from tunegate.observe.macie import COMPLETE, Repository, job_end
from tunegate.rows import Entity

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OVERLAP = timedelta(hours=1)
"""An object's date is when its copying began; Macie may read it once its verdict is on it."""
_KEY = {"pk": {"S": "macie#approved"}, "sk": {"S": "looked"}}
_BEGINNING = datetime(2006, 3, 14, tzinfo=UTC)
"""When S3 began: a first job looks at all there is."""


@dataclass(frozen=True, slots=True)
class Monitor:
    """What looking after approved files takes. `every` is the least time between two jobs."""

    macie: Any
    dynamodb: "DynamoDBClient"
    table: str
    approved: str
    repository: Repository
    every: timedelta
    by: Detecting = NOTHING_OF_OUR_OWN


@dataclass(frozen=True, slots=True)
class Looked:
    """How far Macie has looked: at all that was approved before `to`. A job that looks further does so `until`."""

    to: datetime = _BEGINNING
    until: datetime | None = None
    job_id: str = ""
    complete_at: datetime | None = None


def look_after(monitor: Monitor, now: datetime) -> str:
    """Start the next job over approved files, if one is due. Returns the job whose results are all there; empty for
    none.

    Raises `PermanentError` where a job did not end well. What it was to look at is asked for again.
    """
    looked = _looked(monitor)
    if looked.job_id:
        return _follow(monitor, looked, now)
    if looked.until is None:
        if now - looked.to < monitor.every or not _anything_since(monitor, looked.to):
            return ""
        looked = Looked(looked.to, now)
        # Before the job: should this end here, the next run asks for the same job.
        _note(monitor, looked)
    export_results(monitor.macie, monitor.repository)
    since, until = looked.to, looked.until or now
    token = f"{monitor.approved}\n{since.isoformat()}\n{until.isoformat()}"
    term = changed_since(max(since - OVERLAP, _BEGINNING))
    job_id = create_job(monitor.macie, monitor.repository, monitor.approved, term, token, monitor.by)
    _note(monitor, Looked(since, until, job_id))
    return ""


def looked_through(monitor: Monitor) -> None:
    """Note that what a job found has been handed on."""
    looked = _looked(monitor)
    _note(monitor, Looked(looked.until or looked.to))


def _follow(monitor: Monitor, looked: Looked, now: datetime) -> str:
    end = job_end(monitor.macie, looked.job_id)
    if end is None:
        return ""
    if end != COMPLETE:
        _note(monitor, Looked(looked.to))
        raise PermanentError(f"Macie did not look at the approved files: {end}")
    if looked.complete_at is None:
        _note(monitor, Looked(looked.to, looked.until, looked.job_id, now))
        return ""
    return looked.job_id if now - looked.complete_at >= RESULTS_WITHIN else ""


def _anything_since(monitor: Monitor, moment: datetime) -> bool:
    for row in recent(monitor.dynamodb, monitor.table, Entity.DECISION):
        if datetime.fromisoformat(row["at"]) <= moment:
            return False
        if row.get("destination", {}).get("bucket") == monitor.approved:
            return True
    return False


def _looked(monitor: Monitor) -> Looked:
    with aws_call("Reading how far Macie has looked"):
        answer = monitor.dynamodb.get_item(TableName=monitor.table, Key=_KEY, ConsistentRead=True)
    row = plain(answer.get("Item", {}))
    moments = {name: datetime.fromisoformat(row[name]) for name in ("to", "until", "complete_at") if row.get(name)}
    return Looked(
        moments.get("to", _BEGINNING), moments.get("until"), row.get("job_id", ""), moments.get("complete_at")
    )


def _note(monitor: Monitor, looked: Looked) -> None:
    values = {
        "to": looked.to.isoformat(),
        "until": looked.until.isoformat() if looked.until else "",
        "job_id": looked.job_id,
        "complete_at": looked.complete_at.isoformat() if looked.complete_at else "",
    }
    with aws_call("Noting how far Macie has looked"):
        monitor.dynamodb.update_item(
            TableName=monitor.table,
            Key=_KEY,
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues={f":{name}": {"S": value} for name, value in values.items()},
        )
