"""CloudTrail: trails as they are declared, and the calls they tell EventBridge of."""

import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contract.emulator import Emulator
from tunegate_local.emulator import ACCOUNT_ID, REGION

SELECTORS = [
    {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::trails/"]}],
    }
]
CALL = "AWS API Call via CloudTrail"


@pytest.fixture(scope="module")
def trail(emulator: Emulator) -> Iterator[str]:
    emulator.client("s3").create_bucket(Bucket="trails")
    key = emulator.client("kms").create_key()["KeyMetadata"]["Arn"]
    properties = {
        "TrailName": "watch",
        "IsLogging": True,
        "IsMultiRegionTrail": True,
        "IncludeGlobalServiceEvents": True,
        "EnableLogFileValidation": True,
        "S3BucketName": "trails",
        "S3KeyPrefix": "cloudtrail",
        "KMSKeyId": key,
        "EventSelectors": SELECTORS,
    }
    outputs = {"Resources": {"Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": properties}}}
    emulator.stack("trail", outputs["Resources"])
    yield "watch"
    emulator.client("cloudformation").delete_stack(StackName="trail")


def published(emulator: Emulator) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"http://127.0.0.1:{emulator.port}/_tunegate/events") as answer:
        events: list[dict[str, Any]] = json.load(answer)
    return [event for event in events if event["detail-type"] == CALL]


def told(emulator: Emulator, name: str, since: int, seconds: float = 5) -> dict[str, Any] | None:
    """The first event of a call of this name beyond the first `since` events."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for event in published(emulator)[since:]:
            if event["detail"]["eventName"] == name:
                return event
        time.sleep(0.05)
    return None


def test_a_trail_made_by_cloudformation_is_what_its_template_says(emulator: Emulator, trail: str) -> None:
    cloudtrail = emulator.client("cloudtrail")
    [described] = cloudtrail.describe_trails(trailNameList=[trail])["trailList"]

    assert described["TrailARN"] == f"arn:aws:cloudtrail:{REGION}:{ACCOUNT_ID}:trail/watch"
    assert (described["S3BucketName"], described["S3KeyPrefix"]) == ("trails", "cloudtrail")
    assert described["IsMultiRegionTrail"]
    assert described["LogFileValidationEnabled"]
    assert described["KmsKeyId"].startswith("arn:aws:kms:")
    assert cloudtrail.get_trail_status(Name=trail)["IsLogging"]
    selectors = cloudtrail.get_event_selectors(TrailName=trail)["EventSelectors"]
    assert selectors == [{**SELECTORS[0], "ExcludeManagementEventSources": []}]
    assert trail in [one["Name"] for one in cloudtrail.list_trails()["Trails"]]


def test_a_trail_is_updated_and_removed_by_cloudformation(emulator: Emulator) -> None:
    cloudtrail, cloudformation = emulator.client("cloudtrail"), emulator.client("cloudformation")
    trail = {"Type": "AWS::CloudTrail::Trail", "Properties": {"S3BucketName": "trails", "IsLogging": True}}
    emulator.stack("changing", {"Trail": trail})
    [name] = [one["Name"] for one in cloudtrail.list_trails()["Trails"] if one["Name"].startswith("changing")]

    changed = {
        **trail,
        "Properties": {"S3BucketName": "elsewhere", "IsLogging": False, "EnableLogFileValidation": True},
    }
    cloudformation.update_stack(StackName="changing", TemplateBody=json.dumps({"Resources": {"Trail": changed}}))
    cloudformation.get_waiter("stack_update_complete").wait(StackName="changing", WaiterConfig={"Delay": 1})
    [described] = cloudtrail.describe_trails(trailNameList=[name])["trailList"]
    assert described["S3BucketName"] == "elsewhere"
    assert described["LogFileValidationEnabled"]
    assert not cloudtrail.get_trail_status(Name=name)["IsLogging"]
    cloudformation.delete_stack(StackName="changing")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="changing", WaiterConfig={"Delay": 1})
    assert cloudtrail.describe_trails(trailNameList=[name])["trailList"] == []


def test_advanced_selectors_take_the_place_of_basic_ones(emulator: Emulator) -> None:
    cloudtrail = emulator.client("cloudtrail")
    cloudtrail.create_trail(Name="advanced", S3BucketName="trails")
    fields = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::trails/"]},
    ]
    cloudtrail.put_event_selectors(
        TrailName="advanced", AdvancedEventSelectors=[{"Name": "objects", "FieldSelectors": fields}]
    )

    selectors = cloudtrail.get_event_selectors(TrailName="advanced")
    assert selectors["AdvancedEventSelectors"] == [{"Name": "objects", "FieldSelectors": fields}]
    assert "EventSelectors" not in selectors
    cloudtrail.delete_trail(Name="advanced")
    with pytest.raises(ClientError, match="TrailNotFoundException"):
        cloudtrail.get_trail_status(Name="advanced")


@pytest.mark.usefixtures("trail")
def test_a_call_that_changes_something_is_told(emulator: Emulator) -> None:
    role = emulator.role("changer", "s3:*")
    since = len(published(emulator))
    emulator.client("s3", role).put_bucket_versioning(Bucket="trails", VersioningConfiguration={"Status": "Enabled"})

    event = told(emulator, "PutBucketVersioning", since)
    assert event is not None
    detail = event["detail"]
    assert (event["source"], detail["eventSource"]) == ("aws.s3", "s3.amazonaws.com")
    assert detail["requestParameters"]["bucketName"] == "trails"
    assert (detail["readOnly"], detail["managementEvent"], detail["eventCategory"]) == (False, True, "Management")
    assert (detail["eventType"], detail["awsRegion"], detail["recipientAccountId"]) == (
        "AwsApiCall",
        REGION,
        ACCOUNT_ID,
    )
    who = detail["userIdentity"]
    assert (who["type"], who["accountId"]) == ("AssumedRole", ACCOUNT_ID)
    assert who["sessionContext"]["sessionIssuer"]["arn"] == role
    assert "errorCode" not in detail


def changes(emulator: Emulator) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Makes a change in each service: what the event must be called, its source, and what it must say."""
    key = emulator.client("kms").create_key()["KeyMetadata"]["KeyId"]
    emulator.client("kms").disable_key(KeyId=key)
    yield "DisableKey", "kms", {"keyId": key}
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="told")
    yield "CreateBucket", "s3", {"bucketName": "told"}
    s3.delete_public_access_block(Bucket="trails")
    yield "DeleteBucketPublicAccessBlock", "s3", {"bucketName": "trails"}
    s3.put_bucket_notification_configuration(Bucket="trails", NotificationConfiguration={})
    yield "PutBucketNotification", "s3", {"bucketName": "trails"}
    emulator.role("told")
    yield "CreateRole", "iam", {"roleName": "told"}
    vpc = emulator.client("ec2").create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    yield "CreateVpc", "ec2", {"cidrBlock": "10.8.0.0/16"}
    emulator.client("ec2").delete_vpc(VpcId=vpc)
    yield "DeleteVpc", "ec2", {"vpcId": vpc}
    emulator.client("events").put_rule(Name="told", EventPattern='{"source": ["aws.s3"]}')
    yield "PutRule", "events", {"name": "told"}
    emulator.client("cloudtrail").create_trail(Name="told", S3BucketName="trails")
    yield "CreateTrail", "cloudtrail", {"name": "told"}
    macie = emulator.client("macie2")
    macie.enable_macie()
    macie.update_macie_session(status="PAUSED")
    yield "UpdateMacieSession", "macie2", {"status": "PAUSED"}
    macie.disable_macie()
    yield "DisableMacie", "macie2", {}
    bedrock = emulator.client("bedrock")
    bedrock.delete_model_invocation_logging_configuration()
    yield "DeleteModelInvocationLoggingConfiguration", "bedrock", {}


