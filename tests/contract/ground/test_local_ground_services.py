"""Macie's session, and SageMaker as far as its models reach Bedrock."""

import gzip
import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contract.emulator import Emulator
from contract.local_services import model
from tunegate_local.detectors.constraints import unknown_members, violations
from tunegate_local.emulator import ACCOUNT_ID, REGION

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
WAIT = {"Delay": 1, "MaxAttempts": 60}


def control(emulator: Emulator, path: str, method: str = "GET", body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{emulator.port}/_tunegate/{path}", data, method=method)
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def events(emulator: Emulator, detail_type: str, arn: str) -> list[dict[str, Any]]:
    return [
        event["detail"]
        for event in control(emulator, "events")
        if event["detail-type"] == detail_type and event["resources"] == [arn]
    ]


def eventually(look: Any) -> Any:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    pytest.fail("it did not come")


def conforms(service: str, operation: str, answer: dict[str, Any]) -> bool:
    shape = model(service).operation_model(operation).output_shape
    answer = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    return not [*unknown_members(shape, answer), *violations(shape, answer)]


@pytest.fixture
def paced(emulator: Emulator) -> Iterator[None]:
    control(emulator, "jobs", "PUT", {"seconds": 0.1})
    yield
    control(emulator, "jobs", "PUT", {"seconds": 3})


@pytest.fixture(scope="module")
def service_role(emulator: Emulator) -> str:
    iam = emulator.client("iam")
    arn: str = iam.create_role(RoleName="trainer", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    return arn


def training(name: str, role: str) -> dict[str, Any]:
    channel = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://training/data/"}}
    return {
        "TrainingJobName": name,
        "RoleArn": role,
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": channel}],
        "OutputDataConfig": {"S3OutputPath": "s3://training/out/", "KmsKeyId": "alias/models"},
        "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50},
        "VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "Tags": [{"Key": "team", "Value": "Zürich 1"}],
    }


@pytest.mark.usefixtures("paced")
def test_a_training_job_runs_through_its_stages_and_tells_each(emulator: Emulator, service_role: str) -> None:
    sagemaker = emulator.client("sagemaker")
    arn = sagemaker.create_training_job(**training("Tuned-1", service_role))["TrainingJobArn"]
    assert arn == f"arn:aws:sagemaker:{REGION}:{ACCOUNT_ID}:training-job/tuned-1"

    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="Tuned-1", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    job = sagemaker.describe_training_job(TrainingJobName="Tuned-1")
    assert conforms("sagemaker", "DescribeTrainingJob", job)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed")
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == "s3://training/out/Tuned-1/output/model.tar.gz"
    assert job["VpcConfig"]["Subnets"] == ["subnet-1"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "Zürich 1"}]
    [listed] = sagemaker.list_training_jobs(NameContains="tuned-1", StatusEquals="Completed")["TrainingJobSummaries"]
    assert listed["TrainingJobArn"] == arn

    seen = eventually(lambda: len(told := events(emulator, "SageMaker Training Job State Change", arn)) == 5 and told)
    assert [(one["TrainingJobStatus"], one["SecondaryStatus"]) for one in seen] == [
        ("InProgress", "Starting"),
        ("InProgress", "Downloading"),
        ("InProgress", "Training"),
        ("InProgress", "Uploading"),
        ("Completed", "Completed"),
    ]
    assert (seen[-1]["TrainingJobName"], seen[-1]["TrainingJobArn"]) == ("Tuned-1", arn)
    assert seen[-1]["Tags"] == {"team": "Zürich 1"}
    assert seen[-1]["CreationTime"] == pytest.approx(time.time() * 1000, abs=600_000)


def test_a_training_job_can_be_stopped_while_it_runs(emulator: Emulator, service_role: str) -> None:
    sagemaker = emulator.client("sagemaker")
    control(emulator, "jobs", "PUT", {"seconds": 0.3})
    sagemaker.create_training_job(**training("stopped", service_role))
    sagemaker.stop_training_job(TrainingJobName="stopped")

    assert sagemaker.describe_training_job(TrainingJobName="stopped")["TrainingJobStatus"] == "Stopping"
    eventually(lambda: sagemaker.describe_training_job(TrainingJobName="stopped")["TrainingJobStatus"] == "Stopped")
    with pytest.raises(ClientError, match="ValidationException"):
        sagemaker.stop_training_job(TrainingJobName="stopped")
    with pytest.raises(ClientError, match="ResourceInUse"):
        sagemaker.create_training_job(**training("stopped", service_role))
    with pytest.raises(ClientError, match=r"ValidationException.*not found"):
        sagemaker.describe_training_job(TrainingJobName="never")


def test_a_training_job_needs_its_role_passed_and_its_own_permission(emulator: Emulator, service_role: str) -> None:
    passing = emulator.role("passing", "sagemaker:CreateTrainingJob", "sagemaker:AddTags", "iam:PassRole")
    creating = emulator.role("creating", "sagemaker:CreateTrainingJob", "sagemaker:AddTags")

    with pytest.raises(ClientError, match="AccessDenied"):
        emulator.client("sagemaker", creating).create_training_job(**training("denied", service_role))
    emulator.client("sagemaker", passing).create_training_job(**training("allowed", service_role))
    with pytest.raises(ClientError, match="AccessDenied"):
        emulator.client("sagemaker", passing).describe_training_job(TrainingJobName="allowed")


@pytest.mark.usefixtures("paced")
def test_a_model_package_is_registered_approved_and_told(emulator: Emulator) -> None:
    sagemaker = emulator.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="models")
    container = {"Image": "image", "ModelDataUrl": "s3://training/out/model.tar.gz"}
    specification = {"Containers": [container], "SupportedContentTypes": ["a/b"], "SupportedResponseMIMETypes": ["a/b"]}
    arns = [
        sagemaker.create_model_package(ModelPackageGroupName="models", InferenceSpecification=specification)[
            "ModelPackageArn"
        ]
        for _ in range(2)
    ]
    assert arns[1] == f"arn:aws:sagemaker:{REGION}:{ACCOUNT_ID}:model-package/models/2"

    kind = "SageMaker Model Package State Change"
    eventually(lambda: events(emulator, kind, arns[1]))
    sagemaker.update_model_package(ModelPackageArn=arns[1], ModelApprovalStatus="Approved")
    described = sagemaker.describe_model_package(ModelPackageName=arns[1])
    assert conforms("sagemaker", "DescribeModelPackage", described)
    assert (described["ModelPackageStatus"], described["ModelApprovalStatus"]) == ("Completed", "Approved")
    assert (described["ModelPackageGroupName"], described["ModelPackageVersion"]) == ("models", 2)
    assert sagemaker.list_tags(ResourceArn=arns[1])["Tags"] == []
    seen = eventually(lambda: len(told := events(emulator, kind, arns[1])) == 2 and told)
    assert [one["ModelApprovalStatus"] for one in seen] == ["PendingManualApproval", "Approved"]
    with pytest.raises(ClientError, match="ValidationException"):
        sagemaker.describe_model_package(ModelPackageName=arns[1].replace("/2", "/9"))


