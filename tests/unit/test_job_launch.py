"""Launching: a job as the gate wants jobs to be, and how far one is told to be."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from pydantic import ValidationError

from tunegate.errors import PermanentError
from tunegate.job_facts import Description, State
from tunegate.job_rules import Mode
from tunegate.launch import Ground, LaunchRequest, launch, progress
from tunegate.subject import Approval, Kind, Subject
from tunegate.subject_rows import SubjectRow
from unit.estate_world import IMPORT_ROLE
from unit.policy_world import APPROVED, ARNS, GROUP, MODEL_KEY, OUTPUT, ROLE, SUBNET

GROUND = Ground(ROLE, IMPORT_ROLE, MODEL_KEY, (SUBNET,), (GROUP,), APPROVED, OUTPUT)
JOB, MODEL = ARNS[Kind.CUSTOMIZATION_JOB], ARNS[Kind.CUSTOM_MODEL]
BASE = "amazon.nova-micro-v1:0:128k"


@dataclass
class FakeBedrock:
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def create_model_customization_job(self, **asked: Any) -> dict[str, str]:
        return self._create("CreateModelCustomizationJob", asked, JOB)

    def create_model_import_job(self, **asked: Any) -> dict[str, str]:
        return self._create("CreateModelImportJob", asked, ARNS[Kind.IMPORT_JOB])

    def _create(self, operation: str, asked: dict[str, Any], arn: str) -> dict[str, str]:
        """What botocore's model would refuse is refused here."""
        model = botocore.session.get_session().get_service_model("bedrock").operation_model(operation)
        assert model.input_shape is not None
        report = ParamValidator().validate(asked, model.input_shape)
        assert not report.has_errors(), report.generate_report()
        self.asked.append((operation, asked))
        return {"jobArn": arn}


@dataclass
class FakeS3:
    """Objects of the approved bucket and their verdict tags, a page for each."""

    objects: dict[str, str]

    def get_paginator(self, operation: str) -> "FakeS3":
        assert operation == "list_objects_v2"
        return self

    def paginate(self, Bucket: str, Prefix: str) -> Iterable[dict[str, Any]]:
        assert Bucket == APPROVED
        yield {}
        yield from ({"Contents": [{"Key": key}]} for key in sorted(self.objects) if key.startswith(Prefix))

    def get_object_tagging(self, Bucket: str, Key: str) -> dict[str, Any]:
        tag = self.objects[Key]
        return {"TagSet": [{"Key": "tunegate-verdict", "Value": tag}] if tag else []}


CLEAN = {"team/train.jsonl": "clean", "team/valid.jsonl": "clean", "models/llama/config.json": "clean"}


def request(**changes: Any) -> LaunchRequest:
    asked = {"kind": "customization", "name": "tone-1", "model": "tone", "data": "team/train.jsonl", "base_model": BASE}
    return LaunchRequest.model_validate(asked | changes)


def launched(asked: LaunchRequest, objects: dict[str, str] = CLEAN) -> tuple[str, dict[str, Any]]:
    bedrock, s3 = FakeBedrock(), FakeS3(objects)
    launch(bedrock, s3, GROUND, asked, "token-1")  # type: ignore[arg-type]
    (made,) = bedrock.asked
    return made


def test_a_customization_has_the_grounds_role_keys_network_and_places() -> None:
    operation, asked = launched(request(validation=("team/valid.jsonl",), hyperparameters={"epochCount": "2"}))
    assert operation == "CreateModelCustomizationJob"
    assert asked["roleArn"] == ROLE
    assert asked["customModelKmsKeyId"] == MODEL_KEY
    assert asked["vpcConfig"] == {"subnetIds": [SUBNET], "securityGroupIds": [GROUP]}
    assert asked["trainingDataConfig"] == {"s3Uri": f"s3://{APPROVED}/team/train.jsonl"}
    assert asked["validationDataConfig"] == {"validators": [{"s3Uri": f"s3://{APPROVED}/team/valid.jsonl"}]}
    assert asked["outputDataConfig"] == {"s3Uri": f"s3://{OUTPUT}/jobs/tone-1/"}
    assert (asked["baseModelIdentifier"], asked["customizationType"]) == (BASE, "FINE_TUNING")
    assert asked["hyperParameters"] == {"epochCount": "2"}
    assert asked["clientRequestToken"] == "token-1"
    assert asked["jobTags"] == asked["customModelTags"] == [{"key": "tunegate-launch", "value": "token-1"}]


def test_an_import_has_the_import_role_and_the_model_key() -> None:
    operation, asked = launched(request(kind="import", data="models/llama/"))
    assert operation == "CreateModelImportJob"
    assert (asked["roleArn"], asked["importedModelKmsKeyId"]) == (IMPORT_ROLE, MODEL_KEY)
    assert asked["modelDataSource"] == {"s3DataSource": {"s3Uri": f"s3://{APPROVED}/models/llama/"}}
    assert asked["vpcConfig"]["subnetIds"] == [SUBNET]


