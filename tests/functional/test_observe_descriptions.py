"""What the services answer becomes a description; what is not there is none, and what is not understood is no end."""

from typing import Any

import pytest

from functional.aws_answers import Answers, Operation, Refusal
from functional.aws_in_order import (
    COPY,
    COPY_JOB,
    CUSTOM_MODEL,
    CUSTOMIZATION_JOB,
    DEPLOYED,
    DEPLOYMENT,
    FOUNDATION,
    GRADER,
    GROUP,
    IMPORT,
    IMPORT_JOB,
    IMPORTED,
    IMPORTED_MODEL,
    JOB,
    KEY,
    MODEL,
    MODEL_PACKAGE,
    OTHER_MODEL,
    PACKAGE,
    PROVISIONED,
    ROLE,
    SUBNET,
    THROUGHPUT,
    TRAINING,
    TRAINING_JOB,
    in_order,
)
from tunegate.job_facts import Description, Known, State, Unknown, Vpc
from tunegate.observe.descriptions import describe, tags_of
from tunegate.subject import subject_of

GET_JOB: Operation = ("bedrock", "GetModelCustomizationJob")
OPERATIONS: dict[str, tuple[Operation, dict[str, Any]]] = {
    JOB: (GET_JOB, CUSTOMIZATION_JOB),
    IMPORT: (("bedrock", "GetModelImportJob"), IMPORT_JOB),
    COPY: (("bedrock", "GetModelCopyJob"), COPY_JOB),
    MODEL: (("bedrock", "GetCustomModel"), CUSTOM_MODEL),
    IMPORTED: (("bedrock", "GetImportedModel"), IMPORTED_MODEL),
    THROUGHPUT: (("bedrock", "GetProvisionedModelThroughput"), PROVISIONED),
    DEPLOYMENT: (("bedrock", "GetCustomModelDeployment"), DEPLOYED),
    TRAINING: (("sagemaker", "DescribeTrainingJob"), TRAINING_JOB),
    PACKAGE: (("sagemaker", "DescribeModelPackage"), MODEL_PACKAGE),
}
BEGAN, ENDED = "2026-11-23T10:00:00+00:00", "2026-11-23T11:00:00+00:00"
PLACED = Vpc((SUBNET,), (GROUP,))

EXPECTED = {
    JOB: Description(
        subject_of(JOB), "tune", State.DONE, BEGAN, ENDED, role_arn=ROLE, key_arn=KEY, vpc=PLACED, makes=MODEL,
        inputs=("s3://approved/train.jsonl", "s3://approved/check.jsonl"), output="s3://output/jobs/tune/",
        status="Completed",
    ),
    IMPORT: Description(
        subject_of(IMPORT), "import", State.RUNNING, BEGAN, role_arn=ROLE, key_arn=KEY, vpc=PLACED, makes=IMPORTED,
        inputs=("s3://approved/model/",), status="InProgress",
    ),
    COPY: Description(
        subject_of(COPY), "copied", State.ENDED, BEGAN, key_arn=KEY, makes=OTHER_MODEL, rests_on=(MODEL,),
        status="Failed", failure="why",
    ),
    MODEL: Description(
        subject_of(MODEL), "tuned", State.DONE, ENDED, key_arn=KEY, rests_on=(JOB,), status="Active",
    ),
    IMPORTED: Description(
        subject_of(IMPORTED), "imported", State.DONE, ENDED, key_arn=KEY, rests_on=(IMPORT,),
        inputs=("s3://approved/model/",), status="Active",
    ),
    THROUGHPUT: Description(
        subject_of(THROUGHPUT), "served", State.DONE, ENDED, rests_on=(MODEL,), status="InService",
    ),
    DEPLOYMENT: Description(
        subject_of(DEPLOYMENT), "deployed", State.DONE, ENDED, rests_on=(MODEL,), status="Active",
    ),
    TRAINING: Description(
        subject_of(TRAINING), "tune", State.ENDED, BEGAN, ENDED, role_arn=ROLE, key_arn=KEY, vpc=PLACED,
        inputs=("s3://approved/train/",), output="s3://output/", status="Stopped",
    ),
    PACKAGE: Description(
        subject_of(PACKAGE), "models", State.DONE, ENDED, status="Completed",
        inputs=("s3://approved/model.tar.gz", "s3://approved/weights/"),
    ),
}  # fmt: skip


def look(aws: Answers, arn: str) -> Known[Description | None]:
    return describe(aws.client("bedrock"), aws.client("sagemaker"), subject_of(arn))


def seen(arn: str, without: tuple[str, ...] = (), **changed: Any) -> Description:
    """The description of a subject whose service's answer is changed, or lacks some members."""
    operation, answer = OPERATIONS[arn]
    answer = {name: value for name, value in (answer | changed).items() if name not in without}
    described = look(in_order().but({operation: answer}), arn)
    assert isinstance(described, Description)
    return described


@pytest.mark.parametrize("arn", OPERATIONS, ids=lambda arn: subject_of(arn).kind.value)
def test_every_kind_is_described_in_full(arn: str) -> None:
    assert look(in_order(), arn) == EXPECTED[arn]


@pytest.mark.parametrize("arn", OPERATIONS, ids=lambda arn: subject_of(arn).kind.value)
def test_what_is_not_there_has_no_description(arn: str) -> None:
    operation, _ = OPERATIONS[arn]
    gone = Refusal("ResourceNotFoundException")
    if operation[0] == "sagemaker":
        gone = Refusal("ValidationException", "Requested resource not found.")
    assert look(in_order().but({operation: gone}), arn) is None