@pytest.fixture
def macie(emulator: Emulator) -> Iterator[Any]:
    client = emulator.client("macie2")
    client.enable_macie(findingPublishingFrequency="ONE_HOUR")
    yield client
    with suppress(client.exceptions.AccessDeniedException):
        client.disable_macie()


def test_macie_says_when_it_is_not_enabled(emulator: Emulator) -> None:
    with pytest.raises(ClientError, match=r"AccessDeniedException.*Macie is not enabled"):
        emulator.client("macie2").get_macie_session()


def test_macies_session_is_paused_and_ended(macie: Any) -> None:
    session = macie.get_macie_session()
    assert conforms("macie2", "GetMacieSession", session)
    assert (session["status"], session["findingPublishingFrequency"]) == ("ENABLED", "ONE_HOUR")

    macie.update_macie_session(status="PAUSED")
    assert macie.get_macie_session()["status"] == "PAUSED"
    with pytest.raises(ClientError, match="ConflictException"):
        macie.enable_macie()
    macie.disable_macie()
    with pytest.raises(ClientError, match="Macie is not enabled"):
        macie.update_macie_session(status="ENABLED")


def test_macies_results_are_exported_to_a_bucket_and_a_key_that_exist(emulator: Emulator, macie: Any) -> None:
    emulator.client("s3").create_bucket(Bucket="macie-results")
    key = emulator.client("kms").create_key()["KeyMetadata"]["Arn"]
    assert macie.get_classification_export_configuration()["configuration"] == {}

    to = {"s3Destination": {"bucketName": "macie-results", "keyPrefix": "results/", "kmsKeyArn": key}}
    macie.put_classification_export_configuration(configuration=to)
    assert macie.get_classification_export_configuration()["configuration"] == to
    elsewhere = {"s3Destination": {**to["s3Destination"], "bucketName": "no-such-bucket"}}
    with pytest.raises(ClientError, match="ValidationException"):
        macie.put_classification_export_configuration(configuration=elsewhere)


