"""Who may do what about jobs and models, with IAM, bucket, key and endpoint policies evaluated."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.conftest import Deployment, wait_for
from e2e.job_world import BASE_MODEL, JobWorld
from e2e.test_iam import (
    CLEAN,
    RECORD,
    allowed_everything,
    as_service_role,
    is_denied,
    s3_endpoint,
)
from tunegate.subject import Approval
from tunegate.verdict_tags import MODEL_VERDICT_TAG
from tunegate_local.origin import through

SERVICE_ROLES = ["ModelCustomizationRoleArn", "ModelImportRoleArn"]


@pytest.fixture(scope="module")
def world(deployment: Deployment) -> Iterator[JobWorld]:
    built = JobWorld(deployment)
    built.stage_seconds(0.3)
    built.settle_by_hand(built.data, RECORD)
    s3, approved = deployment.client("s3"), deployment.outputs["ApprovedBucket"]
    s3.put_object(Bucket=approved, Key="iam/clean", Body=RECORD, Tagging=CLEAN)
    s3.put_object(Bucket=approved, Key="iam/held", Body=RECORD, Tagging="tunegate-verdict=held")
    s3.put_object(Bucket=deployment.outputs["OutputBucket"], Key="iam/metrics.csv", Body=b"step,loss")
    yield built
    built.stage_seconds(0.3)


def as_function(deployment: Deployment, service: str, output: str) -> Any:
    """A client with the credentials of one of the product's functions."""
    configuration = deployment.client("lambda").get_function_configuration(FunctionName=deployment.outputs[output])
    return as_service_role(deployment, service, configuration["Role"])


@pytest.fixture(scope="module")
def administrator(deployment: Deployment) -> str:
    return allowed_everything(deployment)


@pytest.fixture(scope="module")
def served(world: JobWorld) -> str:
    """A deployment of an approved model, the gate's own mark on it."""
    job = world.start()
    world.ended(job)
    model = str(world.client("bedrock").get_model_customization_job(jobIdentifier=job)["outputModelArn"])
    world.decided(model, lambda row: row.approval is Approval.APPROVED)
    answer = world.client("bedrock").create_custom_model_deployment(modelDeploymentName="iam", modelArn=model)
    arn = str(answer["customModelDeploymentArn"])
    wait_for(f"the mark on {arn}", lambda: mark_of(world, arn) or None)
    return arn


@pytest.fixture(scope="module")
def guardrail(deployment: Deployment) -> str:
    bedrock = deployment.client("bedrock")
    made = bedrock.create_guardrail(
        name="iam",
        blockedInputMessaging="No.",
        blockedOutputsMessaging="No.",
        contentPolicyConfig={
            "filtersConfig": [{"type": "PROMPT_ATTACK", "inputStrength": "HIGH", "outputStrength": "NONE"}]
        },
    )
    return str(made["guardrailId"])


def mark_of(world: JobWorld, arn: str) -> str:
    tags = world.client("bedrock").list_tags_for_resource(resourceARN=arn)["tags"]
    return next((str(tag["value"]) for tag in tags if tag["key"] == MODEL_VERDICT_TAG), "")


def marked(world: JobWorld, arn: str, verdict: str) -> None:
    tags = [{"key": MODEL_VERDICT_TAG, "value": verdict}]
    world.client("bedrock").tag_resource(resourceARN=arn, tags=tags)


def runtime(deployment: Deployment, role: str, endpoint: str | None) -> Any:
    client = deployment.client("bedrock-runtime", role)
    return through(client, endpoint) if endpoint else client


def asking(arn: str, guardrail: str = "") -> dict[str, Any]:
    guarded = {"guardrailIdentifier": guardrail, "guardrailVersion": "DRAFT"} if guardrail else {}
    return {"modelId": arn, "body": json.dumps({"prompt": "Hello"})} | guarded


