"""CloudFormation's custom resources and scheduled rules."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from contract.emulator import Emulator

# What a function behind a custom resource does, with nothing but the standard library.
SOURCE = """
import json, urllib.request

def handler(event, context):
    asked = event["ResourceProperties"]
    answer = {
        "Status": "FAILED" if asked.get("Fails") == event["RequestType"] else "SUCCESS",
        "Reason": "as asked",
        "PhysicalResourceId": event.get("PhysicalResourceId", "physical-1"),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Echo": event["RequestType"] + " " + asked.get("Word", "")},
    }
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT")
    with urllib.request.urlopen(request) as response:
        return response.status
"""
WAIT = {"Delay": 1, "MaxAttempts": 60}


@pytest.fixture(scope="module")
def function(emulator: Emulator) -> str:
    emulator.function("custom", SOURCE)
    arn: str = emulator.client("lambda").get_function(FunctionName="custom")["Configuration"]["FunctionArn"]
    return arn


def template(function: str, **properties: Any) -> str:
    resource = {"Type": "Custom::Thing", "Properties": {"ServiceToken": function, **properties}}
    output = {"Echo": {"Value": {"Fn::GetAtt": ["Thing", "Echo"]}}, "Name": {"Value": {"Ref": "Thing"}}}
    return json.dumps({"Resources": {"Thing": resource}, "Outputs": output})


def outputs(emulator: Emulator, stack: str) -> dict[str, str]:
    [described] = emulator.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def test_a_custom_resource_is_created_updated_and_deleted(emulator: Emulator, function: str) -> None:
    cloudformation = emulator.client("cloudformation")
    cloudformation.create_stack(StackName="custom", TemplateBody=template(function, Word="one"))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="custom", WaiterConfig=WAIT)
    assert outputs(emulator, "custom") == {"Echo": "Create one", "Name": "physical-1"}

    cloudformation.update_stack(StackName="custom", TemplateBody=template(function, Word="two"))
    cloudformation.get_waiter("stack_update_complete").wait(StackName="custom", WaiterConfig=WAIT)
    assert outputs(emulator, "custom") == {"Echo": "Update two", "Name": "physical-1"}

    cloudformation.delete_stack(StackName="custom")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="custom", WaiterConfig=WAIT)
    with pytest.raises(ClientError):
        cloudformation.describe_stacks(StackName="custom")


def test_a_custom_resource_that_fails_fails_its_stack_with_its_reason(emulator: Emulator, function: str) -> None:
    cloudformation = emulator.client("cloudformation")
    cloudformation.create_stack(StackName="failing", TemplateBody=template(function, Fails="Create"))
    with pytest.raises(WaiterError):
        cloudformation.get_waiter("stack_create_complete").wait(StackName="failing", WaiterConfig=WAIT)

    events = cloudformation.describe_stack_events(StackName="failing")["StackEvents"]
    assert any("as asked" in event.get("ResourceStatusReason", "") for event in events)


def test_a_custom_resource_that_cannot_be_deleted_keeps_its_stack(emulator: Emulator, function: str) -> None:
    cloudformation = emulator.client("cloudformation")
    cloudformation.create_stack(StackName="staying", TemplateBody=template(function, Fails="Delete"))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="staying", WaiterConfig=WAIT)
    cloudformation.delete_stack(StackName="staying")

    deadline = time.monotonic() + 30
    while (status := stack_status(cloudformation, "staying")) == "DELETE_IN_PROGRESS":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert status == "DELETE_FAILED"


def stack_status(cloudformation: Any, name: str) -> str:
    [described] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return str(described["StackStatus"])


def test_a_rule_on_a_schedule_is_deployed_with_its_target(emulator: Emulator, function: str) -> None:
    properties = {
        "Name": "scheduled",
        "ScheduleExpression": "rate(15 minutes)",
        "Targets": [{"Id": "function", "Arn": function}],
    }
    emulator.stack("scheduled", {"Rule": {"Type": "AWS::Events::Rule", "Properties": properties}})
    events = emulator.client("events")

    rule = events.describe_rule(Name="scheduled")
    assert (rule["State"], rule["ScheduleExpression"]) == ("ENABLED", "rate(15 minutes)")
    assert [target["Arn"] for target in events.list_targets_by_rule(Rule="scheduled")["Targets"]] == [function]
