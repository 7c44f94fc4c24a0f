"""What a team sees: a job that follows the rules is approved, one that breaks one is stopped, however events come."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.conftest import Deployment, wait_for
from e2e.job_world import JobWorld, tiny_model
from e2e.test_iam import is_denied
from tunegate.job_facts import State
from tunegate.subject import Approval
from tunegate.verdict_tags import MODEL_VERDICT_TAG
from tunegate_local.origin import through

SLOW = 300.0
"""Seconds a stage takes of a job that is to be caught while it runs."""
FAST = 0.3


@pytest.fixture(scope="module")
def world(deployment: Deployment) -> Iterator[JobWorld]:
    built = JobWorld(deployment)
    built.stage_seconds(FAST)
    built.approve(built.data)
    yield built
    built.deliver_events()
    built.stage_seconds(FAST)


def model_of(world: JobWorld, job: str) -> str:
    """The model a job has made, once it has."""
    assert world.ended(job) == "Completed"
    return str(world.client("bedrock").get_model_customization_job(jobIdentifier=job)["outputModelArn"])


def tags_of(world: JobWorld, arn: str) -> dict[str, str]:
    tags = world.client("bedrock").list_tags_for_resource(resourceARN=arn)["tags"]
    return {tag["key"]: tag["value"] for tag in tags}


def deploy_model(world: JobWorld, model: str, name: str) -> str:
    answer = world.client("bedrock").create_custom_model_deployment(modelDeploymentName=name, modelArn=model)
    return str(answer["customModelDeploymentArn"])


def invoke(world: JobWorld, arn: str, role: str, endpoint: str | None) -> Any:
    client = world.deployment.client("bedrock-runtime", role)
    if endpoint:
        through(client, endpoint)
    return client.invoke_model(
        modelId=arn,
        body=json.dumps({"prompt": "Hello"}),
        guardrailIdentifier=guardrail(world),
        guardrailVersion="DRAFT",
    )


def guardrail(world: JobWorld) -> str:
    bedrock = world.client("bedrock")
    existing = bedrock.list_guardrails()["guardrails"]
    if existing:
        return str(existing[0]["id"])
    filters = [{"type": "PROMPT_ATTACK", "inputStrength": "HIGH", "outputStrength": "NONE"}]
    return str(
        bedrock.create_guardrail(
            name="e2e",
            blockedInputMessaging="no",
            blockedOutputsMessaging="no",
            contentPolicyConfig={"filtersConfig": filters},
        )["guardrailId"]
    )


def test_a_compliant_job_is_approved_and_its_model_is_invocable_by_the_invoker_role_alone(world: JobWorld) -> None:
    job = world.start()
    model = model_of(world, job)
    row = world.decided(job, lambda row: row.state is State.DONE)
    assert (row.approval, row.breaches, row.gaps) == (Approval.APPROVED, (), ())
    assert world.decided(model, lambda row: row.is_final).approval is Approval.APPROVED
    assert tags_of(world, model)[MODEL_VERDICT_TAG] == "approved"
    deployment = deploy_model(world, model, "compliant")
    assert world.decided(deployment, lambda row: row.state is State.DONE).approval is Approval.APPROVED
    invoker, endpoint = world.output("InvokerRoleArn"), world.output("InvokerEndpointId")
    assert invoke(world, deployment, invoker, endpoint)["body"].read()
    assert is_denied(invoke, world=world, arn=deployment, role=invoker, endpoint=None)
    assert is_denied(invoke, world=world, arn=deployment, role=world.output("LauncherRoleArn"), endpoint=endpoint)
    assert world.alerts(job) == []
    assert world.alerts(model) == []


def test_the_manifest_names_every_version_the_job_read(world: JobWorld) -> None:
    version = world.approve("manifest/a.jsonl")
    world.stage_seconds(3)
    job = world.start(trainingDataConfig={"s3Uri": world.uri("manifest/")})
    row = world.decided(job, lambda row: row.approval is Approval.ADMITTED and bool(row.manifest))
    world.stage_seconds(FAST)
    body = world.client("s3").get_object(Bucket=world.output("EvidenceBucket"), Key=row.manifest)["Body"].read()
    [listed] = json.loads(body)["inputs"]
    assert (listed["key"], listed["version_id"]) == (version.key, version.version_id)
    assert listed["checksum"]


def test_an_object_replaced_while_the_job_runs_is_found_at_completion_by_version(world: JobWorld) -> None:
    before = world.approve("swap/a.jsonl")
    world.stage_seconds(4)
    job = world.start(trainingDataConfig={"s3Uri": world.uri("swap/a.jsonl")})
    world.decided(job, lambda row: bool(row.manifest))
    world.stage_seconds(FAST)
    after = world.client("s3").put_object(
        Bucket=before.bucket,
        Key=before.key,
        Body=b'{"prompt": "x", "completion": "swapped"}\n',
        Tagging="tunegate-verdict=clean",
    )["VersionId"]
    row = world.decided(job, lambda row: row.approval is Approval.REJECTED)
    assert "lineage.inputs_unchanged" in row.breaches
    alert = world.alert_on(job, "lineage.inputs_unchanged")
    assert before.version_id in alert["text"]
    assert after in alert["text"]


def test_a_job_that_breaks_a_rule_is_stopped_before_it_completes_with_one_alert(world: JobWorld) -> None:
    world.stage_seconds(SLOW)
    job = world.start(customModelKmsKeyId=None)
    assert world.ended(job) == "Stopped"
    world.stage_seconds(FAST)
    row = world.decided(job, lambda row: row.state is State.ENDED)
    assert (row.approval, row.breaches, row.done) == (
        Approval.REJECTED,
        ("encryption.job_model_key",),
        "stopped the job",
    )
    alert = world.alert_on(job, "encryption.job_model_key")
    assert "The gate stopped the job." in alert["text"]
    assert len(world.alerts(job)) == 1


def test_with_every_event_dropped_one_reconcile_run_brings_the_same_end_state(world: JobWorld) -> None:
    world.drop_events()
    good, bad = world.start(), world.start(vpcConfig=None)
    world.ended(good)
    world.ended(bad)
    model = model_of(world, good)
    assert (world.row(good), world.row(bad), world.row(model)) == (None, None, None)
    world.invoke("ReconcileFunction")
    assert world.decided(good, lambda row: row.is_final).approval is Approval.APPROVED
    assert world.decided(model, lambda row: row.is_final).approval is Approval.APPROVED
    rejected = world.decided(bad, lambda row: row.is_final)
    world.deliver_events()
    assert (rejected.approval, rejected.breaches) == (Approval.REJECTED, ("network.job_in_vpc",))
    assert world.alert_on(bad, "network.job_in_vpc")


def test_events_three_times_and_in_reverse_order_bring_the_same_end_state_with_one_alert_a_control(
    world: JobWorld,
) -> None:
    world.drop_events()
    seen = len(world.published())
    good, bad = world.start(), world.start(vpcConfig=None)
    model = model_of(world, good)
    world.ended(bad)
    events = world.published()[seen:]
    world.deliver_events()
    for _ in range(3):
        for event in reversed(events):
            world.publish(event)
    assert world.decided(good, lambda row: row.is_final).approval is Approval.APPROVED
    assert world.decided(model, lambda row: row.is_final).approval is Approval.APPROVED
    assert world.decided(bad, lambda row: row.is_final).breaches == ("network.job_in_vpc",)
    world.alert_on(bad, "network.job_in_vpc")
    wait_for("the queue to drain", lambda: _empty(world, "JobsQueueUrl") or None)
    assert len(world.alerts(bad)) == 1
    assert world.alerts(good) == []


def test_a_model_imported_outside_the_gate_is_found_and_revoked_within_one_reconcile(world: JobWorld) -> None:
    outside = f"outside-{world.output('IntakeBucket')[-40:]}"[:63].rstrip("-")
    put_model(world, outside)
    world.drop_events()
    job = world.start_import(
        modelDataSource={"s3DataSource": {"s3Uri": f"s3://{outside}/model/"}},
        roleArn=reading_role(world, outside),
        importedModelKmsKeyId=None,
        vpcConfig=None,
    )
    model = imported_model(world, job)
    world.invoke("ReconcileFunction")
    row = world.decided(model, lambda row: row.is_final)
    world.deliver_events()
    assert row.approval is Approval.REJECTED
    assert "model.import_from_approved" in row.breaches
    assert tags_of(world, model)[MODEL_VERDICT_TAG] == "rejected"
    invoker, endpoint = world.output("InvokerRoleArn"), world.output("InvokerEndpointId")
    assert is_denied(invoke, world=world, arn=model, role=invoker, endpoint=endpoint)
    assert world.alert_on(model, "model.import_from_approved")


def put_model(world: JobWorld, bucket: str) -> None:
    s3 = world.client("s3")
    s3.create_bucket(Bucket=bucket)
    for name, body in tiny_model().items():
        s3.put_object(Bucket=bucket, Key=f"model/{name}", Body=body)


def reading_role(world: JobWorld, bucket: str) -> str:
    """Somebody's own import role, which reads somebody's own bucket."""
    iam, name = world.client("iam"), "outside-import"
    trust = {"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))["Role"]["Arn"]
    reads = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }
    iam.put_role_policy(RoleName=name, PolicyName="reads", PolicyDocument=_document(reads))
    return str(arn)


def imported_model(world: JobWorld, job: str) -> str:
    def look() -> str | None:
        answer = world.client("bedrock").get_model_import_job(jobIdentifier=job)
        assert answer["status"] != "Failed", answer.get("failureMessage")
        return str(answer["importedModelArn"]) if answer["status"] == "Completed" else None

    return wait_for("the import", look)


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _empty(world: JobWorld, queue: str) -> bool:
    names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
    counts = world.client("sqs").get_queue_attributes(QueueUrl=world.output(queue), AttributeNames=names)["Attributes"]
    return all(counts[name] == "0" for name in names)
