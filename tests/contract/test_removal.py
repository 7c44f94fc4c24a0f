"""Nothing is lost when the stack is changed or removed: what holds data or opens it stays, with what is in it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from contract.emulator import Emulator, running
from contract.templates import ROOT
from tunegate_local.emulator import ACCOUNT_ID

BODY = b'{"prompt": "kept", "completion": "for ever"}\n'
SLOWLY = {"Delay": 1, "MaxAttempts": 60}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with running(tmp_path_factory.mktemp("removal") / "emulator.log") as emulator:
        yield emulator


def given(parameters: dict[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]


def deployed(emulator: Emulator, name: str, **parameters: str) -> dict[str, str]:
    """A stack of the product's own, with roles for whatever it asks the ARNs of; its outputs."""
    text = (ROOT / f"stacks/{name}.yaml").read_text()
    asked = re.search(r"^Parameters:\n(.*?)^\w", text, re.MULTILINE | re.DOTALL)
    assert asked is not None
    roles = {role: f"arn:aws:iam::{ACCOUNT_ID}:role/{role}" for role in re.findall(r"  (\w+RoleArn):", asked[1])}
    roles["BreakGlassRoleArn"] = ""
    chosen = {role: arn for role, arn in roles.items() if f"  {role}:" in asked[1]} | parameters
    cloudformation = emulator.client("cloudformation")
    cloudformation.create_stack(StackName=name, TemplateBody=text, Parameters=given({"Prefix": "kept", **chosen}))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=SLOWLY)
    return outputs_of(cloudformation, name)


def outputs_of(cloudformation: Any, name: str) -> dict[str, str]:
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def test_what_holds_data_or_opens_it_is_there_after_an_upgrade_and_after_removal(emulator: Emulator) -> None:
    cloudformation, s3, dynamodb = (emulator.client(name) for name in ("cloudformation", "s3", "dynamodb"))
    keys = deployed(emulator, "keys")
    own = {name: keys[name] for name in ("DataKeyArn", "QuarantineKeyArn", "MessagingKeyArn")}
    storage = deployed(
        emulator, "storage", **own, QuarantineRetentionDays="1", OldVersionDays="90", LedgerDeletionProtection="true"
    )
    buckets = [value for name, value in storage.items() if name.endswith("Bucket") and name != "LogsBucket"]
    assert len(buckets) == 6
    versions = {bucket: s3.put_object(Bucket=bucket, Key="kept", Body=BODY)["VersionId"] for bucket in buckets}
    row = {"pk": {"S": "object#kept"}, "sk": {"S": "scan#1"}, "entity": {"S": "decision"}, "at": {"S": "2026"}}
    dynamodb.put_item(TableName=storage["LedgerTable"], Item=row)

    def all_is_there() -> None:
        for bucket, version in versions.items():
            assert s3.get_object(Bucket=bucket, Key="kept", VersionId=version)["Body"].read() == BODY, bucket
        assert dynamodb.scan(TableName=storage["LedgerTable"])["Items"] == [row]
        for name in ("DataKeyArn", "QuarantineKeyArn", "ModelKeyArn", "MessagingKeyArn"):
            state = emulator.client("kms").describe_key(KeyId=keys[name])["KeyMetadata"]["KeyState"]
            assert state == "Enabled", name

    changed = given(
        {
            "Prefix": "kept",
            **own,
            "QuarantineRetentionDays": "2",
            "OldVersionDays": "30",
            "LedgerDeletionProtection": "true",
        }
    )
    text = (ROOT / "stacks/storage.yaml").read_text()
    cloudformation.update_stack(StackName="storage", TemplateBody=text, Parameters=changed)
    cloudformation.get_waiter("stack_update_complete").wait(StackName="storage", WaiterConfig=SLOWLY)
    assert outputs_of(cloudformation, "storage") == storage
    all_is_there()

    for name in ("storage", "keys"):
        cloudformation.delete_stack(StackName=name)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=SLOWLY)
    all_is_there()
