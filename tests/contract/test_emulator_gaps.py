"""Where ministack is not AWS and the gate would notice: what `local/tunegate_local/gaps` puts right stays right."""

import io
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from contract.emulator import Emulator, archive, running
from tunegate_local.emulator import ACCOUNT_ID
from tunegate_local.gaps.runtime import PROCESSES_PER_FUNCTION

MIB = 1024 * 1024
IN_PARTS = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with running(tmp_path_factory.mktemp("emulator") / "emulator.log") as emulator:
        yield emulator


@pytest.fixture(scope="module")
def key(emulator: Emulator) -> str:
    """A key whose use the account's IAM policies decide."""
    arn: str = emulator.client("kms").create_key(Policy=json.dumps(KEY_POLICY))["KeyMetadata"]["Arn"]
    return arn


@pytest.fixture(scope="module")
def locked(emulator: Emulator, key: str) -> str:
    """A bucket made by CloudFormation with everything the gate's buckets have."""
    emulator.client("s3").create_bucket(Bucket="access-logs")
    encryption = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    properties = {
        "BucketName": "locked",
        "VersioningConfiguration": {"Status": "Enabled"},
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [{"BucketKeyEnabled": True, **encryption}]},
        "ObjectLockEnabled": True,
        "ObjectLockConfiguration": {
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": "7"}},
        },
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "LoggingConfiguration": {"DestinationBucketName": "access-logs", "LogFilePrefix": "locked/"},
        "LifecycleConfiguration": {
            "Rules": [{"Id": "old", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": "9"}}]
        },
    }
    emulator.stack("locked", {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}})
    return "locked"


def bucket(emulator: Emulator, name: str) -> str:
    emulator.client("s3").create_bucket(Bucket=name)
    return name


def is_denied(call: Any, *arguments: Any, **named: Any) -> bool:
    """Whether the call is refused for want of permission; any other failure is the test's."""
    try:
        call(*arguments, **named)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "403"):
            raise
        return True
    return False


def test_a_session_is_its_role_to_a_policy_that_speaks_of_principal_arns(emulator: Emulator) -> None:
    gate, other = emulator.role("gate", "s3:PutObject"), emulator.role("other", "s3:PutObject")
    name = bucket(emulator, "principals")
    emulator.deny(name, "s3:PutObject", {"ArnNotEquals": {"aws:PrincipalArn": gate}})

    assert not is_denied(emulator.client("s3", gate).put_object, Bucket=name, Key="a", Body=b"")
    assert is_denied(emulator.client("s3", other).put_object, Bucket=name, Key="a", Body=b"")


def test_a_policy_sees_that_a_request_is_no_services_own(emulator: Emulator) -> None:
    writer, name = emulator.role("no-service", "s3:PutObject", "kms:*"), bucket(emulator, "only-services")
    emulator.deny(name, "s3:PutObject", {"Bool": {"aws:PrincipalIsAWSService": "false"}})
    assert is_denied(emulator.client("s3", writer).put_object, Bucket=name, Key="a", Body=b"")

    emulator.client("s3").delete_bucket_policy(Bucket=name)
    allowed = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT_ID}, "Action": "kms:*", "Resource": "*"}
    through_none = {"Effect": "Deny", "Principal": "*", "Action": "kms:GenerateDataKey", "Resource": "*"}
    direct = {**through_none, "Condition": {"Bool": {"aws:ViaAWSService": "false"}}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed, direct]})
    through_s3 = emulator.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
    encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": through_s3}
    assert not is_denied(emulator.client("s3", writer).put_object, Bucket=name, Key="a", Body=b"", **encrypted)
    kms = emulator.client("kms", writer)
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.generate_data_key(KeyId=through_s3, KeySpec="AES_256")


def test_a_demand_for_tls_is_met_on_loopback(emulator: Emulator) -> None:
    writer, name = emulator.role("tls-writer", "s3:PutObject"), bucket(emulator, "only-tls")
    emulator.deny(name, "s3:*", {"Bool": {"aws:SecureTransport": "false"}})

    assert not is_denied(emulator.client("s3", writer).put_object, Bucket=name, Key="a", Body=b"")


