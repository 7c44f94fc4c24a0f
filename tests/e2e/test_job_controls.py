"""For each control of jobs: what breaks that one alone is caught by events, stopped, and told by that control's id."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any

import pytest

from e2e.conftest import Deployment, wait_for
from e2e.job_faults import Change, Faults, faulty_jobs
from e2e.job_world import JobWorld, gate_of
from e2e.test_job_gate import FAST, SLOW, deploy_model, model_of, tags_of
from tunegate.job_facts import State
from tunegate.judge.controls.table import JOB_CONTROLS
from tunegate.subject import Approval, subject_of
from tunegate.subject_rows import SubjectRow
from tunegate.verdict_tags import MODEL_VERDICT_TAG
from tunegate.verify import verify

# Broken by a change to the account while a job runs, or about models and endpoints: each has a test of its own below.
APART = {
    "encryption.custom_model_key",
    "encryption.imported_model_key",
    "encryption.copied_model_key",
    "encryption.key_customer_managed",
    "encryption.key_enabled",
    "encryption.input_bucket_key",
    "encryption.output_bucket_key",
    "encryption.output_object_key",
    "identity.boundary",
    "network.subnets_exist",
    "lineage.policy_accepted",
    "lineage.inputs_unchanged",  # test_job_gate.py
    "model.import_from_approved",  # test_job_gate.py
    "model.known_origin",
    "model.copy_source_approved",
    "model.throughput_approved",
    "model.deployment_approved",
    "model.tag_is_the_gates",
}


@dataclass(frozen=True)
class Caught:
    """The faulty jobs by the control each breaks, all running at once."""

    world: JobWorld
    jobs: dict[str, str]
    spare_key: str
    spare_network: Change


@pytest.fixture(scope="module")
def caught(deployment: Deployment) -> Iterator[Caught]:
    world = JobWorld(deployment, data="faults/train.jsonl")
    world.approve("faults/withdrawn.jsonl")
    withdrawn = [world.policy_digest("faults/withdrawn.jsonl")]
    world.accept_policy(lambda policy: policy["jobs"].update({"withdrawn_policy_digests": withdrawn}))
    faults = Faults(world)
    changes = faulty_jobs(faults)
    spare_key, spare_network = faults.key(), faults.in_subnet(faults.subnet("10.90.0.0/24"))
    world.accept_policy(lambda policy: policy["jobs"].update(faults.allowed))
    world.approve(world.data)
    world.stage_seconds(SLOW)
    with ThreadPoolExecutor(4) as pool:
        started = pool.map(lambda change: world.start(**change), changes.values())
        jobs = dict(zip(changes, started, strict=True))
    yield Caught(world, jobs, spare_key, spare_network)
    world.deliver_events()
    world.stage_seconds(FAST)


def test_every_control_of_jobs_is_broken_by_a_case_here() -> None:
    table = {control.id for control in JOB_CONTROLS}
    assert set(CASES) | APART == table
    assert not set(CASES) & APART


CASES = sorted({control.id for control in JOB_CONTROLS} - APART)


@pytest.mark.parametrize("control", CASES)
def test_a_job_that_breaks_one_control_is_stopped_and_told_by_its_id(caught: Caught, control: str) -> None:
    world, job = caught.world, caught.jobs[control]
    row = world.decided(job, lambda row: row.approval is not Approval.ADMITTED)
    assert (row.approval, row.breaches, row.gaps) == (Approval.REJECTED, (control,), ())
    assert world.ended(job) in {"Stopped", "Failed"}
    assert world.alert_on(job, control)["control"] == control
    assert [alert["control"] for alert in world.alerts(job)] == [control]


# --- Broken by what happens while the job runs ---


def finished_unseen(world: JobWorld, **changed: object) -> str:
    """A job that has completed without the gate having heard of it."""
    world.stage_seconds(FAST)
    world.drop_events()
    job = world.start(**changed)
    assert world.ended(job) == "Completed"
    return job


def told(world: JobWorld, job: str, *controls: str) -> None:
    """Deliver the news of a job, and expect these controls to be broken and no other."""
    world.deliver_events()
    world.job_event(job)
    row = world.decided(job, lambda row: row.state is not State.RUNNING)
    assert (row.approval, row.breaches, row.gaps) == (Approval.REJECTED, controls, ())
    for control in controls:
        assert world.alert_on(job, control)


def test_a_key_that_is_disabled_meanwhile_is_found(caught: Caught) -> None:
    world, key = caught.world, caught.spare_key
    job = finished_unseen(world, customModelKmsKeyId=key)
    world.client("kms").disable_key(KeyId=key)
    told(world, job, "encryption.key_enabled")


def test_results_under_another_key_are_found(caught: Caught) -> None:
    world, output = caught.world, caught.world.output("OutputBucket")
    job = finished_unseen(world, outputDataConfig={"s3Uri": f"s3://{output}/jobs/other-key/"})
    world.client("s3").put_object(
        Bucket=output, Key="jobs/other-key/more.csv", Body=b"step,loss\n", ServerSideEncryption="aws:kms",
        SSEKMSKeyId=world.output("QuarantineKeyArn"),
    )  # fmt: skip
    told(world, job, "encryption.output_object_key")


@pytest.mark.parametrize(
    ("bucket", "control"),
    [("ApprovedBucket", "encryption.input_bucket_key"), ("OutputBucket", "encryption.output_bucket_key")],
)
def test_a_bucket_that_encrypts_with_another_key_by_default_is_found(caught: Caught, bucket: str, control: str) -> None:
    world, s3 = caught.world, caught.world.client("s3")
    name = world.output(bucket)
    job = finished_unseen(world)
    before = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]
    other = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": world.output("QuarantineKeyArn")}
    s3.put_bucket_encryption(
        Bucket=name, ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": other}]}
    )
    try:
        told(world, job, control)
    finally:
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=before)


def test_a_subnet_that_is_gone_is_found(caught: Caught) -> None:
    world, network = caught.world, caught.spare_network
    world.stage_seconds(FAST)
    world.drop_events()
    job = world.start(**network)
    world.ended(job)
    world.client("ec2").delete_subnet(SubnetId=network["vpcConfig"]["subnetIds"][0])
    told(world, job, "network.subnets_exist")


def test_data_found_clean_under_a_withdrawn_policy_is_found(caught: Caught) -> None:
    world = caught.world
    world.stage_seconds(FAST)
    world.deliver_events()
    job = world.start(trainingDataConfig={"s3Uri": world.uri("faults/withdrawn.jsonl")})
    row = world.decided(job, lambda row: row.approval is Approval.REJECTED)
    assert row.breaches == ("lineage.policy_accepted",)
    assert world.alert_on(job, "lineage.policy_accepted")


# --- Models, copies and what serves them ---


def rejected(world: JobWorld, arn: str, *controls: str) -> SubjectRow:
    row = world.decided(arn, lambda row: row.is_final and row.approval is Approval.REJECTED)
    assert row.breaches == controls
    for control in controls:
        assert world.alert_on(arn, control)
    return row


def created(world: JobWorld, **changed: object) -> str:
    """A custom model made directly from files the gate approved.

    Bedrock reads them itself: a role of ours would have to come from the VPC, and this call takes none.
    """
    asked = {
        "modelName": f"created-{token_hex(4)}",
        "modelSourceConfig": {"s3DataSource": {"s3Uri": world.uri("faults/train.jsonl")}},
        "modelKmsKeyArn": world.output("ModelKeyArn"),
    } | changed
    answer = world.client("bedrock").create_custom_model(**{k: v for k, v in asked.items() if v is not None})
    return str(answer["modelArn"])


def test_a_custom_model_without_a_customer_managed_key_is_rejected(caught: Caught) -> None:
    caught.world.deliver_events()
    caught.world.stage_seconds(FAST)
    rejected(caught.world, created(caught.world, modelKmsKeyArn=None), "encryption.custom_model_key")


def test_a_custom_model_nobody_can_trace_is_rejected(caught: Caught) -> None:
    world = caught.world
    world.drop_events()
    model = created(world)
    world.invoke("ReconcileFunction")
    rejected(world, model, "model.known_origin")
    world.deliver_events()


def test_an_import_without_a_customer_managed_key_is_rejected(caught: Caught) -> None:
    world = caught.world
    world.deliver_events()
    world.stage_seconds(FAST)
    world.approve_model("models/tiny/")
    job = world.start_import(importedModelKmsKeyId=None)
    rejected(world, job, "encryption.imported_model_key")


def test_a_copy_that_drops_the_key_and_a_copy_of_a_rejected_model_are_rejected(caught: Caught) -> None:
    world, bedrock = caught.world, caught.world.client("bedrock")
    good = model_of(world, approved_job(world))
    dropped = bedrock.create_model_copy_job(sourceModelArn=good, targetModelName="copy-dropped")["jobArn"]
    rejected(world, dropped, "encryption.copied_model_key")
    bad = created(world, modelKmsKeyArn=None)
    world.decided(bad, lambda row: row.approval is Approval.REJECTED)
    copy = bedrock.create_model_copy_job(
        sourceModelArn=bad, targetModelName="copy-bad", modelKmsKeyId=world.output("ModelKeyArn")
    )["jobArn"]
    rejected(world, copy, "model.copy_source_approved")


def test_what_serves_a_rejected_model_is_rejected_and_removed(caught: Caught) -> None:
    world, bedrock = caught.world, caught.world.client("bedrock")
    bad = created(world, modelKmsKeyArn=None)
    world.decided(bad, lambda row: row.approval is Approval.REJECTED)
    deployment = deploy_model(world, bad, "serves-bad")
    throughput = bedrock.create_provisioned_model_throughput(
        modelUnits=1, provisionedModelName="throughput-bad", modelId=bad
    )["provisionedModelArn"]
    for arn, control in ((deployment, "model.deployment_approved"), (throughput, "model.throughput_approved")):
        row = world.decided(arn, lambda row: row.approval is Approval.REJECTED)
        assert row.breaches == (control,)
        assert world.alert_on(arn, control)
    wait_for("the deployment's removal", lambda: None if serving(world, bad) else True)


def test_a_model_tagged_as_approved_by_somebody_else_is_found_and_marked_again(caught: Caught) -> None:
    world = caught.world
    bad = created(world, modelKmsKeyArn=None)
    world.decided(bad, lambda row: row.approval is Approval.REJECTED)
    forged = [{"key": MODEL_VERDICT_TAG, "value": "approved"}]
    world.client("bedrock").tag_resource(resourceARN=bad, tags=forged)
    row = world.decided(bad, lambda row: "model.tag_is_the_gates" in row.breaches)
    assert row.approval is Approval.REJECTED
    assert world.alert_on(bad, "model.tag_is_the_gates")
    wait_for("the gate's own mark", lambda: tags_of(world, bad)[MODEL_VERDICT_TAG] == "rejected" or None)


def approved_job(world: JobWorld) -> str:
    world.deliver_events()
    world.stage_seconds(FAST)
    job = world.start()
    assert world.decided(job, lambda row: row.is_final).approval is Approval.APPROVED
    return job


def serving(world: JobWorld, model: str) -> list[str]:
    bedrock = world.client("bedrock")
    deployments = bedrock.list_custom_model_deployments(modelArnEquals=model)["modelDeploymentSummaries"]
    throughputs = bedrock.list_provisioned_model_throughputs(modelArnEquals=model)["provisionedModelSummaries"]
    return [item["status"] for item in (*deployments, *throughputs)]


# --- What a deployment without a boundary, or AWS's own keys, cannot show: the same code, judging the same cloud ---


def test_a_role_without_the_boundary_is_found(caught: Caught) -> None:
    world = caught.world
    gate = gate_of(world, boundary="arn:aws:iam::111122223333:policy/boundary")
    job = finished_unseen(world)
    [row, *_] = verify(gate, subject_of(job))
    world.deliver_events()
    assert row.breaches == ("identity.boundary",)


def test_a_key_of_aws_is_found(caught: Caught) -> None:
    world = caught.world
    job = finished_unseen(world)
    gate = gate_of(world)
    kms = AwsManaged(world.client("kms"))
    sources = replace(gate.sources, client=lambda service: kms if service == "kms" else world.client(service))
    [row, *_] = verify(replace(gate, sources=sources), subject_of(job))
    world.deliver_events()
    assert row.breaches == ("encryption.key_customer_managed",)


class AwsManaged:
    """KMS, telling of the key that AWS manages it: in the embedded cloud there is no such key to use."""

    def __init__(self, kms: Any) -> None:
        self._kms = kms

    def describe_key(self, **asked: Any) -> Any:
        answer = self._kms.describe_key(**asked)
        return answer | {"KeyMetadata": answer["KeyMetadata"] | {"KeyManager": "AWS"}}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kms, name)