@pytest.mark.parametrize("role", SERVICE_ROLES)
def test_a_service_role_reads_approved_data_from_the_network_only(
    deployment: Deployment, world: JobWorld, role: str
) -> None:
    approved = world.output("ApprovedBucket")
    outside = as_service_role(deployment, "s3", world.output(role))
    inside = through(as_service_role(deployment, "s3", world.output(role)), s3_endpoint(deployment))
    assert is_denied(outside.get_object, Bucket=approved, Key="iam/clean")
    assert is_denied(outside.list_objects_v2, Bucket=approved)
    assert inside.get_object(Bucket=approved, Key="iam/clean")["Body"].read() == RECORD
    assert not is_denied(inside.list_objects_v2, Bucket=approved)
    assert is_denied(inside.get_object, Bucket=approved, Key="iam/held")
    assert is_denied(inside.put_object, Bucket=approved, Key="iam/x", Body=RECORD)


def test_a_customization_writes_its_metrics_from_the_network_only(deployment: Deployment, world: JobWorld) -> None:
    role, output = world.output("ModelCustomizationRoleArn"), world.output("OutputBucket")
    outside = as_service_role(deployment, "s3", role)
    inside = through(as_service_role(deployment, "s3", role), s3_endpoint(deployment))
    assert is_denied(outside.put_object, Bucket=output, Key="iam/job/metrics", Body=b"")
    assert is_denied(outside.get_object, Bucket=output, Key="iam/metrics.csv")
    assert not is_denied(inside.put_object, Bucket=output, Key="iam/job/metrics", Body=b"")


def test_an_import_writes_nowhere(deployment: Deployment, world: JobWorld) -> None:
    role = world.output("ModelImportRoleArn")
    inside = through(as_service_role(deployment, "s3", role), s3_endpoint(deployment))
    assert is_denied(inside.put_object, Bucket=world.output("OutputBucket"), Key="iam/x", Body=b"")
    assert is_denied(inside.get_object, Bucket=world.output("OutputBucket"), Key="iam/metrics.csv")


def test_another_vpc_is_no_better_than_the_internet(
    deployment: Deployment, world: JobWorld, administrator: str
) -> None:
    ec2 = deployment.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.99.0.0/24")["Vpc"]["VpcId"]
    endpoint = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3")["VpcEndpoint"]
    elsewhere = through(deployment.client("s3", administrator), endpoint["VpcEndpointId"])
    assert is_denied(elsewhere.head_object, Bucket=world.output("ApprovedBucket"), Key="iam/clean")


def test_the_endpoint_leads_to_two_buckets_whoever_asks(
    deployment: Deployment, world: JobWorld, administrator: str
) -> None:
    outside = deployment.client("s3", administrator)
    inside = through(deployment.client("s3", administrator), s3_endpoint(deployment))
    assert not is_denied(outside.list_objects_v2, Bucket=world.output("PolicyBucket"))
    assert is_denied(inside.list_objects_v2, Bucket=world.output("PolicyBucket"))
    assert not is_denied(inside.list_objects_v2, Bucket=world.output("OutputBucket"))


def test_a_role_allowed_everything_reads_no_training_data_from_outside(
    deployment: Deployment, world: JobWorld, administrator: str
) -> None:
    s3 = deployment.client("s3", administrator)
    assert is_denied(s3.head_object, Bucket=world.output("ApprovedBucket"), Key="iam/clean")
    assert is_denied(s3.get_object, Bucket=world.output("OutputBucket"), Key="iam/metrics.csv")
    assert is_denied(s3.put_object, Bucket=world.output("OutputBucket"), Key="iam/x", Body=b"")


@pytest.mark.parametrize("output", ["OperatorRoleArn", "LauncherRoleArn"])
def test_people_read_metrics_and_no_training_data(deployment: Deployment, world: JobWorld, output: str) -> None:
    s3 = deployment.client("s3", world.output(output))
    got = s3.get_object(Bucket=world.output("OutputBucket"), Key="iam/metrics.csv")
    assert got["Body"].read() == b"step,loss"
    assert is_denied(s3.get_object, Bucket=world.output("ApprovedBucket"), Key="iam/clean")


