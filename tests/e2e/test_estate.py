"""For each control of the estate: take that protection away, and the audit names it, and nothing else."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from e2e.conftest import Deployment, wait_for
from e2e.job_world import JobWorld
from tunegate.judge.controls.table import ESTATE_CONTROLS


@pytest.fixture(scope="module")
def world(deployment: Deployment) -> JobWorld:
    return JobWorld(deployment)


def audited(world: JobWorld) -> dict[str, dict[str, Any]]:
    return {state["control"]: state for state in world.invoke("AuditFunction")["controls"]}


def broken(world: JobWorld) -> set[str]:
    return {control for control, state in audited(world).items() if state["state"] != "pass"}


def test_what_was_deployed_passes_every_control(world: JobWorld) -> None:
    states = audited(world)
    assert set(states) == {control.id for control in ESTATE_CONTROLS}
    assert {control: state["details"] for control, state in states.items() if state["state"] != "pass"} == {}


# --- One protection less ---

type Fault = Callable[[JobWorld], Any]


@contextmanager
def restored(undo: Callable[[], Any]) -> Iterator[None]:
    try:
        yield
    finally:
        undo()


@contextmanager
def role_deleted(world: JobWorld) -> Iterator[None]:
    """A service role that is gone stands for all that is deployed: it is the one that is easily made again."""
    iam, name = world.client("iam"), world.output("ModelImportRoleArn").rsplit("/", 1)[1]
    role = iam.get_role(RoleName=name)["Role"]
    policies = {
        policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    }
    for policy in policies:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)
    try:
        yield
    finally:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(role["AssumeRolePolicyDocument"]))
        for policy, document in policies.items():
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))


@contextmanager
def other_default_key(world: JobWorld) -> Iterator[None]:
    s3, name = world.client("s3"), world.output("EvidenceBucket")
    before = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]
    other = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=other)
    with restored(lambda: s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=before)):
        yield


@contextmanager
def no_versions(world: JobWorld) -> Iterator[None]:
    s3, name = world.client("s3"), world.output("OutputBucket")

    def set_to(status: str) -> None:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})

    set_to("Suspended")
    with restored(lambda: set_to("Enabled")):
        yield


@contextmanager
def public(world: JobWorld) -> Iterator[None]:
    s3, name = world.client("s3"), world.output("OutputBucket")
    before = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=before | {"BlockPublicPolicy": False})
    with restored(lambda: s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=before)):
        yield


@contextmanager
def policy_without(world: JobWorld, bucket: str, sid: str) -> Iterator[None]:
    s3, name = world.client("s3"), world.output(bucket)
    before = s3.get_bucket_policy(Bucket=name)["Policy"]
    document = json.loads(before)
    document["Statement"] = [statement for statement in document["Statement"] if statement["Sid"] != sid]
    assert len(document["Statement"]) == len(json.loads(before)["Statement"]) - 1
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(document))
    with restored(lambda: s3.put_bucket_policy(Bucket=name, Policy=before)):
        yield


@contextmanager
def policy_that_spares(world: JobWorld) -> Iterator[None]:
    s3, name = world.client("s3"), world.output("ApprovedBucket")
    before = s3.get_bucket_policy(Bucket=name)["Policy"]
    document = json.loads(before)
    [statement] = [statement for statement in document["Statement"] if statement["Sid"] == "OnlyCleanIsRead"]
    spared = statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
    statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"] = [*spared, "arn:aws:iam::111122223333:role/curious"]
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(document))
    with restored(lambda: s3.put_bucket_policy(Bucket=name, Policy=before)):
        yield


@contextmanager
def no_access_log(world: JobWorld) -> Iterator[None]:
    s3, name = world.client("s3"), world.output("OutputBucket")
    before = s3.get_bucket_logging(Bucket=name)["LoggingEnabled"]
    s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={})
    with restored(lambda: s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={"LoggingEnabled": before})):
        yield


@contextmanager
def no_events(world: JobWorld) -> Iterator[None]:
    s3, name = world.client("s3"), world.output("PolicyBucket")
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={})
    on: dict[str, Any] = {"EventBridgeConfiguration": {}}
    with restored(lambda: s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=on)):
        yield


@contextmanager
def no_retention(world: JobWorld) -> Iterator[None]:
    s3, name = world.client("s3"), world.output("QuarantineBucket")
    before = s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
    s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    with restored(lambda: s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=before)):
        yield


@contextmanager
def key_disabled(world: JobWorld) -> Iterator[None]:
    kms, key = world.client("kms"), world.output("ModelKeyArn")
    kms.disable_key(KeyId=key)
    with restored(lambda: kms.enable_key(KeyId=key)):
        yield


@contextmanager
def key_not_rotated(world: JobWorld) -> Iterator[None]:
    kms, key = world.client("kms"), world.output("ModelKeyArn")
    kms.disable_key_rotation(KeyId=key)
    with restored(lambda: kms.enable_key_rotation(KeyId=key)):
        yield


@contextmanager
def key_open(world: JobWorld) -> Iterator[None]:
    kms, key = world.client("kms"), world.output("ModelKeyArn")
    before = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    document = json.loads(before)
    document["Statement"].append({"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"})
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(document))
    with restored(lambda: kms.put_key_policy(KeyId=key, PolicyName="default", Policy=before)):
        yield


@contextmanager
def role_trusts_people(world: JobWorld) -> Iterator[None]:
    iam, name = world.client("iam"), world.output("ModelImportRoleArn").rsplit("/", 1)[1]
    before = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    people = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}
    changed = before | {"Statement": [*before["Statement"], people]}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(changed))
    with restored(lambda: iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(before))):
        yield


@contextmanager
def way_out(world: JobWorld) -> Iterator[None]:
    ec2, table = world.client("ec2"), table_of(world)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=world.output("VpcId"))
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    with restored(lambda: ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")):
        yield


@contextmanager
def open_endpoint(world: JobWorld) -> Iterator[None]:
    ec2 = world.client("ec2")
    [endpoint] = [
        endpoint
        for endpoint in ec2.describe_vpc_endpoints()["VpcEndpoints"]
        if endpoint["VpcEndpointType"] == "Gateway" and endpoint["VpcId"] == world.output("VpcId")
    ]
    everything = [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]
    document = json.dumps({"Version": "2012-10-17", "Statement": everything})
    before, name = endpoint["PolicyDocument"], endpoint["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=name, PolicyDocument=document)
    with restored(lambda: ec2.modify_vpc_endpoint(VpcEndpointId=name, PolicyDocument=before)):
        yield


@contextmanager
def no_dns(world: JobWorld) -> Iterator[None]:
    ec2, vpc = world.client("ec2"), world.output("VpcId")
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": False})
    with restored(lambda: ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": True})):
        yield


@contextmanager
def no_flow_logs(world: JobWorld) -> Iterator[None]:
    ec2, vpc = world.client("ec2"), world.output("VpcId")
    [log] = ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [vpc]}])["FlowLogs"]
    ec2.delete_flow_logs(FlowLogIds=[log["FlowLogId"]])
    members = ("TrafficType", "LogDestinationType", "DeliverLogsPermissionArn", "LogGroupName", "LogDestination")
    again = {name: log[name] for name in members if name in log}
    with restored(lambda: ec2.create_flow_logs(ResourceIds=[vpc], ResourceType="VPC", **again)):
        yield


@contextmanager
def rule_disabled(world: JobWorld) -> Iterator[None]:
    events, name = world.client("events"), f"{world.output('JobsQueueUrl').rsplit('/', 1)[1].rsplit('-', 1)[0]}-uploads"
    events.disable_rule(Name=name)
    with restored(lambda: events.enable_rule(Name=name)):
        yield


@contextmanager
def trail_stopped(world: JobWorld) -> Iterator[None]:
    cloudtrail = world.client("cloudtrail")
    [trail] = cloudtrail.describe_trails()["trailList"]
    cloudtrail.stop_logging(Name=trail["TrailARN"])
    with restored(lambda: cloudtrail.start_logging(Name=trail["TrailARN"])):
        yield


@contextmanager
def no_data_events(world: JobWorld) -> Iterator[None]:
    cloudtrail = world.client("cloudtrail")
    [trail] = cloudtrail.describe_trails()["trailList"]
    name = trail["TrailARN"]
    selectors = cloudtrail.get_event_selectors(TrailName=name)
    before = {key: selectors[key] for key in ("EventSelectors", "AdvancedEventSelectors") if selectors.get(key)}
    fewer = [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}]
    cloudtrail.put_event_selectors(TrailName=name, EventSelectors=fewer)
    with restored(lambda: cloudtrail.put_event_selectors(TrailName=name, **before)):
        yield


def logging_config(world: JobWorld) -> dict[str, Any]:
    return dict(world.client("bedrock").get_model_invocation_logging_configuration()["loggingConfig"])


@contextmanager
def logging_as(world: JobWorld, config: dict[str, Any] | None) -> Iterator[None]:
    bedrock, before = world.client("bedrock"), logging_config(world)
    if config is None:
        bedrock.delete_model_invocation_logging_configuration()
    else:
        bedrock.put_model_invocation_logging_configuration(loggingConfig=config)
    with restored(lambda: bedrock.put_model_invocation_logging_configuration(loggingConfig=before)):
        yield


@contextmanager
def logs_without_key(world: JobWorld) -> Iterator[None]:
    logs, iam = world.client("logs"), world.client("iam")
    logs.create_log_group(logGroupName="keyless")
    trust = {"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="e2e-keyless", AssumeRolePolicyDocument=_document([trust]))["Role"]["Arn"]
    writes = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}
    iam.put_role_policy(RoleName="e2e-keyless", PolicyName="writes", PolicyDocument=_document([writes]))
    config = logging_config(world)
    config["cloudWatchConfig"] = config["cloudWatchConfig"] | {"logGroupName": "keyless", "roleArn": role}
    with restored(lambda: logs.delete_log_group(logGroupName="keyless")), logging_as(world, config):
        yield


@contextmanager
def logs_open(world: JobWorld) -> Iterator[None]:
    s3, name = world.client("s3"), "tunegate-e2e-open-logs"
    s3.create_bucket(Bucket=name)
    bedrock = {"Service": "bedrock.amazonaws.com"}
    writes = {"Effect": "Allow", "Principal": bedrock, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{name}/*"}
    s3.put_bucket_policy(Bucket=name, Policy=_document([writes]))
    s3.delete_public_access_block(Bucket=name)
    owner = {"AWS": f"arn:aws:iam::{world.output('ModelKeyArn').split(':')[4]}:root"}
    encrypts = {"Effect": "Allow", "Principal": bedrock, "Action": "kms:GenerateDataKey", "Resource": "*"}
    owns = {"Effect": "Allow", "Principal": owner, "Action": "kms:*", "Resource": "*"}
    made = world.client("kms").create_key(Policy=_document([owns, encrypts]))["KeyMetadata"]["Arn"]
    key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": made}
    s3.put_bucket_encryption(
        Bucket=name, ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": key}]}
    )
    with logging_as(world, logging_config(world) | {"s3Config": {"bucketName": name}}):
        yield


@contextmanager
def macie_off(world: JobWorld) -> Iterator[None]:
    macie = world.client("macie2")
    macie.disable_macie()
    with restored(macie.enable_macie):
        yield


@contextmanager
def expiring(world: JobWorld) -> Iterator[None]:
    s3, name = world.client("s3"), world.output("EvidenceBucket")
    before = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    tidy = {"ID": "Tidy", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}

    def put(rules: list[dict[str, Any]]) -> None:
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})

    put([*before, tidy])
    with restored(lambda: put(before)):
        yield


@contextmanager
def gate_role_given_more(world: JobWorld) -> Iterator[None]:
    iam = world.client("iam")
    configuration = world.client("lambda").get_function_configuration(FunctionName=world.output("VerifyJobFunction"))
    name = configuration["Role"].rsplit("/", 1)[1]
    more = [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]
    iam.put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=_document(more))
    with restored(lambda: iam.delete_role_policy(RoleName=name, PolicyName="more")):
        yield


@contextmanager
def topic_denies(world: JobWorld) -> Iterator[None]:
    """To nobody there is, so that the alert about it arrives."""
    sns, topic = world.client("sns"), world.output("AlertsTopicArn")
    before = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    nobody = {"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/nobody"}}
    quiet = {"Sid": "Quiet", "Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": topic}
    document = _document([*json.loads(before)["Statement"], quiet | {"Condition": nobody}])

    def put(policy: str) -> None:
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)

    put(document)
    with restored(lambda: put(before)):
        yield


@contextmanager
def ledger_open(world: JobWorld) -> Iterator[None]:
    dynamodb = world.client("dynamodb")
    arn = dynamodb.describe_table(TableName=world.output("LedgerTable"))["Table"]["TableArn"]
    before = dynamodb.get_resource_policy(ResourceArn=arn)["Policy"]
    dynamodb.delete_resource_policy(ResourceArn=arn)
    with restored(lambda: dynamodb.put_resource_policy(ResourceArn=arn, Policy=before)):
        yield


@contextmanager
def mapping_off(world: JobWorld) -> Iterator[None]:
    functions = world.client("lambda")
    [mapping] = functions.list_event_source_mappings(FunctionName=world.output("VerifyJobFunction"))[
        "EventSourceMappings"
    ]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    with restored(lambda: functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)):
        yield


def table_of(world: JobWorld) -> str:
    tables = world.client("ec2").describe_route_tables(
        Filters=[{"Name": "association.subnet-id", "Values": [world.vpc()["subnetIds"][0]]}]
    )["RouteTables"]
    return str(tables[0]["RouteTableId"])


FAULTS: dict[str, Fault] = {
    "estate.deployed": role_deleted,
    "estate.bucket_keys": other_default_key,
    "estate.bucket_versioning": no_versions,
    "estate.bucket_public_access": public,
    "estate.bucket_tls": lambda world: policy_without(world, "EvidenceBucket", "OnlyOverTls"),
    "estate.bucket_guarantees": lambda world: policy_without(world, "ApprovedBucket", "OnlyCleanIsRead"),
    "estate.bucket_logging": no_access_log,
    "estate.bucket_events": no_events,
    "estate.object_lock": no_retention,
    "estate.bucket_lifecycle": expiring,
    "estate.keys_enabled": key_disabled,
    "estate.keys_rotate": key_not_rotated,
    "estate.keys_closed": key_open,
    "estate.roles_trusted": role_trusts_people,
    "estate.no_way_out": way_out,
    "estate.s3_endpoint": open_endpoint,
    "estate.dns_support": no_dns,
    "estate.flow_logs": no_flow_logs,
    "estate.rules_enabled": rule_disabled,
    "estate.gate_roles": gate_role_given_more,
    "estate.ledger_closed": ledger_open,
    "estate.alerts_reach_somebody": topic_denies,
    "estate.mappings_enabled": mapping_off,
    "estate.trail": trail_stopped,
    "estate.trail_data_events": no_data_events,
    "estate.invocation_logging": lambda world: logging_as(world, None),
    "estate.invocation_log_keys": logs_without_key,
    "estate.invocation_logs_closed": logs_open,
    "estate.macie": macie_off,
}
# Where one protection implies another, both are told.
TOGETHER = {"estate.trail": {"estate.trail", "estate.trail_data_events"}}
# A subnet in use cannot be deleted; the unit tests judge that.
BY_UNIT_TESTS = {"estate.subnets"}


def test_every_control_of_the_estate_has_a_fault_here() -> None:
    assert set(FAULTS) | BY_UNIT_TESTS == {control.id for control in ESTATE_CONTROLS}


@pytest.mark.parametrize("control", FAULTS)
def test_a_protection_taken_away_is_found_and_told_by_its_control(world: JobWorld, control: str) -> None:
    with FAULTS[control](world):
        assert broken(world) == TOGETHER.get(control, {control})
        assert world.alert_on("estate", control)
    assert broken(world) == set()


def test_a_statement_that_spares_somebody_new_is_found(world: JobWorld) -> None:
    with policy_that_spares(world):
        state = audited(world)["estate.bucket_guarantees"]
    assert state["state"] == "fail"
    assert "role/curious" in state["details"][0]


def test_a_change_to_a_bucket_policy_is_told_without_anybody_asking(world: JobWorld) -> None:
    assert broken(world) == set()
    told = len(world.alerts("estate"))
    with policy_without(world, "QuarantineBucket", "NobodyDeletes"):
        wait_for("the drift alert", lambda: len(world.alerts("estate")) > told or None)
    assert broken(world) == set()


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
