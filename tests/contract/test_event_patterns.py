"""The template's event patterns take the events AWS documents that concern us, and no others."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import botocore.session
import pytest
import yaml
from moto.events.models import EventPattern

from tunegate.errors import PermanentError
from tunegate.observe.events import object_created

ROOT = Path(__file__).parents[2]
BUCKETS = {
    f"Storage.Outputs.{name.title()}Bucket": f"tunegate-{name}-111122223333-us-east-1"
    for name in ("intake", "approved", "quarantine", "output", "evidence", "policy", "logs")
}
KEYS = {
    name: f"1234abcd-12ab-34cd-56ef-12345678900{number}"
    for number, name in enumerate(("Data", "Quarantine", "Model", "Messaging"), 1)
}
KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/"
SAMPLES = (
    BUCKETS
    | {f"Keys.Outputs.{name}KeyId": key for name, key in KEYS.items()}
    | {f"Keys.Outputs.{name}KeyArn": KEY_ARN + key for name, key in KEYS.items()}
    | {"Roles.Outputs.VerifyJobRoleArn": "arn:aws:iam::111122223333:role/tunegate-verify-job"}
)
INTAKE = BUCKETS["Storage.Outputs.IntakeBucket"]

SERVICES = {"uploads", "policy-proposals", "manifests", "malware-results", "macie-findings"}
JOBS = {"job-states", "job-calls", "sagemaker-states"}
DRIFT = {"drift-buckets", "drift-keys", "drift-roles", "drift-network", "drift-rules", "drift-records", "drift-ledger"}

# CloudTrail's names for these differ from the operations'. S3 user guide, "Amazon S3 CloudTrail events".
CLOUDTRAIL_ONLY = {
    "DeleteBucketPublicAccessBlock",
    "PutBucketNotification",
    "PutBucketObjectLockConfiguration",
    "PutBucketPublicAccessBlock",
}


class Template(yaml.SafeLoader):
    """YAML with CloudFormation's short intrinsics, where names are those that the samples have."""


def _intrinsic(loader: Template, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "Sub":
            return value.replace("${Prefix}", "tunegate")
        return SAMPLES.get(value, f"{suffix}:{value}") if suffix == "GetAtt" else f"{suffix}:{value}"
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


Template.add_multi_constructor("!", _intrinsic)


def _rules() -> Iterator[tuple[str, Any]]:
    resources = yaml.load((ROOT / "template.yaml").read_text(), Template)["Resources"]  # noqa: S506
    for resource in resources.values():
        properties = resource.get("Properties", {})
        if "EventPattern" in properties:
            yield properties["Name"], properties["EventPattern"]
        for event in properties.get("Events", {}).values():
            if "Pattern" in event["Properties"]:
                yield event["Properties"]["RuleName"], event["Properties"]["Pattern"]


PATTERNS = {name.removeprefix("tunegate-"): pattern for name, pattern in _rules()}
"""Every event pattern of the template, by the name of its rule."""


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / f"events/{name}.json").read_text())
    return event


def takers(event: dict[str, Any]) -> set[str]:
    return {
        name
        for name, pattern in PATTERNS.items()
        if EventPattern.load(json.dumps(pattern)).matches_event(cast(Any, event))
    }


def called(name: str, **detail: Any) -> dict[str, Any]:
    """A sample of an API call, with parts of its detail changed."""
    event = sample(name)
    event["detail"] |= detail
    return event


def calls(rule: str) -> list[str]:
    names: list[str] = PATTERNS[rule].get("detail", {}).get("eventName", [])
    return names


def test_the_template_has_just_these_rules() -> None:
    assert set(PATTERNS) == SERVICES | JOBS | DRIFT


@pytest.mark.parametrize(
    ("event", "rules"),
    [
        ("s3_object_created", {"uploads"}),
        ("s3_object_created_multipart", {"uploads"}),
        ("s3_object_created_by_copy", {"uploads"}),
        ("s3_object_created_manifest", {"uploads", "manifests"}),
        ("guardduty_scan_result", {"malware-results"}),
        ("guardduty_scan_result_elsewhere", set()),
        ("macie_finding", {"macie-findings"}),
        ("macie_finding_sample", set()),
        ("macie_finding_elsewhere", set()),
        ("s3_object_deleted", set()),
        ("s3_object_created_elsewhere", set()),
        ("policy_proposed", {"policy-proposals"}),
        ("policy_accepted", set()),
        ("bedrock_job_state_change", {"job-states"}),
        ("bedrock_batch_inference_state_change", set()),
        ("cloudtrail_create_model_customization_job", {"job-calls"}),
        ("cloudtrail_create_model_import_job", {"job-calls"}),
        ("cloudtrail_create_model_import_job_denied", set()),
        ("cloudtrail_create_custom_model_deployment", {"job-calls"}),
        ("cloudtrail_tag_resource", {"job-calls"}),
        ("sagemaker_training_job_state_change", {"sagemaker-states"}),
        ("sagemaker_model_package_state_change", {"sagemaker-states"}),
        ("drift_put_bucket_policy", {"drift-buckets"}),
        ("drift_put_bucket_policy_elsewhere", set()),
        ("drift_put_key_policy", {"drift-keys"}),
        ("drift_put_ledger_policy", {"drift-ledger"}),
        ("drift_update_assume_role_policy", {"drift-roles"}),
        ("drift_create_route", {"drift-network"}),
        ("drift_disable_rule", {"drift-rules"}),
        ("drift_remove_targets", {"drift-rules"}),
        ("drift_put_model_invocation_logging", {"drift-records"}),
        ("drift_stop_logging", {"drift-records"}),
        ("scheduled_reconcile", set()),
    ],
)
def test_each_sample_event_is_taken_by_the_rules_it_concerns(event: str, rules: set[str]) -> None:
    assert takers(sample(event)) == rules