@pytest.mark.parametrize("arn", OPERATIONS, ids=lambda arn: subject_of(arn).kind.value)
def test_a_refused_question_is_not_taken_for_absence(arn: str) -> None:
    operation, _ = OPERATIONS[arn]
    described = look(in_order().but({operation: Refusal("ValidationException", "1 validation error detected")}), arn)
    assert isinstance(described, Unknown)
    assert described.action == ":".join(operation)


def test_what_a_job_left_out_is_empty() -> None:
    bare = seen(JOB, without=("outputModelKmsKeyArn", "vpcConfig", "outputModelArn", "endTime"), trainingDataConfig={})
    assert (bare.key_arn, bare.vpc, bare.makes) == ("", None, "")
    assert bare.inputs == ("s3://approved/check.jsonl",)
    bare = seen(IMPORT, without=("importedModelKmsKeyArn", "vpcConfig", "importedModelArn"))
    assert (bare.key_arn, bare.vpc, bare.makes) == ("", None, "")
    assert seen(COPY, without=("targetModelKmsKeyArn",)).key_arn == ""
    assert seen(MODEL, without=("modelKmsKeyArn",)).key_arn == ""
    assert seen(IMPORTED, without=("modelKmsKeyArn",)).key_arn == ""


def test_invocation_logs_and_graders_are_told() -> None:
    source = {"usePromptResponse": True, "invocationLogSource": {"s3Uri": "s3://logs/invocations/"}}
    job = seen(
        JOB,
        trainingDataConfig={"invocationLogsConfig": source},
        customizationConfig={"rftConfig": {"graderConfig": {"lambdaGrader": {"lambdaArn": GRADER}}}},
    )
    assert job.invocation_logs == "s3://logs/invocations/"
    assert job.grader == GRADER


@pytest.mark.parametrize(
    ("arn", "member", "states"),
    [
        (JOB, "status", {"InProgress": "running", "Stopping": "running", "Completed": "done", "Stopped": "ended"}),
        (IMPORT, "status", {"InProgress": "running", "Completed": "done", "Failed": "ended"}),
        (MODEL, "modelStatus", {"Creating": "running", "Active": "done", "Failed": "ended"}),
        (THROUGHPUT, "status", {"Creating": "running", "Updating": "running", "InService": "done", "Failed": "ended"}),
        (DEPLOYMENT, "status", {"Creating": "running", "Active": "done", "Failed": "ended"}),
        (TRAINING, "TrainingJobStatus", {"Stopping": "running", "Completed": "done", "Deleting": "ended"}),
        (PACKAGE, "ModelPackageStatus", {"Pending": "running", "Completed": "done", "Failed": "ended"}),
    ],
)
def test_a_status_is_running_unless_it_is_known_to_be_an_end(arn: str, member: str, states: dict[str, str]) -> None:
    for status, state in (states | {"Reticulating": "running"}).items():
        described = seen(arn, (), **{member: status})
        assert (described.state, described.status) == (state, status)


def test_only_what_has_ended_has_an_end() -> None:
    assert seen(JOB, status="Stopping").ended_at == ""
    assert seen(JOB, without=("endTime",)).ended_at == ENDED
    assert seen(IMPORT, status="Completed").ended_at == ENDED


def test_a_model_from_before_there_were_statuses_can_be_used() -> None:
    assert seen(MODEL, without=("modelStatus",)).state is State.DONE


def test_a_job_and_its_model_rest_on_a_customized_base() -> None:
    assert seen(JOB, baseModelArn=OTHER_MODEL).rests_on == (OTHER_MODEL,)
    assert seen(MODEL, baseModelArn=OTHER_MODEL).rests_on == (JOB, OTHER_MODEL)


def test_a_model_without_a_job_rests_on_nothing() -> None:
    # Or else an approved base would stand for whatever it was made of.
    assert seen(MODEL, without=("jobArn",), baseModelArn=OTHER_MODEL).rests_on == ()


def test_throughput_rests_on_what_it_serves_and_what_it_will_serve() -> None:
    assert seen(THROUGHPUT, desiredModelArn=OTHER_MODEL).rests_on == (MODEL, OTHER_MODEL)
    assert seen(THROUGHPUT, modelArn=FOUNDATION, desiredModelArn=FOUNDATION).rests_on == ()


def test_a_deployment_rests_on_what_it_is_being_updated_to() -> None:
    updating = {"modelArn": OTHER_MODEL, "updateStatus": "Updating"}
    assert seen(DEPLOYMENT, updateDetails=updating).rests_on == (MODEL, OTHER_MODEL)


def test_a_training_job_that_reads_by_manifest_or_from_a_file_system_reads_nothing_approved() -> None:
    by_manifest = {"S3DataType": "ManifestFile", "S3Uri": "s3://approved/all.manifest"}
    disk = {
        "FileSystemId": "fs-11111111111", "FileSystemAccessMode": "ro", "FileSystemType": "EFS", "DirectoryPath": "/",
    }  # fmt: skip
    job = seen(
        TRAINING,
        InputDataConfig=[
            {"ChannelName": "train", "DataSource": {"S3DataSource": by_manifest}},
            {"ChannelName": "check", "DataSource": {"FileSystemDataSource": disk}},
        ],
    )
    assert job.inputs == (
        "s3://approved/all.manifest",
        "the objects that s3://approved/all.manifest names",
        "the channel check (fs-11111111111)",
    )


def test_tags_are_by_key() -> None:
    assert tags_of(in_order().client("bedrock"), MODEL) == {"tunegate-verdict": "approved"}