def test_verification_asks_about_objects_and_cannot_read_them(deployment: Deployment, world: JobWorld) -> None:
    s3, approved = as_function(deployment, "s3", "VerifyJobFunction"), world.output("ApprovedBucket")
    for key in ("iam/clean", "iam/held"):
        (version,) = deployment.versions("ApprovedBucket", key)[:1]
        named = {"Bucket": approved, "Key": key, "VersionId": version["VersionId"]}
        assert not is_denied(s3.head_object, **named)
        assert not is_denied(s3.get_object_tagging, **named)
        assert is_denied(s3.get_object, **named)
        assert is_denied(s3.get_object, Bucket=approved, Key=key)
    assert is_denied(s3.put_object, Bucket=approved, Key="iam/x", Body=RECORD)
    assert is_denied(s3.get_object, Bucket=world.output("IntakeBucket"), Key="iam/x")


def test_verification_marks_with_verdicts_only(deployment: Deployment, world: JobWorld, served: str) -> None:
    bedrock = as_function(deployment, "bedrock", "VerifyJobFunction")
    approved = [{"key": MODEL_VERDICT_TAG, "value": "approved"}]
    assert not is_denied(bedrock.tag_resource, resourceARN=served, tags=approved)
    assert is_denied(bedrock.tag_resource, resourceARN=served, tags=[{"key": "team", "value": "a"}])
    assert is_denied(bedrock.tag_resource, resourceARN=served, tags=[{"key": MODEL_VERDICT_TAG, "value": "fine"}])
    assert is_denied(bedrock.untag_resource, resourceARN=served, tagKeys=[MODEL_VERDICT_TAG])
    assert is_denied(bedrock.create_model_customization_job, **world.job())


@pytest.mark.parametrize("output", ["ReconcileFunction", "AuditFunction"])
def test_who_looks_does_not_act(deployment: Deployment, world: JobWorld, served: str, output: str) -> None:
    bedrock, s3 = as_function(deployment, "bedrock", output), as_function(deployment, "s3", output)
    approved = [{"key": MODEL_VERDICT_TAG, "value": "approved"}]
    assert is_denied(bedrock.tag_resource, resourceARN=served, tags=approved)
    assert is_denied(bedrock.delete_custom_model_deployment, customModelDeploymentIdentifier=served)
    assert is_denied(bedrock.create_model_customization_job, **world.job())
    assert is_denied(s3.get_object, Bucket=world.output("ApprovedBucket"), Key="iam/clean")
    assert is_denied(s3.get_object, Bucket=world.output("IntakeBucket"), Key="iam/x")


@pytest.mark.parametrize("output", ["LauncherRoleArn", "OperatorRoleArn", "InvokerRoleArn", "UploaderRoleArn"])
def test_people_and_applications_create_no_job_directly(deployment: Deployment, world: JobWorld, output: str) -> None:
    bedrock = deployment.client("bedrock", world.output(output))
    assert is_denied(bedrock.create_model_customization_job, **world.job())
    assert is_denied(
        bedrock.create_model_import_job,
        jobName="iam",
        importedModelName="iam",
        roleArn=world.output("ModelImportRoleArn"),
        modelDataSource={"s3DataSource": {"s3Uri": world.uri("models/")}},
    )