def test_each_rule_has_a_sample_event() -> None:
    samples = [json.loads(path.read_text()) for path in (ROOT / "events").glob("*.json")]
    taken = set[str]().union(*(takers(event) for event in samples if "detail-type" in event))
    assert taken == set(PATTERNS)


@pytest.mark.parametrize("change", [{"source": "custom.s3"}, {"detail-type": "Object Tags Added"}])
def test_an_event_of_another_kind_starts_nothing(change: dict[str, str]) -> None:
    assert takers(sample("s3_object_created") | change) == set()


@pytest.mark.parametrize("status", ["InProgress", "Completed", "Failed", "Stopping", "Stopped"])
def test_every_state_of_a_job_is_looked_at(status: str) -> None:
    event = sample("bedrock_job_state_change")
    event["detail"]["jobStatus"] = status
    assert takers(event) == {"job-states"}


@pytest.mark.parametrize("name", calls("job-calls"))
def test_every_call_that_makes_or_changes_a_model_is_looked_at(name: str) -> None:
    assert takers(called("cloudtrail_tag_resource", eventName=name)) == {"job-calls"}


@pytest.mark.parametrize("name", ["GetModelCustomizationJob", "ListCustomModels", "InvokeModel", "CreateGuardrail"])
def test_a_call_that_makes_no_model_is_not(name: str) -> None:
    assert takers(called("cloudtrail_tag_resource", eventName=name)) == set()


def test_the_gates_own_marks_start_nothing() -> None:
    event = sample("cloudtrail_tag_resource")
    issuer = event["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]
    issuer["arn"] = "arn:aws:iam::111122223333:role/tunegate-verify-job"
    assert takers(event) == set()


def test_a_mark_set_by_somebody_without_a_session_is_looked_at() -> None:
    user = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/max", "accountId": "111122223333"}
    assert takers(called("cloudtrail_tag_resource", userIdentity=user)) == {"job-calls"}


@pytest.mark.parametrize("rule", sorted(DRIFT | {"job-calls"}))
def test_rules_name_calls_that_exist(rule: str) -> None:
    services = [source.partition(".")[0] for source in PATTERNS[rule]["detail"]["eventSource"]]
    session = botocore.session.get_session()
    known = {name for service in services for name in session.get_service_model(service).operation_names}
    assert set(calls(rule)) <= known | CLOUDTRAIL_ONLY


@pytest.mark.parametrize("rule", sorted(DRIFT | {"job-calls"}))
def test_rules_on_calls_leave_out_those_that_failed(rule: str) -> None:
    # A call that changed nothing is nothing to look at, and anybody could make thousands of them.
    assert PATTERNS[rule]["detail"]["errorCode"] == [{"exists": False}]


@pytest.mark.parametrize("bucket", BUCKETS.values())
def test_a_change_of_any_of_our_buckets_is_drift(bucket: str) -> None:
    event = called("drift_put_bucket_policy", eventName="PutBucketEncryption", requestParameters={"bucketName": bucket})
    assert takers(event) == {"drift-buckets"}


@pytest.mark.parametrize("form", ["{}", KEY_ARN + "{}"])
@pytest.mark.parametrize("key", KEYS.values())
def test_a_change_of_any_of_our_keys_is_drift_by_id_and_by_arn(key: str, form: str) -> None:
    event = called("drift_put_key_policy", eventName="DisableKey", requestParameters={"keyId": form.format(key)})
    assert takers(event) == {"drift-keys"}


def test_a_change_of_somebody_elses_things_is_no_drift_of_ours() -> None:
    other = "1234abcd-12ab-34cd-56ef-999999999999"
    assert takers(called("drift_put_key_policy", requestParameters={"keyId": other})) == set()
    assert takers(called("drift_update_assume_role_policy", requestParameters={"roleName": "other"})) == set()
    assert takers(called("drift_disable_rule", requestParameters={"name": "other"})) == set()
    assert takers(called("drift_remove_targets", requestParameters={"rule": "other"})) == set()


@pytest.mark.parametrize(
    ("source", "event_source", "name"),
    [
        ("aws.bedrock", "bedrock.amazonaws.com", "DeleteModelInvocationLoggingConfiguration"),
        ("aws.bedrock", "bedrock.amazonaws.com", "UpdateGuardrail"),
        ("aws.cloudtrail", "cloudtrail.amazonaws.com", "PutEventSelectors"),
        ("aws.macie2", "macie2.amazonaws.com", "DisableMacie"),
    ],
)
def test_what_is_recorded_and_searched_cannot_be_turned_off_unseen(source: str, event_source: str, name: str) -> None:
    event = called("drift_stop_logging", eventSource=event_source, eventName=name) | {"source": source}
    assert takers(event) == {"drift-records"}


def test_what_a_rule_takes_the_code_can_read() -> None:
    created = object_created(sample("s3_object_created"))
    assert created is not None
    assert (created.version.bucket, created.version.key) == (INTAKE, "team-a/train.jsonl")
    assert created.version.version_id == "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"
    assert created.sequencer == "617f08299329d189"


def test_an_event_without_a_version_is_refused_not_guessed() -> None:
    event = sample("s3_object_created")
    del event["detail"]["object"]["version-id"]
    with pytest.raises(PermanentError, match="versioning"):
        object_created(event)


def test_a_key_is_taken_as_it_stands_because_eventbridge_does_not_encode_it() -> None:
    event = sample("s3_object_created")
    event["detail"]["object"]["key"] = "a+b %25.jsonl"
    created = object_created(event)
    assert created is not None
    assert created.version.key == "a+b %25.jsonl"
