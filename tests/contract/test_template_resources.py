"""What the templates say of things: buckets, queues, functions, logs, the state machine and the alarms."""

import ast
import re
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from contract.templates import ROOT, STACKS, listed, properties, resources, statements, template, text
from tunegate import environment

BUCKETS = properties("AWS::S3::Bucket")
FUNCTIONS = properties("AWS::Serverless::Function")
QUEUES = properties("AWS::SQS::Queue")
ALARMS = properties("AWS::CloudWatch::Alarm")
MACHINES = properties("AWS::Serverless::StateMachine")
NETWORK = template("network")["Resources"]
LOG_GROUPS = properties("AWS::Logs::LogGroup")
OPTIONAL = {"GUARDRAIL_ID", "GUARDRAIL_VERSION"}


def settings_of(function: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names a function asks its environment for: in its own source, and through what it takes of `environment`."""
    tree = ast.parse((ROOT / function["CodeUri"] / "app.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    asking = [call for call in calls if ast.unparse(call.func) in ("setting", "names", "os.environ.get")]
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    return {ast.literal_eval(call.args[0]) for call in asking} | _asked_by(named, monkeypatch)


def _asked_by(names: set[str], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What `gate` and `deployed` of `tunegate.environment` read, found by calling them."""
    asked = set[str]()

    def ask(name: str, _: str = "") -> str:
        asked.add(name)
        return "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

    monkeypatch.setattr(environment, "setting", ask)
    monkeypatch.setattr(environment, "os", SimpleNamespace(environ=SimpleNamespace(get=ask)))
    monkeypatch.setattr(environment, "current_policy", lambda s3, bucket: None)
    if "gate" in names:
        environment.gate(lambda service: None)
    if "deployed" in names:
        environment.deployed()
    return asked


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
    kept = {
        (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
        for name, resource in resources(kind)
        if name != "Answers"  # holds nothing that cannot be asked for again
    }
    assert kept == {("RetainExceptOnCreate", "Retain")}


def test_the_answers_of_services_are_encrypted_and_forgotten() -> None:
    answers = properties("AWS::DynamoDB::Table")["Answers"]
    assert answers["SSESpecification"]["KMSMasterKeyId"] == {"Ref": "MessagingKeyArn"}
    assert answers["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}


def test_the_ledger_is_encrypted_backed_up_and_streamed() -> None:
    ledger = properties("AWS::DynamoDB::Table")["Ledger"]
    assert ledger["SSESpecification"]["KMSMasterKeyId"] == {"Ref": "MessagingKeyArn"}
    assert ledger["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert ledger["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_given_exactly_the_settings_it_asks_for(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = set(FUNCTIONS[function]["Environment"]["Variables"])
    assert given == settings_of(FUNCTIONS[function], monkeypatch)


def test_the_audit_knows_every_rule() -> None:
    rules = [text(rule["Name"]) for rule in properties("AWS::Events::Rule").values()]
    for function in FUNCTIONS.values():
        for event in function.get("Events", {}).values():
            named = {key: event["Properties"][key] for key in ("RuleName", "Name") if key in event["Properties"]}
            rules += map(text, named.values())
    told = FUNCTIONS["AuditEstate"]["Environment"]["Variables"]["RULE_NAMES"]["Fn::Join"][1]
    assert sorted(map(text, told)) == sorted(rules)


def test_a_setting_that_may_be_empty_is_not_a_required_one() -> None:
    source = (ROOT / "functions/scan_text/app.py").read_text()
    assert all(f'setting("{name}")' not in source for name in OPTIONAL)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_has_a_log_group_with_a_key_and_an_end(function: str) -> None:
    group = LOG_GROUPS[FUNCTIONS[function]["LoggingConfig"]["LogGroup"]["Ref"]]
    assert text(group["LogGroupName"]) == "/aws/lambda/" + text(FUNCTIONS[function]["FunctionName"])


@pytest.mark.parametrize("group", LOG_GROUPS)
def test_each_log_group_has_an_end_and_a_key_that_knows_it(group: str) -> None:
    assert {"KmsKeyId", "RetentionInDays"} <= LOG_GROUPS[group].keys()
    keys = properties("AWS::KMS::Key")["MessagingKey"]["KeyPolicy"]["Statement"]
    (logs,) = (statement for statement in keys if statement["Sid"] == "Logs")
    known = [
        text(arn).partition(":log-group:")[2]
        for arn in logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    ]
    name = text(LOG_GROUPS[group]["LogGroupName"])
    assert any(name.startswith(pattern.removesuffix("*")) for pattern in known)


def test_functions_are_traced_and_log_json() -> None:
    everywhere = template()["Globals"]["Function"]
    assert (everywhere["Tracing"], everywhere["LoggingConfig"]["LogFormat"]) == ("Active", "JSON")


@pytest.mark.parametrize(("queue", "reader"), [("UploadsQueue", "StartScan"), ("JobsQueue", "VerifyJob")])
def test_a_queue_waits_for_its_reader(queue: str, reader: str) -> None:
    # AWS: at least six times the function's timeout.
    assert QUEUES[queue]["VisibilityTimeout"] >= 6 * FUNCTIONS[reader]["Timeout"]


def test_a_batch_fails_in_part_only() -> None:
    events = [event for function in FUNCTIONS.values() for event in function.get("Events", {}).values()]
    polled = [event["Properties"] for event in events if event["Type"] in ("SQS", "DynamoDB")]
    assert [source["FunctionResponseTypes"] for source in polled] == [["ReportBatchItemFailures"]] * 3


def test_every_rule_keeps_what_it_could_not_deliver() -> None:
    # A schedule needs no such queue: its next event says the same.
    targets = [target for rule in properties("AWS::Events::Rule").values() for target in rule["Targets"]]
    events = [event for function in FUNCTIONS.values() for event in function.get("Events", {}).values()]
    targets += [event["Properties"] for event in events if event["Type"] == "EventBridgeRule"]
    assert len(targets) > 10
    assert all("DeadLetterConfig" in target for target in targets)


@pytest.mark.parametrize("queue", ["JobsQueue", "JobsDeadLetterQueue"])
def test_only_the_rules_on_jobs_write_to_their_queue(queue: str) -> None:
    (policy,) = (p for p in properties("AWS::SQS::QueuePolicy").values() if {"Ref": queue} in p["Queues"])
    (allowed,) = (s for s in statements(policy["PolicyDocument"]) if s["Effect"] == "Allow")
    senders = {text(arn).rpartition("/")[2] for arn in listed(allowed["Condition"]["ArnEquals"]["aws:SourceArn"])}
    rules = [rule for rule in properties("AWS::Events::Rule").values() if rule["Targets"][0]["Id"] == "jobs"]
    assert senders == {text(rule["Name"]) for rule in rules}


def test_no_rules_pattern_is_too_long() -> None:
    # EventBridge: 2,048 characters; names and key ARNs grow them by no more than half.
    for _, pattern in _patterns():
        assert len(str(pattern)) < 1400


def _patterns() -> list[tuple[str, Any]]:
    rules = [(name, rule["EventPattern"]) for name, rule in properties("AWS::Events::Rule").items()]
    for name, function in FUNCTIONS.items():
        events = function.get("Events", {}).values()
        rules += [(name, event["Properties"]["Pattern"]) for event in events if event["Type"] == "EventBridgeRule"]
    return rules


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


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_the_functions_alarms_cover_every_function(metric: str) -> None:
    names = {text(function["FunctionName"]) for function in FUNCTIONS.values()}
    watched = [
        [m["MetricStat"]["Metric"] for m in ALARMS[alarm]["Metrics"] if "MetricStat" in m]
        for alarm in (f"Function{metric}", f"JobFunction{metric}", f"ServiceFunction{metric}")
    ]
    assert {text(m["Dimensions"][0]["Value"]) for metrics in watched for m in metrics} == names
    # CloudWatch: an alarm on a metric math expression can refer to ten metrics.
    assert all(len(metrics) <= 10 for metrics in watched)


def test_the_silence_of_reconcile_is_not_missing_data() -> None:
    silence = ALARMS["ReconcileSilence"]
    assert (silence["TreatMissingData"], silence["ComparisonOperator"]) == ("breaching", "LessThanThreshold")
    assert f'count("{silence["MetricName"]}")' in (ROOT / "functions/reconcile/app.py").read_text()


@pytest.mark.parametrize("machine", MACHINES)
def test_the_execution_log_holds_no_data(machine: str) -> None:
    assert MACHINES[machine]["Logging"]["IncludeExecutionData"] is False


@pytest.mark.parametrize("machine", MACHINES)
def test_every_substitution_of_the_state_machine_is_given(machine: str) -> None:
    used = set(re.findall(r"\$\{(\w+)\}", (ROOT / MACHINES[machine]["DefinitionUri"]).read_text()))
    assert used == set(MACHINES[machine]["DefinitionSubstitutions"])


def test_following_a_job_for_two_weeks_fits_in_an_executions_history() -> None:
    definition = yaml.safe_load((ROOT / MACHINES["LaunchMachine"]["DefinitionUri"]).read_text())
    frequent = definition["States"]["Pace"]["Choices"][0]["NumericLessThan"]
    slow_polls = definition["TimeoutSeconds"] / definition["States"]["WaitLonger"]["Seconds"]
    # Two events a state, and three more for the task itself: Step Functions developer guide, HistoryEvent.
    events_a_poll = 2 * len(("Wait", "FollowJob", "Done", "Count", "Pace")) + 3
    assert (frequent + slow_polls) * events_a_poll < 25_000


def test_the_network_for_jobs_has_no_way_out() -> None:
    kinds = {resource["Type"] for resource in NETWORK.values()}
    assert not kinds & {
        "AWS::EC2::Route",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::NatGateway",
        "AWS::EC2::VPCPeeringConnection",
    }
    assert kinds >= {"AWS::EC2::VPC", "AWS::EC2::VPCEndpoint", "AWS::EC2::FlowLog"}
    assert NETWORK["Vpc"]["Properties"]["EnableDnsSupport"] is True


def test_jobs_are_in_two_zones_and_every_subnet_reaches_s3_privately() -> None:
    subnets = [name for name, resource in NETWORK.items() if resource["Type"] == "AWS::EC2::Subnet"]
    routed = [r["Properties"] for r in NETWORK.values() if r["Type"] == "AWS::EC2::SubnetRouteTableAssociation"]
    assert len({str(NETWORK[name]["Properties"]["AvailabilityZone"]) for name in subnets}) == len(subnets) == 2
    assert {association["SubnetId"]["Ref"] for association in routed} == set(subnets)
    tables = NETWORK["S3Endpoint"]["Properties"]["RouteTableIds"]
    assert all(association["RouteTableId"] in tables for association in routed)


def test_the_s3_endpoint_names_two_buckets_and_this_account() -> None:
    document = NETWORK["S3Endpoint"]["Properties"]["PolicyDocument"]
    reached = {text(resource) for statement in statements(document) for resource in statement["Resource"]}
    assert reached == {
        f"arn:${{AWS::Partition}}:s3:::${{{name}}}{path}"
        for name in ("ApprovedBucket", "OutputBucket")
        for path in ("", "/*")
    }
    account = {"Ref": "AWS::AccountId"}
    for statement in statements(document):
        assert statement["Effect"] == "Allow"
        assert statement["Condition"]["StringEquals"] == {
            "aws:PrincipalAccount": account,
            "aws:ResourceAccount": account,
        }


def test_no_security_group_lets_anything_in_from_outside_or_out_to_everywhere() -> None:
    groups = properties("AWS::EC2::SecurityGroup")
    rules = [rule for group in groups.values() for rule in group.get("SecurityGroupIngress", [])]
    assert [set(rule) & {"CidrIp", "CidrIpv6"} for rule in rules] == [set()]
    for group in groups.values():
        # AWS gives a group without a rule for going out one to everywhere.
        assert group["SecurityGroupEgress"]
        assert all(rule.get("CidrIp") != "0.0.0.0/0" for rule in group["SecurityGroupEgress"])
    (out,) = groups["JobsSecurityGroup"]["SecurityGroupEgress"]
    assert "DestinationPrefixListId" in out
    assert "SecurityGroupIngress" not in groups["JobsSecurityGroup"]


def test_the_trail_records_calls_and_who_touches_training_data() -> None:
    trail = properties("AWS::CloudTrail::Trail")["Trail"]
    (selector,) = trail["EventSelectors"]
    assert (selector["ReadWriteType"], selector["IncludeManagementEvents"]) == ("All", True)
    objects = next(data["Values"] for data in selector["DataResources"] if data["Type"] == "AWS::S3::Object")
    assert {text(arn).rpartition(".")[2] for arn in objects} == {
        f"{name}Bucket}}/" for name in ("Intake", "Approved", "Quarantine", "Output", "Evidence", "Policy")
    }
    assert trail["EnableLogFileValidation"] is True
    assert "KMSKeyId" in trail


def test_whoever_brings_a_network_says_which_part_of_it_is_for_jobs() -> None:
    rule = template()["Rules"]["OwnNetwork"]
    asked = {assertion["Assert"]["Fn::Not"][0]["Fn::Equals"][0]["Ref"] for assertion in rule["Assertions"]}
    assert asked == {"SubnetIds", "SecurityGroupIds"}


@pytest.mark.parametrize("name", ["template", *STACKS])
def test_the_templates_stay_within_cloudformations_limits(name: str) -> None:
    # 500 resources, 200 parameters, 200 outputs; SAM makes up to three resources of a function and its events.
    loaded = template(name)
    assert len(loaded["Resources"]) < 150
    assert len(loaded.get("Parameters", {})) < 200
    assert len(loaded.get("Outputs", {})) < 200


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