def test_a_policy_sees_the_kms_key_a_put_names_also_in_parts(emulator: Emulator, key: str) -> None:
    writer, name = emulator.role("key-writer", "s3:PutObject", "kms:*"), bucket(emulator, "one-key")
    emulator.deny(
        name,
        "s3:PutObject",
        {
            "Null": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "false"},
            "StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": key},
        },
    )
    s3 = emulator.client("s3", writer)
    right = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    wrong = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key.rsplit("/", 1)[0] + "/another"}

    assert not is_denied(s3.put_object, Bucket=name, Key="a", Body=b"", **right)
    assert is_denied(s3.put_object, Bucket=name, Key="a", Body=b"", **wrong)
    assert is_denied(s3.create_multipart_upload, Bucket=name, Key="a", **wrong)
    s3.upload_fileobj(io.BytesIO(bytes(6 * MIB)), name, "parts", ExtraArgs=right, Config=IN_PARTS)


def test_a_policy_sees_sse_c(emulator: Emulator) -> None:
    writer, name = emulator.role("sse-c-writer", "s3:PutObject"), bucket(emulator, "no-sse-c")
    emulator.deny(name, "s3:PutObject", {"Null": {"s3:x-amz-server-side-encryption-customer-algorithm": "false"}})
    s3 = emulator.client("s3", writer)

    own_key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    assert is_denied(s3.put_object, Bucket=name, Key="a", Body=b"", **own_key)
    assert not is_denied(s3.put_object, Bucket=name, Key="a", Body=b"")


def test_a_policy_sees_the_tags_a_put_sets(emulator: Emulator) -> None:
    tagger, name = emulator.role("tagger", "s3:PutObject", "s3:PutObjectTagging"), bucket(emulator, "no-verdicts")
    emulator.deny(name, "s3:PutObject", {"ForAnyValue:StringLike": {"s3:RequestObjectTagKeys": "tunegate-*"}})
    s3 = emulator.client("s3", tagger)

    assert is_denied(s3.put_object, Bucket=name, Key="a", Body=b"", Tagging="team=a&tunegate-verdict=clean")
    assert not is_denied(s3.put_object, Bucket=name, Key="a", Body=b"", Tagging="team=a")


def test_setting_tags_on_a_put_needs_its_own_permission(emulator: Emulator) -> None:
    writer, name = emulator.role("untagged-writer", "s3:PutObject"), bucket(emulator, "tagging")
    s3 = emulator.client("s3", writer)

    assert is_denied(s3.put_object, Bucket=name, Key="a", Body=b"", Tagging="team=a")
    assert is_denied(s3.create_multipart_upload, Bucket=name, Key="a", Tagging="team=a")
    assert not is_denied(s3.put_object, Bucket=name, Key="a", Body=b"")


def test_an_object_cannot_be_read_or_written_without_its_key(emulator: Emulator, locked: str) -> None:
    keyless = emulator.client("s3", emulator.role("keyless", "s3:*"))
    keyed = emulator.client("s3", emulator.role("keyed", "s3:*", "kms:Decrypt", "kms:GenerateDataKey"))
    version = keyed.put_object(Bucket=locked, Key="folder/a", Body=b"text")["VersionId"]

    assert is_denied(keyless.put_object, Bucket=locked, Key="folder/a", Body=b"")
    assert is_denied(keyless.get_object, Bucket=locked, Key="folder/a")
    assert is_denied(keyless.get_object, Bucket=locked, Key="folder/a", VersionId=version)
    source = {"Bucket": locked, "Key": "folder/a", "VersionId": version}
    assert is_denied(keyless.copy_object, Bucket=locked, Key="b", CopySource=source)
    assert not is_denied(keyless.head_object, Bucket=locked, Key="folder/a")
    assert keyed.get_object(Bucket=locked, Key="folder/a")["Body"].read() == b"text"