def test_macies_session_is_a_resource_of_cloudformation(emulator: Emulator) -> None:
    cloudformation, macie = emulator.client("cloudformation"), emulator.client("macie2")

    def template(status: str) -> str:
        resource = {"Type": "AWS::Macie::Session", "Properties": {"Status": status}}
        return json.dumps({"Resources": {"Session": resource}})

    cloudformation.create_stack(StackName="macie", TemplateBody=template("ENABLED"))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="macie", WaiterConfig=WAIT)
    session = macie.get_macie_session()
    assert (session["status"], session["findingPublishingFrequency"]) == ("ENABLED", "SIX_HOURS")
    cloudformation.update_stack(StackName="macie", TemplateBody=template("PAUSED"))
    cloudformation.get_waiter("stack_update_complete").wait(StackName="macie", WaiterConfig=WAIT)
    assert macie.get_macie_session()["status"] == "PAUSED"
    cloudformation.delete_stack(StackName="macie")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="macie", WaiterConfig=WAIT)
    with pytest.raises(ClientError, match="Macie is not enabled"):
        macie.get_macie_session()


def test_macies_jobs_keep_to_their_scope_and_write_a_result_for_each_object(emulator: Emulator, macie: Any) -> None:
    s3 = emulator.client("s3")
    key = emulator.client("kms").create_key()["KeyMetadata"]["Arn"]
    for bucket in ("macie-data", "macie-export"):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket="macie-data", VersioningConfiguration={"Status": "Enabled"})
    # Of a format that Macie skips: nothing detects beside this emulator.
    stored = {name: s3.put_object(Bucket="macie-data", Key=name, Body=b"x") for name in ("in/a.bin", "out/a.bin")}
    export = {"bucketName": "macie-export", "keyPrefix": "macie", "kmsKeyArn": key}
    macie.put_classification_export_configuration(configuration={"s3Destination": export})
    term = {"simpleScopeTerm": {"key": "OBJECT_KEY", "comparator": "STARTS_WITH", "values": ["in/"]}}
    asked = {
        "clientToken": "once",
        "jobType": "ONE_TIME",
        "name": "a job",
        "s3JobDefinition": {
            "bucketDefinitions": [{"accountId": ACCOUNT_ID, "buckets": ["macie-data"]}],
            "scoping": {"includes": {"and": [term]}},
        },
    }
    created = macie.create_classification_job(**asked)
    assert conforms("macie2", "CreateClassificationJob", created)
    assert macie.create_classification_job(**asked)["jobId"] == created["jobId"]

    described = eventually(
        lambda: (job := macie.describe_classification_job(jobId=created["jobId"]))["jobStatus"] == "COMPLETE" and job
    )
    assert conforms("macie2", "DescribeClassificationJob", described)
    assert described["lastRunErrorStatus"] == {"code": "NONE"}
    place = f"macie/AWSLogs/{ACCOUNT_ID}/Macie/{REGION}/{created['jobId']}/"
    [entry] = s3.list_objects_v2(Bucket="macie-export")["Contents"]
    assert entry["Key"].startswith(place)
    [line] = gzip.decompress(s3.get_object(Bucket="macie-export", Key=entry["Key"])["Body"].read()).splitlines()
    result = json.loads(line)
    named = result["resourcesAffected"]["s3Object"]
    assert (named["key"], named["versionId"]) == ("in/a.bin", stored["in/a.bin"]["VersionId"])
    assert result["classificationDetails"]["result"]["status"]["code"] == "SKIPPED"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        macie.describe_classification_job(jobId="no-such-job")
