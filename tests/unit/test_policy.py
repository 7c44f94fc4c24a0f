"""A policy is taken whole or refused with the field named."""

import json

import pytest

from tunegate.model import Category, Detection, Place, value_digest
from tunegate.policy import Policy, PolicyError, default_policy, parse_policy


def document(**changes: object) -> str:
    return json.dumps(json.loads(default_policy().canonical()) | changes)


def test_the_shipped_policy_is_valid_and_rules_every_category() -> None:
    policy = default_policy()
    assert all(policy.rule(category, "anything") for category in Category)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"categories": {}}, "categories"),
        ({"limits": {"shard_bytes": 0}}, "limits.shard_bytes"),
        ({"types": {"pii/EMAIL": {"severity": "dire", "flags": True}}}, "types.pii/EMAIL.severity"),
        ({"types": {"nonsense/EMAIL": {"severity": "low", "flags": True}}}, "types"),
        ({"allowed_value_digests": ["4111111111111111"]}, "allowed_value_digests.0"),
        ({"surprise": 1}, "surprise"),
        ({"schema_version": "1"}, "schema_version"),
    ],
)
def test_a_broken_policy_is_refused_with_the_field_named(changes: dict[str, object], field: str) -> None:
    with pytest.raises(PolicyError, match=field):
        parse_policy(document(**changes))


def test_a_refusal_never_repeats_a_value() -> None:
    with pytest.raises(PolicyError) as refused:
        parse_policy(document(allowed_value_digests=["4111111111111111"]))
    assert "4111" not in str(refused.value)


def test_the_digest_is_of_what_the_policy_says_not_of_how_it_is_written() -> None:
    spaced = json.dumps(json.loads(document()), indent=4, sort_keys=True)
    assert parse_policy(spaced).digest == default_policy().digest
    assert parse_policy(document(allowed_value_digests=["0" * 64])).digest != default_policy().digest


def detection(score: float = 1.0, digest: str | None = None) -> Detection:
    return Detection(Category.PII, "CREDIT_DEBIT_NUMBER", Place(1), score, value_digest=digest)


def allowing(value: str) -> Policy:
    return parse_policy(document(allowed_value_digests=[value_digest(value)]))


def test_an_allowed_value_does_not_count_however_it_is_spaced() -> None:
    found = detection(digest=value_digest("4111 1111-1111 1111"))
    assert default_policy().keeps(found)
    assert not allowing("4111111111111111").keeps(found)


def test_what_is_under_the_threshold_does_not_count() -> None:
    assert not default_policy().keeps(detection(score=0.2))
