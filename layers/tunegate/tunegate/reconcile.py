"""What no event told: jobs, models and deployments the ledger does not know, and uploads without a scan.

Bedrock's events are best effort and imports have none, so this is a matter of correctness: after one run the end state
is what it would have been with every event.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tunegate.act.start import start_scan
from tunegate.model_rules import ModelRules
from tunegate.observe.ledger import decisions_of
from tunegate.observe.listings import all_subjects
from tunegate.observe.scans import next_attempt, waiting_versions
from tunegate.observe.subjects import subject_row
from tunegate.subject_rows import SubjectRow
from tunegate.upload_order import order_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

JOBS_FOR = timedelta(days=30)
"""How far back jobs are listed; models and what serves them are listed whatever their age."""
LOOK_AGAIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Known:
    """Where reconcile reads what is known."""

    dynamodb: "DynamoDBClient"
    table: str


def unsettled_subjects(bedrock: Any, known: Known, now: datetime) -> Iterator[str]:
    """The ARNs of what should be looked at: unknown, undecided, or a model or endpoint not looked at for a day."""
    for arn in all_subjects(bedrock, now - JOBS_FOR):
        row = subject_row(known.dynamodb, known.table, arn)
        if row is None or not row.is_final or _is_stale(row, now):
            yield arn


def _is_stale(row: SubjectRow, now: datetime) -> bool:
    return not row.subject.kind.is_job and datetime.fromisoformat(row.observed_at) < now - LOOK_AGAIN


@dataclass(frozen=True, slots=True)
class Intake:
    """The intake bucket and what scans it. `quiet` is how long an upload may wait before it counts as forgotten."""

    s3: "S3Client"
    stepfunctions: "SFNClient"
    bucket: str
    machine: str
    quiet: timedelta


def rescue_uploads(intake: Intake, known: Known, models: ModelRules, now: datetime) -> int:
    """Start a scan for each waiting upload that has none, or whose scan ended without a verdict. Returns how many.

    Files of models are left to gather_models, which reads S3 and not events.
    """
    started = 0
    for version, uploaded in waiting_versions(intake.s3, intake.bucket):
        if uploaded > now - intake.quiet or models.upload_of(version.key) is not None:
            continue
        rows = decisions_of(known.dynamodb, known.table, version.key)
        if any(row.decision.subject == version for row in rows):
            # Held: a person has been told.
            continue
        attempt = next_attempt(intake.stepfunctions, intake.machine, version)
        if attempt is not None:
            order = order_of(uploaded, [row.order for row in rows])
            started += start_scan(intake.stepfunctions, intake.machine, version, order, attempt)
    return started