def test_a_launcher_starts_launches_and_nothing_else(deployment: Deployment, world: JobWorld) -> None:
    role = world.output("LauncherRoleArn")
    states = deployment.client("stepfunctions", role)
    # The launch itself refuses: there is no such data. What counts is who could ask for it.
    request = {"kind": "customization", "name": "iam", "model": "iam", "data": "nothing/here", "base_model": BASE_MODEL}
    started = states.start_execution(stateMachineArn=world.output("LaunchStateMachineArn"), input=json.dumps(request))
    assert not is_denied(states.describe_execution, executionArn=started["executionArn"])
    assert is_denied(states.start_execution, stateMachineArn=world.output("ScanStateMachineArn"), input="{}")
    functions = deployment.client("lambda", role)
    assert is_denied(functions.invoke, FunctionName=world.output("ReleaseFunctionName"), Payload=b"{}")
    assert is_denied(functions.invoke, FunctionName=world.output("VerifyJobFunction"), Payload=b"{}")
    assert not is_denied(deployment.client("cloudformation", role).describe_stacks, StackName="tunegate")


def test_nobody_but_launching_makes_a_model_under_the_model_key(
    deployment: Deployment, world: JobWorld, administrator: str
) -> None:
    # IAM lets this role create the job and pass the service role; the key's policy does not name it.
    bedrock = deployment.client("bedrock", administrator)
    assert is_denied(bedrock.create_model_customization_job, **world.job())
    kms = deployment.client("kms", administrator)
    assert is_denied(kms.generate_data_key, KeyId=world.output("ModelKeyArn"), KeySpec="AES_256")
    assert is_denied(
        kms.create_grant, KeyId=world.output("ModelKeyArn"), GranteePrincipal=administrator, Operations=["Decrypt"]
    )


def test_an_invoker_invokes_what_is_approved_from_inside_and_under_a_guardrail(
    deployment: Deployment, world: JobWorld, served: str, guardrail: str
) -> None:
    role, endpoint = world.output("InvokerRoleArn"), world.output("InvokerEndpointId")
    inside, outside = runtime(deployment, role, endpoint), runtime(deployment, role, None)
    assert inside.invoke_model(**asking(served, guardrail))["body"].read()
    assert is_denied(outside.invoke_model, **asking(served, guardrail))
    assert is_denied(inside.invoke_model, **asking(served))
    assert is_denied(inside.invoke_model, **asking(BASE_MODEL, guardrail))


@pytest.mark.parametrize("verdict", ["rejected", "held", "anything"])
def test_an_invoker_invokes_nothing_that_is_marked_otherwise(
    deployment: Deployment, world: JobWorld, served: str, guardrail: str, verdict: str
) -> None:
    inside = runtime(deployment, world.output("InvokerRoleArn"), world.output("InvokerEndpointId"))
    # Nobody is told, so that the mark stays.
    world.drop_events()
    marked(world, served, verdict)
    try:
        assert is_denied(inside.invoke_model, **asking(served, guardrail))
    finally:
        marked(world, served, "approved")
        world.deliver_events()


def test_nobody_else_gets_through_the_endpoint_of_invokers(
    deployment: Deployment, world: JobWorld, served: str, guardrail: str, administrator: str
) -> None:
    inside = runtime(deployment, administrator, world.output("InvokerEndpointId"))
    assert is_denied(inside.invoke_model, **asking(served, guardrail))


def test_a_role_allowed_everything_cannot_use_a_model_under_the_model_key(
    deployment: Deployment, served: str, guardrail: str, administrator: str
) -> None:
    assert is_denied(runtime(deployment, administrator, None).invoke_model, **asking(served, guardrail))


def test_an_invoker_does_nothing_but_invoke(deployment: Deployment, world: JobWorld, served: str) -> None:
    role = world.output("InvokerRoleArn")
    bedrock = deployment.client("bedrock", role)
    approved = [{"key": MODEL_VERDICT_TAG, "value": "approved"}]
    assert is_denied(bedrock.tag_resource, resourceARN=served, tags=approved)
    assert is_denied(deployment.client("s3", role).list_objects_v2, Bucket=world.output("ApprovedBucket"))
    kms = deployment.client("kms", role)
    assert is_denied(kms.generate_data_key, KeyId=world.output("ModelKeyArn"), KeySpec="AES_256")
