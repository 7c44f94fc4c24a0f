"""Events are hints: each sample names what to look at again, and rubbish is refused by name and never followed."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunegate.errors import PermanentError
from tunegate.observe.job_events import hint_in
from tunegate.subject import Kind
from unit.policy_world import ARNS, BEDROCK

EVENTS = Path(__file__).parents[2] / "events"
SAMPLES = {
    "bedrock_job_state_change.json": [Kind.CUSTOMIZATION_JOB],
    "cloudtrail_create_model_customization_job.json": [Kind.CUSTOMIZATION_JOB],
    "cloudtrail_create_model_import_job.json": [Kind.IMPORT_JOB],
    "cloudtrail_create_custom_model_deployment.json": [Kind.DEPLOYMENT, Kind.CUSTOM_MODEL],
    "cloudtrail_tag_resource.json": [Kind.CUSTOM_MODEL],
    "cloudtrail_create_model_import_job_denied.json": [],
    "sagemaker_training_job_state_change.json": [Kind.TRAINING_JOB],
    "sagemaker_model_package_state_change.json": [Kind.MODEL_PACKAGE],
}
PACKAGE = ARNS[Kind.MODEL_PACKAGE]


def sample(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((EVENTS / name).read_text())
    return document


def call(name: str, asked: Any, answered: Any, **more: Any) -> dict[str, Any]:
    detail = {"eventName": name, "requestParameters": asked, "responseElements": answered} | more
    return {"detail-type": "AWS API Call via CloudTrail", "source": "aws.bedrock", "detail": detail}


@pytest.mark.parametrize(("name", "kinds"), SAMPLES.items())
def test_each_sample_event_names_its_subjects(name: str, kinds: list[Kind]) -> None:
    assert [subject.kind for subject in hint_in(sample(name)).subjects] == kinds


def test_every_message_of_the_sample_batch_is_understood() -> None:
    for record in sample("jobs_queue_batch.json")["Records"]:
        assert hint_in(json.loads(record["body"])).subjects


def test_the_gates_own_message_names_one_subject() -> None:
    arn = ARNS[Kind.DEPLOYMENT]
    assert [subject.arn for subject in hint_in({"subject": arn}).subjects] == [arn]


def test_a_call_that_failed_made_nothing() -> None:
    denied = call("CreateModelImportJob", {"jobName": "x"}, None, errorCode="AccessDenied")
    assert hint_in(denied).subjects == ()


def test_of_a_created_model_the_record_of_the_call_tells_what_it_was_made_of() -> None:
    made = f"{BEDROCK}:custom-model/imported/mnopqrstuvwx"
    files = {"modelSourceConfig": {"s3DataSource": {"s3Uri": "s3://b/m/"}}}
    package = {"customModelDataSource": {"modelPackageArnDataSource": {"modelPackageArn": PACKAGE}}}
    assert hint_in(call("CreateCustomModel", files, {"modelArn": made})).sources == {made: "s3://b/m/"}
    assert hint_in(call("CreateCustomModel", package, {"modelArn": made})).sources == {made: PACKAGE}
    assert hint_in(call("CreateModelCopyJob", files, {"modelArn": made})).sources == {}


def test_what_was_made_comes_before_what_it_was_made_of() -> None:
    asked = {"sourceModelArn": ARNS[Kind.CUSTOM_MODEL], "targetModelName": "copy"}
    hint = hint_in(call("CreateModelCopyJob", asked, {"jobArn": ARNS[Kind.COPY_JOB]}))
    assert [subject.kind for subject in hint.subjects] == [Kind.COPY_JOB, Kind.CUSTOM_MODEL]


@pytest.mark.parametrize(
    "message",
    [
        {}, {"detail-type": "x", "detail": {}}, {"detail-type": None, "detail": None}, {"subject": None},
        {"subject": "arn:aws:iam::111122223333:role/admin"}, {"subject": ["arn"]},
        {"detail-type": "Model Customization Job State Change", "detail": {}},
        {"detail-type": "Model Customization Job State Change", "detail": []},
        {"detail-type": "AWS API Call via CloudTrail", "detail": "x"},
    ],
)  # fmt: skip
def test_what_is_no_event_of_ours_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(PermanentError):
        hint_in(message)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(list(ARNS.values())),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)
MEMBERS = st.dictionaries(st.sampled_from(["modelArn", "jobArn", "resourceARN", "modelSourceConfig"]), JSON, max_size=3)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(["detail-type", "detail", "subject", "source"]), JSON, max_size=4))
def test_rubbish_is_understood_or_refused_and_never_a_crash(message: dict[str, Any]) -> None:
    try:
        hint = hint_in(message)
    except PermanentError:
        return
    assert all(subject.arn in json.dumps(message) for subject in hint.subjects)


@given(st.none() | JSON | MEMBERS, st.none() | JSON | MEMBERS, st.sampled_from(["CreateCustomModel", "TagResource"]))
def test_calls_with_odd_members_are_understood_or_refused(asked: Any, answered: Any, name: str) -> None:
    try:
        hint_in(call(name, asked, answered))
    except PermanentError:
        return
