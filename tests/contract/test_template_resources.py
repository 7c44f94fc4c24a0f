"""What the templates say of things: buckets, queues, functions, logs, the state machine and the alarms."""

import ast
import re
from typing import Any

import pytest
import yaml

from contract.templates import ROOT, properties, resources, template, text

BUCKETS = properties("AWS::S3::Bucket")
FUNCTIONS = properties("AWS::Serverless::Function")
QUEUES = properties("AWS::SQS::Queue")
ALARMS = properties("AWS::CloudWatch::Alarm")
OPTIONAL = {"GUARDRAIL_ID", "GUARDRAIL_VERSION"}


def settings_of(function: dict[str, Any]) -> set[str]:
    """The names a function's source asks its environment for."""
    tree = ast.parse((ROOT / function["CodeUri"] / "app.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    asking = [call for call in calls if ast.unparse(call.func) in ("setting", "os.environ.get")]
    return {ast.literal_eval(call.args[0]) for call in asking}


@pytest.mark.parametrize("bucket", BUCKETS)
def test_each_bucket_is_private_versioned_and_owned(bucket: str) -> None:
    assert set(BUCKETS[bucket]["PublicAccessBlockConfiguration"].values()) == {True}
    assert BUCKETS[bucket]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert BUCKETS[bucket]["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


@pytest.mark.parametrize("bucket", BUCKETS)
def test_each_bucket_forgets_old_versions_and_broken_uploads(bucket: str) -> None:
    rules = BUCKETS[bucket]["LifecycleConfiguration"]["Rules"]
    assert any("NoncurrentVersionExpiration" in rule for rule in rules)
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


@pytest.mark.parametrize("bucket", sorted(set(BUCKETS) - {"LogsBucket"}))
def test_each_bucket_but_the_logs_has_a_customer_managed_key_and_is_logged(bucket: str) -> None:
    (rule,) = BUCKETS[bucket]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    key = "QuarantineKeyArn" if bucket == "QuarantineBucket" else "DataKeyArn"
    assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == {"Ref": key}
    assert BUCKETS[bucket]["LoggingConfiguration"]["DestinationBucketName"] == {"Ref": "LogsBucket"}


def test_quarantine_is_locked() -> None:
    rule = BUCKETS["QuarantineBucket"]["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert rule["Mode"] == "GOVERNANCE"


@pytest.mark.parametrize("bucket", ["IntakeBucket", "PolicyBucket"])
def test_the_buckets_people_write_to_send_events(bucket: str) -> None:
    notifications = BUCKETS[bucket]["NotificationConfiguration"]
    assert notifications == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}


@pytest.mark.parametrize("kind", ["AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key"])
def test_what_holds_data_outlives_its_stack(kind: str) -> None:
    # A first deployment that fails takes its empty things back, so that the next one does not stumble over them.
    kept = {(resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) for _, resource in resources(kind)}
    assert kept == {("RetainExceptOnCreate", "Retain")}


def test_the_ledger_is_encrypted_backed_up_and_streamed() -> None:
    ledger = properties("AWS::DynamoDB::Table")["Ledger"]
    assert ledger["SSESpecification"]["KMSMasterKeyId"] == {"Ref": "MessagingKeyArn"}
    assert ledger["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert ledger["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_given_exactly_the_settings_it_asks_for(function: str) -> None:
    assert set(FUNCTIONS[function]["Environment"]["Variables"]) == settings_of(FUNCTIONS[function])


def test_a_setting_that_may_be_empty_is_not_a_required_one() -> None:
    source = (ROOT / "functions/scan_text/app.py").read_text()
    assert all(f'setting("{name}")' not in source for name in OPTIONAL)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_has_a_log_group_with_a_key_and_an_end(function: str) -> None:
    group = properties("AWS::Logs::LogGroup")[FUNCTIONS[function]["LoggingConfig"]["LogGroup"]["Ref"]]
    assert text(group["LogGroupName"]) == "/aws/lambda/" + text(FUNCTIONS[function]["FunctionName"])
    assert {"KmsKeyId", "RetentionInDays"} <= group.keys()


def test_functions_are_traced_and_log_json() -> None:
    everywhere = template()["Globals"]["Function"]
    assert (everywhere["Tracing"], everywhere["LoggingConfig"]["LogFormat"]) == ("Active", "JSON")


def test_the_uploads_queue_waits_for_its_reader() -> None:
    # AWS: at least six times the function's timeout.
    assert QUEUES["UploadsQueue"]["VisibilityTimeout"] >= 6 * FUNCTIONS["StartScan"]["Timeout"]


def test_a_batch_fails_in_part_only() -> None:
    events = [event for function in FUNCTIONS.values() for event in function.get("Events", {}).values()]
    polled = [event["Properties"] for event in events if event["Type"] in ("SQS", "DynamoDB")]
    assert [source["FunctionResponseTypes"] for source in polled] == [["ReportBatchItemFailures"]] * 2


@pytest.mark.parametrize("queue", QUEUES)
def test_each_queue_has_a_customer_managed_key_and_an_alarm(queue: str) -> None:
    assert "KmsMasterKeyId" in QUEUES[queue]
    watched = {
        text(dimension["Value"]) for alarm in ALARMS.values() for dimension in alarm.get("Dimensions", [])
        if dimension["Name"] == "QueueName"
    }  # fmt: skip
    assert text(QUEUES[queue]["QueueName"]) in watched


@pytest.mark.parametrize("alarm", ALARMS)
def test_each_alarm_says_what_to_do_and_reaches_somebody(alarm: str) -> None:
    assert len(ALARMS[alarm]["AlarmDescription"].split(". ")) >= 2
    assert ALARMS[alarm]["AlarmActions"] == [{"Ref": "AlertsTopicArn"}]


def test_the_functions_alarms_cover_every_function() -> None:
    names = {text(function["FunctionName"]) for function in FUNCTIONS.values()}
    for alarm in ("FunctionErrors", "FunctionThrottles"):
        metrics = [metric["MetricStat"]["Metric"] for metric in ALARMS[alarm]["Metrics"] if "MetricStat" in metric]
        assert {text(metric["Dimensions"][0]["Value"]) for metric in metrics} == names


def test_the_execution_log_holds_no_data() -> None:
    machine = properties("AWS::Serverless::StateMachine")["ScanMachine"]
    assert machine["Logging"]["IncludeExecutionData"] is False


def test_every_substitution_of_the_state_machine_is_given() -> None:
    machine = properties("AWS::Serverless::StateMachine")["ScanMachine"]
    used = set(re.findall(r"\$\{(\w+)\}", (ROOT / machine["DefinitionUri"]).read_text()))
    assert used == set(machine["DefinitionSubstitutions"])


def test_the_vendor_layer_is_pinned_by_hash() -> None:
    requirements = (ROOT / "layers/vendor/requirements.txt").read_text()
    packages = re.findall(
        r"^([a-z0-9][\w.\-\[\]]*)==\S+( ; [^\\]*)? \\\n    --hash=sha256:", requirements, re.MULTILINE
    )
    named = [line for line in requirements.splitlines() if re.match(r"[a-z0-9]", line)]
    assert len(packages) == len(named) > 10
    assert "boto3==" in requirements


def test_the_templates_use_no_yaml_that_cloudformation_refuses() -> None:
    # CloudFormation supports neither anchors nor aliases.
    for path in (ROOT / "template.yaml", *(ROOT / "stacks").glob("*.yaml")):
        tokens = list(yaml.scan(path.read_text()))
        assert not any(isinstance(token, yaml.AnchorToken | yaml.AliasToken) for token in tokens), path