def test_a_bucket_made_by_cloudformation_is_what_its_template_says(emulator: Emulator, key: str, locked: str) -> None:
    s3 = emulator.client("s3")
    s3.put_object(Bucket=locked, Key="plain", Body=b"")
    head = s3.head_object(Bucket=locked, Key="plain")

    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)
    assert head["ObjectLockMode"] == "GOVERNANCE"
    assert is_denied(s3.delete_object, Bucket=locked, Key="plain", VersionId=head["VersionId"])
    ownership = s3.get_bucket_ownership_controls(Bucket=locked)["OwnershipControls"]["Rules"]
    assert ownership == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert s3.get_bucket_logging(Bucket=locked)["LoggingEnabled"]["TargetBucket"] == "access-logs"
    rule = s3.get_bucket_lifecycle_configuration(Bucket=locked)["Rules"][0]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 9}


def test_a_multipart_upload_keeps_its_tags_and_the_buckets_retention(emulator: Emulator, locked: str) -> None:
    s3 = emulator.client("s3")
    s3.upload_fileobj(io.BytesIO(bytes(6 * MIB)), locked, "parts", ExtraArgs={"Tagging": "team=a"}, Config=IN_PARTS)

    assert s3.get_object_tagging(Bucket=locked, Key="parts")["TagSet"] == [{"Key": "team", "Value": "a"}]
    assert s3.head_object(Bucket=locked, Key="parts")["ObjectLockMode"] == "GOVERNANCE"


def test_an_event_names_the_version(emulator: Emulator) -> None:
    s3, sqs, events = (emulator.client(service) for service in ("s3", "sqs", "events"))
    name = bucket(emulator, "watched")
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}})
    queue = sqs.create_queue(QueueName="seen")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**allowed, "Resource": arn}]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    events.put_rule(Name="watch", EventPattern=json.dumps({"source": ["aws.s3"]}))
    events.put_targets(Rule="watch", Targets=[{"Id": "queue", "Arn": arn}])

    version = s3.put_object(Bucket=name, Key="a b/ü", Body=b"")["VersionId"]
    message = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"][0]

    seen = json.loads(message["Body"])["detail"]["object"]
    assert (seen["key"], seen["version-id"]) == ("a b/ü", version)


def test_a_function_imports_only_what_its_layers_hold(emulator: Emulator) -> None:
    layer = emulator.client("lambda").publish_layer_version(
        LayerName="words", Content={"ZipFile": archive({"python/words.py": "HELLO = 'hello'"})}
    )["LayerVersionArn"]
    emulator.function("with-layer", "import words\ndef handler(event, context): return words.HELLO", (layer,))
    emulator.function("without-layer", "import boto3\ndef handler(event, context): return 1")

    assert emulator.invoke("with-layer") == "hello"
    assert "No module named 'boto3'" in emulator.invoke("without-layer")["errorMessage"]


def test_concurrent_invocations_share_a_few_processes(emulator: Emulator) -> None:
    source = "import os, time\ndef handler(event, context):\n    time.sleep(0.2)\n    return os.getpid()"
    emulator.function("busy", source)

    with ThreadPoolExecutor(12) as pool:
        processes = list(pool.map(lambda _: emulator.invoke("busy"), range(12)))

    assert 1 <= len(set(processes)) <= PROCESSES_PER_FUNCTION


def test_an_error_is_of_the_class_that_was_raised(emulator: Emulator) -> None:
    source = "class RetryableError(Exception): pass\ndef handler(event, context): raise RetryableError('later')"
    emulator.function("failing", source)

    assert [emulator.invoke("failing")["errorType"] for _ in range(2)] == ["RetryableError"] * 2


def test_an_alarm_on_metric_math_is_kept_as_declared(emulator: Emulator) -> None:
    metric = {"Namespace": "Tunegate", "MetricName": "Verdicts"}
    metrics = [
        {"Id": "any", "Expression": "verdicts > 0", "ReturnData": True},
        {"Id": "verdicts", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
    ]
    properties = {
        "AlarmName": "math",
        "Metrics": metrics,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "LessThanThreshold",
    }
    emulator.stack("alarms", {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}})

    alarms = emulator.client("cloudwatch").describe_alarms(AlarmNames=["math"])["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in alarms] == ["math"]


def test_a_state_machine_written_in_yaml_runs(emulator: Emulator) -> None:
    s3, stepfunctions = emulator.client("s3"), emulator.client("stepfunctions")
    name = bucket(emulator, "definitions")
    definition = "StartAt: Done\nStates:\n  # YAML has comments\n  Done: {Type: Pass, Result: ${Answer}, End: true}\n"
    s3.put_object(Bucket=name, Key="machine.yaml", Body=definition.encode())
    properties = {
        "StateMachineName": "yaml",
        "DefinitionS3Location": {"Bucket": name, "Key": "machine.yaml"},
        "DefinitionSubstitutions": {"Answer": 42},
        "RoleArn": emulator.role("machine"),
    }
    emulator.stack("machines", {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}})
    machine = f"arn:aws:states:us-east-1:{ACCOUNT_ID}:stateMachine:yaml"
    assert run_of(stepfunctions, machine)["output"] == "42"