@pytest.mark.usefixtures("trail")
def test_a_change_in_each_service_is_told(emulator: Emulator) -> None:
    since = len(published(emulator))
    for name, service, said in changes(emulator):
        event = told(emulator, name, since)
        assert event is not None, name
        assert (event["source"], event["detail"]["eventSource"]) == (f"aws.{service}", f"{service}.amazonaws.com")
        parameters = event["detail"]["requestParameters"] or {}
        assert parameters | said == parameters, name


@pytest.mark.usefixtures("trail")
def test_reads_failures_and_objects_are_not_told(emulator: Emulator) -> None:
    s3 = emulator.client("s3")
    since = len(published(emulator))
    s3.get_bucket_versioning(Bucket="trails")
    s3.put_object(Bucket="trails", Key="a", Body=b"")
    with pytest.raises(ClientError):
        emulator.client("kms").disable_key(KeyId="no-such-key")
    emulator.client("kms").generate_random(NumberOfBytes=1)
    emulator.client("events").put_events(Entries=[{"Source": "a", "DetailType": "b", "Detail": "{}"}])
    emulator.client("iam").create_role(RoleName="last", AssumeRolePolicyDocument="{}")

    assert told(emulator, "CreateRole", since) is not None
    assert [event["detail"]["eventName"] for event in published(emulator)[since:]] == ["CreateRole"]


@pytest.mark.usefixtures("trail")
def test_a_trail_that_stopped_tells_only_that_it_did(emulator: Emulator) -> None:
    cloudtrail = emulator.client("cloudtrail")
    since = len(published(emulator))
    try:
        cloudtrail.stop_logging(Name="watch")
        assert told(emulator, "StopLogging", since) is not None
        since = len(published(emulator))
        emulator.role("untold")
        assert told(emulator, "CreateRole", since, seconds=0.5) is None
    finally:
        cloudtrail.start_logging(Name="watch")
    emulator.role("told-again")
    assert told(emulator, "CreateRole", since) is not None
