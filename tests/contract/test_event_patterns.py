"""The template's event patterns take the events AWS documents that concern us, and no others."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from moto.events.models import EventPattern

from tunegate.errors import PermanentError
from tunegate.observe.events import object_created

ROOT = Path(__file__).parents[2]
INTAKE = "tunegate-intake-111122223333-us-east-1"
POLICY = "tunegate-policy-111122223333-us-east-1"
BUCKETS = {"Storage.Outputs.IntakeBucket": INTAKE, "Storage.Outputs.PolicyBucket": POLICY}


class Template(yaml.SafeLoader):
    """YAML with CloudFormation's short intrinsics; GetAtt of a bucket gives the bucket's name in the samples."""


def _intrinsic(loader: Template, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return BUCKETS.get(value, f"{suffix}:{value}") if suffix == "GetAtt" else f"{suffix}:{value}"
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


Template.add_multi_constructor("!", _intrinsic)


def patterns() -> dict[str, Any]:
    """Every event pattern of the template, by the logical id of its rule or of the function it starts."""
    resources = yaml.load((ROOT / "template.yaml").read_text(), Template)["Resources"]  # noqa: S506
    found = {}
    for name, resource in resources.items():
        properties = resource["Properties"]
        if "EventPattern" in properties:
            found[name] = properties["EventPattern"]
        for event in properties.get("Events", {}).values():
            if "Pattern" in event["Properties"]:
                found[name] = event["Properties"]["Pattern"]
    return found


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / f"events/{name}.json").read_text())
    return event


def takers(event: dict[str, Any]) -> set[str]:
    return {
        name
        for name, pattern in patterns().items()
        if EventPattern.load(json.dumps(pattern)).matches_event(cast(Any, event))
    }


UPLOADS, PROPOSALS = "UploadsRule", "AcceptPolicy"


def test_the_template_has_just_these_rules() -> None:
    assert set(patterns()) == {UPLOADS, PROPOSALS}


@pytest.mark.parametrize(
    ("event", "rules"),
    [
        ("s3_object_created", {UPLOADS}),
        ("s3_object_created_multipart", {UPLOADS}),
        ("s3_object_created_by_copy", {UPLOADS}),
        ("s3_object_deleted", set()),
        ("s3_object_created_elsewhere", set()),
        ("policy_proposed", {PROPOSALS}),
        ("policy_accepted", set()),
    ],
)
def test_each_sample_event_is_taken_by_the_rules_it_concerns(event: str, rules: set[str]) -> None:
    assert takers(sample(event)) == rules


@pytest.mark.parametrize("change", [{"source": "custom.s3"}, {"detail-type": "Object Tags Added"}])
def test_an_event_of_another_kind_starts_nothing(change: dict[str, str]) -> None:
    assert takers(sample("s3_object_created") | change) == set()


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
