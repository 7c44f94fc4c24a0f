"""One run of the samples: uploaded as a user would, followed until each is settled, then looked at from all sides."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tunegate.errors import error_code
from tunegate_cli.console import say
from tunegate_cli.demo.checks import check_alerts, check_places, check_readers, check_verdicts
from tunegate_cli.demo.evidence import Run, Uploaded, received_alerts, stories
from tunegate_cli.demo.jobs import check_jobs, run_jobs
from tunegate_cli.demo.leaks import check_leaks
from tunegate_cli.demo.models import run_models
from tunegate_cli.demo.roles import as_role
from tunegate_cli.demo.show import Board
from tunegate_cli.report import JobStory, ReceivedAlert, Report
from tunegate_cli.samples import Expected, Sample, write_samples
from tunegate_cli.stack import Stack, find_stack
from tunegate_cli.upload import Intake, Item
from tunegate_cli.versions import SCANNING, VersionState, iso, states

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from tunegate_local.cloud import Cloud

SETTLED_WITHIN_SECONDS = 240
ALERTED_WITHIN_SECONDS = 60
POLL_SECONDS = 0.5
QUIET_SECONDS = 3
"""How long nothing more may arrive before the alerts are counted: a repeated one would come within this."""


def run(cloud: "Cloud", directory: Path) -> Report:
    """Send every sample through the gate of a running embedded cloud and check what became of it."""
    stack = find_stack()
    samples = write_samples(directory, stack.approved)
    started = now()
    say(f"Uploading {len(samples)} samples to s3://{stack.intake} as {stack.output('UploaderRoleArn')} ...")
    uploads = upload_all(stack, samples, directory / "files")
    states_at_end = follow(stack, uploads)
    jobs = run_jobs(stack)
    alerts = await_alerts(cloud, uploads, jobs)
    files = stories(stack, uploads, states_at_end, alerts)
    run_ = Run(stack, uploads, files, alerts)
    checks = [check_verdicts(run_), check_places(run_), check_readers(run_), check_alerts(run_)]
    checks += [check_jobs(stack, jobs, alerts), run_models(stack, cloud)]
    report = Report(started, now(), files, alerts, checks, jobs)
    # Last, because it also searches the report.
    return replace(report, checks=[*checks, check_leaks(run_, report, cloud.state_dir)])


def upload_all(stack: Stack, samples: Sequence[Sample], files: Path) -> list[Uploaded]:
    """Put the samples as the uploader role, each as its manifest says."""
    s3 = as_role(stack, stack.output("UploaderRoleArn")).client("s3")
    intake = Intake(s3, stack.intake, stack.data_key)
    return [upload_one(intake, sample, files / sample.path) for sample in samples]


def upload_one(intake: Intake, sample: Sample, path: Path) -> Uploaded:
    at = now()
    try:
        if sample.other_encryption:
            return Uploaded(sample, at, _put_otherwise(intake.s3, intake.bucket, sample))
        return Uploaded(sample, at, intake.put(Item(path, sample.path)))
    except ClientError as error:
        # A refusal is what one of the samples is for; of any other it is a wrong verdict, which the checks report.
        return Uploaded(sample, at, None, error_code(error))


def follow(stack: Stack, uploads: Sequence[Uploaded]) -> dict[tuple[str, str], VersionState]:
    """The state of every upload once all are settled, or when the time is up."""
    deadline = time.monotonic() + SETTLED_WITHIN_SECONDS
    ours = {upload.name for upload in uploads if upload.version_id}
    with Board(uploads) as board:
        while True:
            current = {(s.key, s.version_id): s for s in states(stack) if (s.key, s.version_id) in ours}
            board.show(current)
            settled = [state for state in current.values() if state.state != SCANNING]
            if len(settled) == len(ours) or time.monotonic() > deadline:
                return current
            time.sleep(POLL_SECONDS)


def await_alerts(cloud: "Cloud", uploads: Sequence[Uploaded], jobs: Sequence[JobStory]) -> list[ReceivedAlert]:
    """What on call received of these uploads and jobs, once as much has come as should and no more comes."""
    due = sum(upload.sample.expected in (Expected.FLAGGED, Expected.HELD) for upload in uploads)
    due += sum(len(job.broken) for job in jobs)
    names = {upload.name for upload in uploads} | {(job.arn, "") for job in jobs}
    deadline = time.monotonic() + ALERTED_WITHIN_SECONDS
    heard: list[ReceivedAlert] = []
    quiet_since = time.monotonic()
    while time.monotonic() < deadline:
        arrived = [alert for alert in received_alerts(cloud.oncall_url) if (alert.key, alert.version_id) in names]
        if len(arrived) != len(heard):
            heard, quiet_since = arrived, time.monotonic()
        if len(heard) >= due and time.monotonic() - quiet_since > QUIET_SECONDS:
            break
        time.sleep(POLL_SECONDS)
    return heard


def now() -> str:
    return iso(datetime.now(UTC))


def _put_otherwise(s3: "S3Client", bucket: str, sample: Sample) -> str:
    answer = s3.put_object(Bucket=bucket, Key=sample.path, Body=sample.content, ServerSideEncryption="AES256")
    return answer["VersionId"]
