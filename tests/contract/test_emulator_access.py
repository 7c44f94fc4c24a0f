"""Who may do what to tables and mappings in the embedded cloud, and its record of what it allowed and refused."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contract.emulator import Emulator, running
from tunegate_local.emulator import ACCOUNT_ID, REGION

TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/rows"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with running(tmp_path_factory.mktemp("emulator") / "emulator.log") as emulator:
        outsider = {
            "Sid": "OnlySome", "Effect": "Deny", "Principal": "*", "Action": "dynamodb:PutItem", "Resource": TABLE,
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT_ID}:role/kept-*"}},
        }  # fmt: skip
        properties = {
            "TableName": "rows",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "ResourcePolicy": {"PolicyDocument": {"Version": "2012-10-17", "Statement": [outsider]}},
        }
        emulator.stack("rows", {"Rows": {"Type": "AWS::DynamoDB::Table", "Properties": properties}})
        yield emulator


def confined(emulator: Emulator, name: str, keys: str) -> Any:
    """DynamoDB as a role that may read and write the rows of some partitions."""
    role = emulator.role(name)
    statement = {
        "Effect": "Allow", "Action": "dynamodb:*", "Resource": TABLE,
        "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys}},
    }  # fmt: skip
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    emulator.client("iam").put_role_policy(RoleName=name, PolicyName="rows", PolicyDocument=document)
    return emulator.client("dynamodb", role)


def denied(call: Any, **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return True
    return False


def key(partition: str) -> dict[str, Any]:
    return {"pk": {"S": partition}, "sk": {"S": "1"}}


def test_a_role_may_be_let_read_the_policy_of_one_table(emulator: Emulator) -> None:
    role = emulator.role("policy-reader")
    statement = {"Effect": "Allow", "Action": "dynamodb:GetResourcePolicy", "Resource": TABLE}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    emulator.client("iam").put_role_policy(RoleName="policy-reader", PolicyName="reads", PolicyDocument=document)
    reader = emulator.client("dynamodb", role)
    assert "OnlySome" in reader.get_resource_policy(ResourceArn=TABLE)["Policy"]
    assert denied(reader.get_resource_policy, ResourceArn=TABLE.replace("rows", "others"))
    assert denied(reader.delete_resource_policy, ResourceArn=TABLE)


def test_a_role_may_be_held_to_partitions(emulator: Emulator) -> None:
    rows = confined(emulator, "kept-a", "a#*")
    for partition, refused in (("a#1", False), ("b#1", True)):
        values = {":pk": {"S": partition}}
        assert denied(rows.put_item, TableName="rows", Item=key(partition)) is refused
        assert denied(rows.get_item, TableName="rows", Key=key(partition)) is refused
        assert denied(
            rows.update_item,
            TableName="rows",
            Key=key(partition),
            UpdateExpression="SET x = :x",
            ExpressionAttributeValues={":x": {"S": "1"}},
        ) is refused  # fmt: skip
        query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values}
        assert denied(rows.query, TableName="rows", **query) is refused
        named = {"KeyConditionExpression": "#k = :pk AND sk > :pk", "ExpressionAttributeNames": {"#k": "pk"}}
        assert denied(rows.query, TableName="rows", **named, ExpressionAttributeValues=values) is refused
        put = {"rows": [{"PutRequest": {"Item": key(partition)}}]}
        assert denied(rows.batch_write_item, RequestItems=put) is refused


def test_one_item_beyond_the_partitions_spoils_a_batch(emulator: Emulator) -> None:
    rows = confined(emulator, "kept-batch", "a#*")
    keys = [key("a#1"), key("b#1")]
    assert denied(rows.batch_get_item, RequestItems={"rows": {"Keys": keys}})


def test_a_tables_own_policy_binds_whom_iam_allows_everything(emulator: Emulator) -> None:
    outside, inside = emulator.role("anybody", "dynamodb:*"), emulator.role("kept-b", "dynamodb:*")
    assert denied(emulator.client("dynamodb", outside).put_item, TableName="rows", Item=key("a#1"))
    assert not denied(emulator.client("dynamodb", outside).get_item, TableName="rows", Key=key("a#1"))
    assert not denied(emulator.client("dynamodb", inside).put_item, TableName="rows", Item=key("a#1"))


@pytest.mark.parametrize("call", ["update_event_source_mapping", "delete_event_source_mapping"])
def test_nobody_changes_a_mapping_without_leave(emulator: Emulator, call: str) -> None:
    role = emulator.role(f"mapper-{call.split('_')[0]}", "lambda:ListEventSourceMappings")
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(emulator.client("lambda", role), call)(UUID="0" * 36)


def test_what_a_role_was_allowed_and_refused_is_kept(emulator: Emulator) -> None:
    anybody = emulator.client("dynamodb", emulator.role("watched", "dynamodb:*"))
    anybody.get_item(TableName="rows", Key=key("a#1"))
    assert denied(anybody.put_item, TableName="rows", Item=key("a#1"))
    allowed = {(call["role"], call["action"]): call["sessions"] for call in _told(emulator, "calls")}
    assert allowed["watched", "dynamodb:GetItem"] == ["test"]
    assert ("watched", "dynamodb:PutItem") not in allowed
    last = _told(emulator, "refusals?test")[-1]
    assert (last["action"], last["decision"], last["sid"], last["policy"]) == (
        "dynamodb:PutItem",
        "Deny",
        "OnlySome",
        TABLE,
    )


def _told(emulator: Emulator, what: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{emulator.port}/_tunegate/{what}") as answer:
        return json.load(answer)