def test_what_bedrock_refuses_is_told_in_its_words() -> None:
    class Refusing:
        def create_model_customization_job(self, **_: Any) -> Any:
            error = {"Code": "ValidationException", "Message": "The provided model identifier is invalid."}
            raise ClientError({"Error": error}, "CreateModelCustomizationJob")  # type: ignore[typeddict-item]

    with pytest.raises(PermanentError, match="refused the job: The provided model identifier is invalid"):
        launch(Refusing(), FakeS3(CLEAN), GROUND, request(), "token-1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("objects", "asked", "said"),
    [
        ({}, {}, "nothing at team/train.jsonl"),
        ({"team/train.jsonl.bak": "clean"}, {}, "nothing at team/train.jsonl"),
        ({"team/train.jsonl": "settling"}, {}, "not approved"),
        ({"team/train.jsonl": ""}, {}, "not approved"),
        ({"team/a": "clean", "team/b": "flagged"}, {"data": "team/"}, "team/b is not approved"),
        ({"team/train.jsonl": "clean"}, {"validation": ("team/valid.jsonl",)}, "nothing at team/valid.jsonl"),
        (CLEAN, {"base_model": ""}, "a base model"),
    ],
)
def test_nothing_is_launched_on_what_is_not_approved(objects: dict[str, str], asked: dict[str, Any], said: str) -> None:
    bedrock = FakeBedrock()
    with pytest.raises(PermanentError, match=said):
        launch(bedrock, FakeS3(objects), GROUND, request(**asked), "token-1")  # type: ignore[arg-type]
    assert bedrock.asked == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "copy"}, {"name": ""}, {"name": "-x"}, {"name": "x" * 64}, {"model": "a b"}, {"data": ""},
        {"validation": ["v"] * 11}, {"customization_type": "IMPORTED"}, {"role": ROLE}, {"hyperparameters": {"a": 1}},
    ],
)  # fmt: skip
def test_a_request_bedrock_would_refuse_is_refused_before(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        request(**wrong)


# --- Progress ---


def described(state: State, status: str = "InProgress", failure: str = "") -> Description:
    subject = Subject(Kind.CUSTOMIZATION_JOB, JOB)
    makes = MODEL if state is State.DONE else ""
    return Description(subject, "tone-1", state, "", status=status, makes=makes, failure=failure)


def row(arn: str, approval: Approval, state: State = State.DONE, **more: Any) -> SubjectRow:
    kind = Kind.CUSTOM_MODEL if arn == MODEL else Kind.CUSTOMIZATION_JOB
    return SubjectRow(Subject(kind, arn), "tone-1", approval, "", "", "", Mode.ENFORCE, "", state, **more)


APPROVED_JOB, APPROVED_MODEL = row(JOB, Approval.APPROVED), row(MODEL, Approval.APPROVED)


def test_a_job_is_approved_once_it_and_its_model_are() -> None:
    told = progress(described(State.DONE, "Completed"), APPROVED_JOB, APPROVED_MODEL, JOB)
    assert (told.done, told.ok, told.approval, told.model_arn, told.reason) == (True, True, "approved", MODEL, "")


@pytest.mark.parametrize(
    ("job", "ledger", "model"),
    [
        (described(State.RUNNING), None, None),
        (described(State.RUNNING), row(JOB, Approval.ADMITTED, State.RUNNING), None),
        (described(State.DONE), None, APPROVED_MODEL),
        (described(State.DONE), row(JOB, Approval.ADMITTED, State.RUNNING), APPROVED_MODEL),
        (described(State.DONE), APPROVED_JOB, None),
        (described(State.ENDED), None, None),
    ],
)
def test_until_all_is_decided_it_is_not_done(
    job: Description, ledger: SubjectRow | None, model: SubjectRow | None
) -> None:
    told = progress(job, ledger, model, JOB)
    assert (told.done, told.ok) == (False, False)


@pytest.mark.parametrize("approval", [Approval.REJECTED, Approval.HELD])
def test_a_model_that_is_not_approved_says_why(approval: Approval) -> None:
    model = row(MODEL, approval, breaches=("model.tag_is_the_gates",), gaps=("kms:DescribeKey",))
    told = progress(described(State.DONE, "Completed"), APPROVED_JOB, model, JOB)
    assert (told.done, told.ok, told.approval) == (True, False, approval.value)
    assert told.reason == "model.tag_is_the_gates, kms:DescribeKey"


def test_a_job_the_gate_stopped_says_which_control_it_broke() -> None:
    ended = row(JOB, Approval.REJECTED, State.ENDED, breaches=("network.job_in_vpc",))
    told = progress(described(State.ENDED, "Stopped"), ended, None, JOB)
    assert (told.done, told.ok, told.status, told.reason) == (True, False, "Stopped", "network.job_in_vpc")


def test_a_job_that_failed_by_itself_says_what_bedrock_said() -> None:
    ended = row(JOB, Approval.ADMITTED, State.ENDED)
    told = progress(described(State.ENDED, "Failed", "too few records"), ended, None, JOB)
    assert (told.done, told.ok, told.reason) == (True, False, "too few records")
    assert progress(described(State.ENDED, "Stopped"), ended, None, JOB).reason == "the job ended as Stopped"


def test_a_job_that_is_gone_is_done_and_not_approved() -> None:
    told = progress(None, None, None, JOB)
    assert (told.done, told.ok, told.reason) == (True, False, "the job does not exist")