def run_of(stepfunctions: Any, machine: str) -> Any:
    """A new execution, once it has ended."""
    execution = stepfunctions.start_execution(stateMachineArn=machine)["executionArn"]
    deadline = time.monotonic() + 20
    while (answer := stepfunctions.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return answer


def test_a_task_over_the_concurrency_there_is_fails_with_an_error_of_its_own(emulator: Emulator) -> None:
    emulator.function("throttled", "def handler(event, context): return 1")
    emulator.client("lambda").put_function_concurrency(FunctionName="throttled", ReservedConcurrentExecutions=0)
    parameters = {"FunctionName": "throttled"}
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters, "End": True}
    stepfunctions = emulator.client("stepfunctions")
    machine = stepfunctions.create_state_machine(
        name="throttled",
        definition=json.dumps({"StartAt": "Ask", "States": {"Ask": task}}),
        roleArn=emulator.role("asks", "lambda:InvokeFunction"),
    )["stateMachineArn"]
    answer = run_of(stepfunctions, machine)
    assert (answer["status"], answer["error"]) == ("FAILED", "Lambda.TooManyRequestsException")


def test_dead_letters_go_back_to_their_queue_for_whom_may_take_and_send(emulator: Emulator) -> None:
    sqs = emulator.client("sqs")
    letters = sqs.create_queue(QueueName="letters")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redriven = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})}
    source = sqs.create_queue(QueueName="source", Attributes=redriven | {"VisibilityTimeout": "0"})["QueueUrl"]
    target = arn.replace("letters", "source")
    assert sqs.list_dead_letter_source_queues(QueueUrl=letters)["queueUrls"] == [source]
    sqs.send_message(QueueUrl=source, MessageBody="failed")
    for _ in range(2):
        sqs.receive_message(QueueUrl=source)
    sqs.send_message(QueueUrl=letters, MessageBody="never was there")

    move = {"SourceArn": arn, "DestinationArn": target}
    half = emulator.role("half", "sqs:StartMessageMoveTask", "sqs:ReceiveMessage", "sqs:DeleteMessage")
    whole = emulator.role(
        "whole", "sqs:StartMessageMoveTask", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:SendMessage"
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        emulator.client("sqs", half).start_message_move_task(**move)
    emulator.client("sqs", whole).start_message_move_task(**move)
    [task] = sqs.list_message_move_tasks(SourceArn=arn)["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 2)
    back = [sqs.receive_message(QueueUrl=source, VisibilityTimeout=60)["Messages"][0]["Body"] for _ in range(2)]
    assert sorted(back) == ["failed", "never was there"]


def test_a_message_that_came_from_no_queue_is_moved_only_to_one_that_is_named(emulator: Emulator) -> None:
    sqs = emulator.client("sqs")
    letters = sqs.create_queue(QueueName="other-letters")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    with pytest.raises(ClientError, match="UnsupportedOperation"):
        sqs.start_message_move_task(SourceArn=arn)
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    sqs.create_queue(QueueName="other-source", Attributes={"RedrivePolicy": policy})
    sqs.send_message(QueueUrl=letters, MessageBody="of a rule")
    sqs.start_message_move_task(SourceArn=arn)
    [task] = sqs.list_message_move_tasks(SourceArn=arn)["Results"]
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert sqs.receive_message(QueueUrl=letters)["Messages"][0]["Body"] == "of a rule"
