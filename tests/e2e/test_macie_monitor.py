"""What Macie finds in a file that is approved: revoked, quarantined, its readers stopped or refused, told once."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from e2e.conftest import Deployment, wait_for
from e2e.job_world import JobWorld
from e2e.test_job_gate import FAST, SLOW, model_of, tags_of
from tunegate.job_facts import State
from tunegate.model import ObjectVersion
from tunegate.monitoring import OVERLAP
from tunegate.rows import Action, DecisionRow
from tunegate.subject import Approval
from tunegate.verdict_tags import MODEL_VERDICT_TAG

# So that a cloud that is kept up takes one run after another.
RUN = secrets.token_hex(3)
RECORDS = b"""{"prompt": "What is the capital of France?", "completion": "Paris is the capital of France."}
{"prompt": "Who are you?", "completion": "My social security number is 536-90-4399."}
"""


@pytest.fixture(scope="module", autouse=True)
def monitor(deployment: Deployment) -> Iterator[None]:
    # As if Macie had looked at all that the other tests have approved.
    looked(deployment, to=datetime.now(UTC) + OVERLAP)
    # By its own names for the type the screen and Comprehend only report it, so the file is approved at first.
    reported = {"pii/SSN": {"severity": "low", "flags": False, "threshold": 0.5}}
    with deployment.policy(services={"macie": "monitor", "macie_monitor_seconds": 60}, types=reported):
        yield


@pytest.fixture
def world(deployment: Deployment) -> Iterator[JobWorld]:
    built = JobWorld(deployment)
    built.stage_seconds(FAST)
    yield built
    built.stage_seconds(FAST)


def look(deployment: Deployment, prefix: str) -> None:
    """A job of Macie's that somebody in the account runs over approved files."""
    account = deployment.client("sts").get_caller_identity()["Account"]
    term = {"comparator": "STARTS_WITH", "key": "OBJECT_KEY", "values": [prefix]}
    deployment.client("macie2").create_classification_job(
        clientToken=prefix,
        jobType="ONE_TIME",
        name=prefix,
        s3JobDefinition={
            "bucketDefinitions": [{"accountId": account, "buckets": [deployment.outputs["ApprovedBucket"]]}],
            "scoping": {"includes": {"and": [{"simpleScopeTerm": term}]}},
        },
    )


def revoked(deployment: Deployment, key: str) -> DecisionRow:
    def row() -> DecisionRow | None:
        return next((row for row in deployment.decisions(key) if row.action is Action.REVOKE), None)

    return wait_for(f"the revocation of {key}", row)


def verdict_on(deployment: Deployment, version: ObjectVersion) -> str:
    tags = deployment.client("s3").get_object_tagging(
        Bucket=version.bucket, Key=version.key, VersionId=version.version_id
    )["TagSet"]
    return str({tag["Key"]: tag["Value"] for tag in tags}["tunegate-verdict"])


def one_alert(deployment: Deployment, key: str) -> dict[str, Any]:
    wait_for(f"the alert on {key}", lambda: deployment.alerts(key) or None)
    [alert] = deployment.alerts(key)
    return alert


def test_a_late_finding_stops_the_job_that_reads_the_file(deployment: Deployment, world: JobWorld) -> None:
    key = f"late-{RUN}/running.jsonl"
    approved = world.approve(key, RECORDS)
    world.stage_seconds(SLOW)
    job = world.start(trainingDataConfig={"s3Uri": world.uri(key)})
    world.decided(job, lambda row: row.approval is Approval.ADMITTED and bool(row.manifest))
    # The job's stage has begun and stays slow; Macie's job need not be.
    world.stage_seconds(FAST)
    look(deployment, key)
    row = revoked(deployment, key)
    assert verdict_on(deployment, approved) == "flagged"
    assert row.destination is not None
    assert row.destination.bucket == deployment.outputs["QuarantineBucket"]
    assert deployment.body(row.destination) == RECORDS
    assert world.ended(job) == "Stopped"
    stopped = world.decided(job, lambda row: row.state is State.ENDED)
    assert (stopped.approval, stopped.done) == (Approval.REJECTED, "stopped the job")
    alert = one_alert(deployment, key)
    assert alert["title"] == f"Approved training file revoked: {key}"
    assert job in alert["text"]
    assert "536-90-4399" not in str(alert)


def test_a_late_finding_revokes_the_model_that_was_made_of_the_file(deployment: Deployment, world: JobWorld) -> None:
    key = f"late-{RUN}/done.jsonl"
    world.approve(key, RECORDS)
    job = world.start(trainingDataConfig={"s3Uri": world.uri(key)})
    model = model_of(world, job)
    wait_for("the gate's mark", lambda: tags_of(world, model).get(MODEL_VERDICT_TAG) == "approved" or None)
    look(deployment, key)
    revoked(deployment, key)
    rejected = world.decided(model, lambda row: row.approval is Approval.REJECTED)
    assert rejected.breaches
    wait_for("the gate's mark", lambda: tags_of(world, model).get(MODEL_VERDICT_TAG) == "rejected" or None)
    one_alert(deployment, key)


def test_the_gate_has_macie_look_by_itself_and_reads_what_its_job_found(
    deployment: Deployment, world: JobWorld
) -> None:
    key = f"late-{RUN}/by-itself.jsonl"
    world.approve(key, RECORDS)
    world.drop_events("Macie Finding")
    # A job is due, over the last few seconds.
    now = datetime.now(UTC)
    looked(deployment, to=now + OVERLAP - timedelta(seconds=30), until=now)
    world.invoke("AskMacieFunction")
    note = wait_for("Macie's job", lambda: _noted(deployment) if _noted(deployment)["job_id"] else None)
    macie = deployment.client("macie2")
    wait_for(
        "the end of Macie's job",
        lambda: macie.describe_classification_job(jobId=note["job_id"])["jobStatus"] == "COMPLETE" or None,
    )
    assert [row.action for row in deployment.decisions(key)] == [Action.SCAN], "no event told of it"
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    looked(deployment, to=now, until=now, job_id=note["job_id"], complete_at=long_ago)
    world.invoke("AskMacieFunction")
    world.deliver_events()
    revoked(deployment, key)
    one_alert(deployment, key)
    assert _noted(deployment)["job_id"] == ""


def _noted(deployment: Deployment) -> dict[str, str]:
    answer = deployment.client("dynamodb").get_item(
        TableName=deployment.outputs["LedgerTable"], Key={"pk": {"S": "macie#approved"}, "sk": {"S": "looked"}}
    )
    return {name: value["S"] for name, value in answer["Item"].items()}


def looked(deployment: Deployment, **noted: datetime | str) -> None:
    """Set how far Macie has looked."""
    names = ("to", "until", "job_id", "complete_at")
    values = {name: noted.get(name, "") for name in names}
    deployment.client("dynamodb").put_item(
        TableName=deployment.outputs["LedgerTable"],
        Item={"pk": {"S": "macie#approved"}, "sk": {"S": "looked"}}
        | {name: {"S": value if isinstance(value, str) else value.isoformat()} for name, value in values.items()},
    )
