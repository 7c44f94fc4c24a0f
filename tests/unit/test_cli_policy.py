"""`policy`: a broken document is told before it is proposed, with the field named."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tunegate.policy import default_policy
from unit.cli_world import KEY_ARN, World, run, world


@pytest.fixture
def account() -> Iterator[World]:
    with world() as made:
        yield made


@pytest.fixture
def stricter(tmp_path: Path) -> Path:
    document = json.loads(default_policy().canonical())
    document["types"]["pii/NAME"]["flags"] = True
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    document = json.loads(default_policy().canonical())
    document["categories"]["pii"]["severity"] = "enormous"
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(document))
    return path


def test_the_shipped_policy_is_shown_without_aws_and_is_valid(tmp_path: Path) -> None:
    result = run("policy", "show", "--default")
    path = tmp_path / "policy.json"
    path.write_text(result.stdout)
    assert default_policy().digest in run("policy", "check", str(path)).stdout


def test_a_broken_policy_names_the_field(broken: Path) -> None:
    result = run("policy", "check", str(broken))
    assert result.exit_code == 2
    assert "categories.pii.severity" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_valid_policy_is_proposed_under_the_gates_key(account: World, stricter: Path) -> None:
    assert account.run("policy", "put", str(stricter)).exit_code == 0
    put = account.s3.get_object(Bucket="policy", Key="proposed/policy.json")
    assert put["Body"].read() == stricter.read_bytes()
    assert put["SSEKMSKeyId"] == KEY_ARN


def test_a_broken_policy_is_not_proposed(account: World, broken: Path) -> None:
    assert account.run("policy", "put", str(broken)).exit_code == 2
    assert "Contents" not in account.s3.list_objects_v2(Bucket="policy")


def test_the_policy_in_force_is_shown(account: World, stricter: Path) -> None:
    account.s3.put_object(Bucket="policy", Key="accepted/current.json", Body=stricter.read_bytes())
    shown = json.loads(account.run("policy", "show").stdout)
    assert shown["types"]["pii/NAME"]["flags"] is True


def test_a_control_that_does_not_exist_is_named(tmp_path: Path) -> None:
    document = json.loads(default_policy().canonical())
    document["jobs"]["controls"] = {"network.job_in_vcp": {"blocking": False}, "network.job_in_vpc": {}}
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(document))
    result = run("policy", "check", str(path))
    assert result.exit_code == 0
    assert "network.job_in_vcp" in result.stderr
    assert "network.job_in_vpc" not in result.stderr
