"""What the templates say of who may do what: roles, permissions, keys and bucket policies."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from contract.templates import listed, properties, statements, template, text

# Actions for which AWS takes no resource but "*" (Service Authorization Reference): they list, describe the whole
# account or Region, create what has no name yet, or act on text that is sent along.
WITHOUT_RESOURCE = {
    "bedrock:CreateModelImportJob",
    "bedrock:DeleteModelInvocationLoggingConfiguration",
    "bedrock:GetModelInvocationLoggingConfiguration",
    "bedrock:InvokeGuardrailChecks",
    "bedrock:ListCustomModelDeployments",
    "bedrock:ListCustomModels",
    "bedrock:ListImportedModels",
    "bedrock:ListModelCopyJobs",
    "bedrock:ListModelCustomizationJobs",
    "bedrock:ListModelImportJobs",
    "bedrock:ListProvisionedModelThroughputs",
    "bedrock:PutModelInvocationLoggingConfiguration",
    "cloudtrail:DescribeTrails",
    "comprehend:ContainsPiiEntities",
    "comprehend:DetectPiiEntities",
    "comprehend:DetectToxicContent",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeFlowLogs",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeVpcs",
    "lambda:ListEventSourceMappings",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "macie2:GetClassificationExportConfiguration",
    "macie2:GetMacieSession",
    "macie2:PutClassificationExportConfiguration",
    "states:SendTaskSuccess",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
# Actions that reach every bucket of the account, for a job or a log may name any. They read settings, never an object.
OF_ANY_BUCKET = {"s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration"}
PERMISSIONS = properties("AWS::IAM::Policy")
ROLES = properties("AWS::IAM::Role")
KEYS = properties("AWS::KMS::Key")
BUCKET_POLICIES = properties("AWS::S3::BucketPolicy")
UNDER_A_CMK = sorted(name for name in BUCKET_POLICIES if name != "LogsBucketPolicy")


def granted(policy: str) -> list[tuple[str, str]]:
    """Every (action, resource) a role's policy allows."""
    return [
        (action, text(resource))
        for statement in statements(PERMISSIONS[policy]["PolicyDocument"])
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]


def authorization() -> dict[str, Any]:
    """The Service Authorization Reference as cfn-lint carries it: service → Actions → action in lower case."""
    found = importlib.util.find_spec("cfnlint")
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parent / "data/AdditionalSpecs/Policies.json"
    reference: dict[str, Any] = json.loads(path.read_text())
    return reference


def statement(policy: str, sid: str) -> dict[str, Any]:
    (found,) = (s for s in statements(PERMISSIONS[policy]["PolicyDocument"]) if s["Sid"] == sid)
    return found


def holders(action: str) -> set[str]:
    """Whom an action is granted, by the name of the policy."""
    return {policy for policy in PERMISSIONS for granted_action, _ in granted(policy) if granted_action == action}


def of_key(key: str, sid: str) -> dict[str, Any]:
    (found,) = (s for s in statements(KEYS[key]["KeyPolicy"]) if s["Sid"] == sid)
    return found


def principals(statement: dict[str, Any]) -> set[str]:
    return {role["Ref"].removesuffix("RoleArn") for role in listed(statement["Principal"]["AWS"])}


def denied(policy: str, action: str) -> list[dict[str, Any]]:
    document = BUCKET_POLICIES[policy]["PolicyDocument"]
    return [s for s in statements(document) if s["Effect"] == "Deny" and action in listed(s["Action"])]


def exempted(statement: dict[str, Any]) -> set[str]:
    """The roles a Deny does not bind, break glass aside."""
    roles = listed(statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"])
    names = {role["Ref"].removesuffix("RoleArn") for role in roles if "Ref" in role}
    return names | {text(role).rpartition("/")[2] for role in roles if "Fn::Sub" in role}


def test_each_role_has_one_policy_and_each_policy_one_role() -> None:
    roles = {text(role["RoleName"]) for role in ROLES.values()}
    granted_to = [text(role) for policy in PERMISSIONS.values() for role in policy["Roles"]]
    assert sorted(granted_to) == sorted(roles)


def test_each_function_has_a_role_of_its_own() -> None:
    roles = [str(function["Role"]) for function in properties("AWS::Serverless::Function").values()]
    assert len(set(roles)) == len(roles)


# By the name of the policy: the partitions of the ledger that a role may read and write. People read all of it.
PARTITIONS = {
    "SettleObject": {"object#*"},
    "HoldObject": {"object#*"},
    "ReleaseObject": {"object#*"},
    "GatherModels": {"object#*"},
    # Of prefixes only: the rows that stand for whole models.
    "RecordUpload": {"object#*/"},
    "SendAlert": {"alert#*"},
    "AcceptPolicy": {"policy#*"},
    "AwaitAnswer": {"wait#*"},
    "TakeAnswer": {"wait#*"},
    "AskMacie": {"wait#*", "macie#approved"},
    "RevokeObject": {"object#*"},
    "VerifyJob": {"subject#*", "object#*"},
    "Reconcile": {"subject#*", "object#*"},
    "AuditEstate": {"subject#estate"},
    "FollowJob": {"subject#*"},
}
WRITES = ("dynamodb:PutItem", "dynamodb:UpdateItem")


def on_the_ledger(policy: str) -> list[dict[str, Any]]:
    """A role's statements on the table's rows; its index is read whole, and its policy holds none."""
    return [
        s
        for s in statements(PERMISSIONS[policy]["PolicyDocument"])
        if listed(s["Action"]) != ["dynamodb:GetResourcePolicy"]
        and any(text(resource).endswith("table/${LedgerTable}") for resource in listed(s["Resource"]))
    ]


def leading_keys(statement: dict[str, Any]) -> list[str]:
    return listed(statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])


@pytest.mark.parametrize("policy", sorted(set(PERMISSIONS) - {"Operator"}))
def test_each_role_is_held_to_its_own_partitions_of_the_ledger(policy: str) -> None:
    found = {key for statement in on_the_ledger(policy) for key in leading_keys(statement)}
    assert found == PARTITIONS.get(policy, set())


def test_nobody_writes_what_another_decides() -> None:
    writers: dict[str, set[str]] = {}
    for policy in PARTITIONS:
        for s in on_the_ledger(policy):
            if set(listed(s["Action"])) & set(WRITES):
                for key in leading_keys(s):
                    writers.setdefault(key.partition("#")[0], set()).add(policy)
    assert writers["alert"] == {"SendAlert"}
    assert writers["policy"] == {"AcceptPolicy"}
    assert writers["subject"] == {"VerifyJob", "AuditEstate"}
    assert writers["object"] == {"SettleObject", "HoldObject", "ReleaseObject", "RevokeObject", "RecordUpload"}


def test_the_audit_looks_at_the_role_of_every_function_and_state_machine() -> None:
    environment = properties("AWS::Serverless::Function")["AuditEstate"]["Environment"]["Variables"]
    of_services = {
        text(role["RoleName"]).removeprefix("${Prefix}-")
        for role in ROLES.values()
        for s in statements(role["AssumeRolePolicyDocument"])
        if s["Principal"].get("Service") in ("lambda.amazonaws.com", "states.amazonaws.com")
    }
    assert set(environment["GATE_ROLES"].split(",")) == of_services


def test_the_audit_looks_at_every_function_that_a_queue_or_stream_calls() -> None:
    functions = properties("AWS::Serverless::Function")
    environment = functions["AuditEstate"]["Environment"]["Variables"]
    mapped = {
        text(function["FunctionName"])
        for function in functions.values()
        for event in function.get("Events", {}).values()
        if event["Type"] in ("SQS", "DynamoDB")
    }
    assert set(text(environment["MAPPED_FUNCTIONS"]).split(",")) == mapped


@pytest.mark.parametrize("policy", PERMISSIONS)
def test_no_action_is_a_wildcard(policy: str) -> None:
    assert [action for action, _ in granted(policy) if "*" in action] == []


@pytest.mark.parametrize("policy", PERMISSIONS)
def test_a_resource_is_everything_only_where_aws_takes_no_other(policy: str) -> None:
    assert {action for action, resource in granted(policy) if resource == "*"} <= WITHOUT_RESOURCE


@pytest.mark.parametrize("action", sorted(WITHOUT_RESOURCE - {"bedrock:InvokeGuardrailChecks"}))
def test_aws_takes_no_resource_for_what_is_allowed_on_everything(action: str) -> None:
    # InvokeGuardrailChecks is newer than the reference.
    service, _, name = action.partition(":")
    assert not authorization()[service]["Actions"][name.lower()].get("Resources")


@pytest.mark.parametrize("policy", PERMISSIONS)
def test_every_bucket_is_reached_for_its_settings_only_and_in_this_account(policy: str) -> None:
    for allowed in statements(PERMISSIONS[policy]["PolicyDocument"]):
        if any(text(resource).endswith(":s3:::*") for resource in listed(allowed["Resource"])):
            assert set(listed(allowed["Action"])) <= OF_ANY_BUCKET
            assert allowed["Condition"] == {"StringEquals": {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}}


def test_only_the_gate_is_granted_writes_to_what_bedrock_reads() -> None:
    writers = {
        policy for policy in PERMISSIONS for action, to in granted(policy)
        if action in ("s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging") and "${ApprovedBucket}" in to
    }  # fmt: skip
    assert writers == {"SettleObject", "HoldObject", "ReleaseObject", "RevokeObject"}
    assert "s3:PutObject" not in {action for action, to in granted("RevokeObject") if "${ApprovedBucket}" in to}


@pytest.mark.parametrize(
    ("policy", "buckets"),
    [("ModelCustomization", {"ApprovedBucket", "OutputBucket"}), ("ModelImport", {"ApprovedBucket"})],
)
def test_bedrock_reaches_the_buckets_it_needs(policy: str, buckets: set[str]) -> None:
    reached = {to for action, to in granted(policy) if action.startswith("s3:")}
    assert reached == {f"arn:${{AWS::Partition}}:s3:::${{{name}}}{path}" for name in buckets for path in ("", "/*")}


@pytest.mark.parametrize(
    ("role", "service", "source"),
    [
        ("ScanMachineRole", "states.amazonaws.com", "states:.*:stateMachine:${Prefix}-scan"),
        ("ModelScanMachineRole", "states.amazonaws.com", "states:.*:stateMachine:${Prefix}-scan-model"),
        (
            "MalwareProtectionRole",
            "malware-protection-plan.guardduty.amazonaws.com",
            "guardduty:.*:malware-protection-plan/*",
        ),
        ("LaunchMachineRole", "states.amazonaws.com", "states:.*:stateMachine:${Prefix}-launch"),
        ("ModelCustomizationRole", "bedrock.amazonaws.com", "bedrock:.*:model-customization-job/*"),
        ("ModelImportRole", "bedrock.amazonaws.com", "bedrock:.*:model-import-job/*"),
        ("InvocationLoggingRole", "bedrock.amazonaws.com", "bedrock:.*:*"),
        ("FlowLogsRole", "vpc-flow-logs.amazonaws.com", "ec2:.*:vpc-flow-log/*"),
    ],
)
def test_services_assume_roles_for_this_account_and_purpose_only(role: str, service: str, source: str) -> None:
    (trust,) = ROLES[role]["AssumeRolePolicyDocument"]["Statement"]
    where = "${AWS::Region}:${AWS::AccountId}"
    assert trust["Principal"] == {"Service": service}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    expected = "arn:${AWS::Partition}:" + source.replace(".*", where)
    assert text(trust["Condition"]["ArnLike"]["aws:SourceArn"]) == expected


def test_only_launching_creates_jobs() -> None:
    assert holders("bedrock:CreateModelCustomizationJob") == holders("bedrock:CreateModelImportJob") == {"LaunchJob"}
    creating = {
        action for policy in PERMISSIONS for action, _ in granted(policy) if action.startswith("bedrock:Create")
    }
    assert creating == {"bedrock:CreateModelCustomizationJob", "bedrock:CreateModelImportJob"}


def test_roles_are_passed_to_bedrock_only_and_by_whom_it_concerns() -> None:
    assert holders("iam:PassRole") == {"LaunchJob", "ConfigureLogging"}
    for policy, sid in (("LaunchJob", "PassServiceRoles"), ("ConfigureLogging", "PassLoggingRole")):
        passing = statement(policy, sid)
        assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}}
    passed = {text(role).rpartition("/")[2] for role in statement("LaunchJob", "PassServiceRoles")["Resource"]}
    assert passed == {"${Prefix}-model-customization", "${Prefix}-model-import"}


def test_only_verification_gives_a_verdict() -> None:
    assert holders("bedrock:TagResource") == {"VerifyJob", "LaunchJob"}
    assert holders("bedrock:UntagResource") == set()
    mark = statement("VerifyJob", "Mark")["Condition"]
    assert mark["ForAllValues:StringLike"] == {"aws:TagKeys": "tunegate-*"}
    assert statement("LaunchJob", "Tag")["Condition"] == {"Null": {"aws:RequestTag/tunegate-verdict": "true"}}


def test_only_verification_stops_and_withdraws() -> None:
    acts = {
        action
        for policy in PERMISSIONS
        for action, _ in granted(policy)
        if action.startswith(("bedrock:Delete", "bedrock:Stop"))
    }
    assert {action: holders(action) for action in acts - {"bedrock:DeleteModelInvocationLoggingConfiguration"}} == {
        action: {"VerifyJob"}
        for action in (
            "bedrock:StopModelCustomizationJob",
            "bedrock:DeleteCustomModelDeployment",
            "bedrock:DeleteImportedModel",
            "bedrock:DeleteProvisionedModelThroughput",
        )
    }


@pytest.mark.parametrize("policy", ["VerifyJob", "AuditEstate"])
def test_who_judges_jobs_has_no_key_to_what_they_read(policy: str) -> None:
    # IAM lets them use the data key; the key's own policy says for which bucket.
    for use in statements(KEYS["DataKey"]["KeyPolicy"]):
        if "AWS" in use["Principal"] and {"Ref": f"{policy}RoleArn"} in listed(use["Principal"]["AWS"]):
            contexts = use["Condition"]["ArnLike"]["kms:EncryptionContext:aws:s3:arn"]
            assert all("-evidence-" in text(context) or "-policy-" in text(context) for context in contexts), use["Sid"]


def test_models_are_invoked_when_approved_from_inside_and_under_a_guardrail() -> None:
    assert holders("bedrock:InvokeModel") == holders("bedrock:InvokeModelWithResponseStream") == {"Invoker"}
    invoke = statement("Invoker", "InvokeApproved")
    assert {text(resource).rpartition(":")[2] for resource in invoke["Resource"]} == {
        "custom-model-deployment/*",
        "imported-model/*",
        "provisioned-model/*",
    }
    assert invoke["Condition"]["StringEquals"] == {
        "aws:ResourceTag/tunegate-verdict": ["approved", "tolerated"],
        "aws:SourceVpce": {"Ref": "InvokerEndpointId"},
    }
    named, any_of_ours = invoke["Condition"]["StringLike"]["bedrock:GuardrailIdentifier"]["Fn::If"][1:]
    assert [text(arn).rpartition("/")[2] for arn in named] == ["${InvokerGuardrailId}", "${InvokerGuardrailId}:*"]
    assert [text(arn).rpartition("/")[2] for arn in any_of_ours] == ["*"]


def test_the_model_key_is_for_whom_launches_and_whom_invokes() -> None:
    through = {"StringEquals": {"kms:ViaService": {"Fn::Sub": "bedrock.${AWS::Region}.amazonaws.com"}}}
    make, use = of_key("ModelKey", "MakeModels"), of_key("ModelKey", "UseModels")
    assert (principals(make), make["Condition"]) == ({"LaunchJob"}, through)
    assert (principals(use), use["Condition"]) == ({"Invoker"}, through)
    assert "kms:CreateGrant" in make["Action"]
    assert "kms:CreateGrant" not in use["Action"]


@pytest.mark.parametrize(
    ("policy", "tag"),
    [
        ("ModelCustomization", "BedrockModelCustomizationJobArn"),
        ("ModelImport", "BedrockModelImportJobArn"),
    ],
)
def test_a_service_role_places_interfaces_of_its_jobs_in_the_subnets_for_jobs(policy: str, tag: str) -> None:
    assert statement(policy, "PlaceInSubnets")["Resource"] == {"Ref": "SubnetArns"}
    assert statement(policy, "PlaceInSecurityGroups")["Resource"] == {"Ref": "SecurityGroupArns"}
    requested, used = statement(policy, "PlaceInterfaces")["Condition"], statement(policy, "UseInterfaces")["Condition"]
    assert f"aws:RequestTag/{tag}" in requested["ArnLike"]
    assert f"ec2:ResourceTag/{tag}" in used["ArnLike"]
    assert used["ArnEquals"] == {"ec2:Subnet": {"Ref": "SubnetArns"}}
    tagging = statement(policy, "TagInterfaces")["Condition"]
    assert tagging["StringEquals"] == {"ec2:CreateAction": "CreateNetworkInterface"}
    assert tagging["ForAllValues:StringEquals"] == {"aws:TagKeys": ["BedrockManaged", tag]}


def test_a_launcher_starts_executions_and_nothing_of_bedrock() -> None:
    assert {action.partition(":")[0] for action, _ in granted("Launcher")} == {"cloudformation", "kms", "s3", "states"}
    assert [to for action, to in granted("Launcher") if action == "states:StartExecution"] == [
        "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${Prefix}-launch"
    ]


@pytest.mark.parametrize("key", KEYS)
def test_each_key_rotates_and_outlives_its_stack(key: str) -> None:
    assert KEYS[key]["EnableKeyRotation"] is True
    assert template("keys")["Resources"][key]["DeletionPolicy"] == "RetainExceptOnCreate"


@pytest.mark.parametrize("key", KEYS)
def test_the_account_administers_a_key_and_cannot_be_locked_out(key: str) -> None:
    administration = KEYS[key]["KeyPolicy"]["Statement"][0]
    assert text(administration["Principal"]["AWS"]).endswith(":root")
    assert "kms:PutKeyPolicy" in administration["Action"]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_used_by_named_principals_through_a_service(key: str) -> None:
    uses = {"kms:Decrypt", "kms:GenerateDataKey", "kms:Encrypt"}
    for statement in statements(KEYS[key]["KeyPolicy"]):
        if uses.isdisjoint(listed(statement["Action"])):
            continue
        through = statement.get("Condition", {}).get("StringEquals", {})
        assert "kms:ViaService" in through or "Service" in statement["Principal"], statement["Sid"]
        if "AWS" in statement["Principal"] and text(statement["Principal"]["AWS"]).endswith(":root"):
            # The one delegation: DynamoDB works with the rights of who calls it.
            assert (key, text(through["kms:ViaService"])) == ("MessagingKey", "dynamodb.${AWS::Region}.amazonaws.com")


@pytest.mark.parametrize("policy", BUCKET_POLICIES)
def test_each_bucket_is_reached_over_tls_only(policy: str) -> None:
    (statement,) = denied(policy, "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(statement["Resource"]) == 2


@pytest.mark.parametrize("policy", UNDER_A_CMK)
def test_each_way_to_name_another_encryption_is_refused(policy: str) -> None:
    refused = {statement["Sid"] for statement in denied(policy, "s3:PutObject")}
    assert {"NoOtherEncryption", "NoOtherKey", "NoAwsManagedKey", "NoCustomerProvidedKey"} <= refused


def test_only_scanners_read_intake() -> None:
    (statement,) = denied("IntakeBucketPolicy", "s3:GetObject")
    assert exempted(statement) == {
        "InspectObject",
        "ScanText",
        "SettleObject",
        "GatherModels",
        "ScanModel",
        "MalwareProtection",
        "AWSServiceRoleForAmazonMacie",
    }
    assert "s3:GetObjectVersion" in statement["Action"]


@pytest.mark.parametrize("action", ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectTagging"])
def test_only_settling_deletes_or_tags_in_intake(action: str) -> None:
    (statement,) = denied("IntakeBucketPolicy", action)
    assert exempted(statement) == {"SettleObject"}


APPROVED_TAGGERS = {"SettleObject", "HoldObject", "ReleaseObject", "RevokeObject"}


@pytest.mark.parametrize(
    ("policy", "action", "roles"),
    [
        ("ApprovedBucketPolicy", "s3:ReplicateObject", {"SettleObject", "ReleaseObject"}),
        ("ApprovedBucketPolicy", "s3:PutObjectVersionTagging", APPROVED_TAGGERS),
        ("QuarantineBucketPolicy", "s3:ReplicateObject", {"SettleObject", "RevokeObject"}),
        ("QuarantineBucketPolicy", "s3:GetObjectVersion", {"SettleObject", "ReleaseObject", "RevokeObject"}),
    ],
)
def test_only_the_gate_reaches_past_its_rooms(policy: str, action: str, roles: set[str]) -> None:
    (statement,) = denied(policy, action)
    assert exempted(statement) == roles


def test_approved_is_read_only_where_tagged_clean_and_from_the_network() -> None:
    clean, network = denied("ApprovedBucketPolicy", "s3:GetObject")
    gate = APPROVED_TAGGERS | {"VerifyJob"}
    assert clean["Condition"]["StringNotEquals"] == {"s3:ExistingObjectTag/tunegate-verdict": "clean"}
    assert exempted(clean) == gate
    assert network["Condition"]["StringNotEquals"] == {"aws:SourceVpc": {"Ref": "VpcId"}}
    assert exempted(network) == gate | {"AWSServiceRoleForAmazonMacie"}


def test_bedrocks_roles_list_approved_from_the_network_only() -> None:
    (listing,) = denied("ApprovedBucketPolicy", "s3:ListBucket")
    assert listing["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": [{"Ref": "ModelCustomizationRoleArn"}, {"Ref": "ModelImportRoleArn"}]},
        "StringNotEquals": {"aws:SourceVpc": {"Ref": "VpcId"}},
    }


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:ReplicateObject"])
def test_output_is_read_and_written_from_the_network(action: str) -> None:
    (refusal,) = denied("OutputBucketPolicy", action)
    assert refusal["Condition"]["StringNotEquals"] == {"aws:SourceVpc": {"Ref": "VpcId"}}


def test_people_read_output_from_anywhere_and_the_gate_its_facts() -> None:
    (refusal,) = denied("OutputBucketPolicy", "s3:GetObject")
    assert exempted(refusal) == {"VerifyJob", "Operator", "Launcher"}


@pytest.mark.parametrize(
    ("folder", "writers"),
    [
        ("scans", {"ScanText"}),
        ("findings", {"JudgeObject", "ScanModel", "RevokeObject"}),
        ("manifests", {"VerifyJob"}),
        ("jobs", {"VerifyJob", "AuditEstate"}),
    ],
)
def test_evidence_is_written_by_whom_it_is_of(folder: str, writers: set[str]) -> None:
    writing = denied("EvidenceBucketPolicy", "s3:ReplicateObject")
    (refusal,) = (s for s in writing if text(s["Resource"]).endswith(f"/{folder}/*"))
    assert exempted(refusal) == writers


def test_only_the_trail_writes_the_trail() -> None:
    (refusal,) = denied("LogsBucketPolicy", "s3:PutObject")
    assert text(refusal["Resource"]).endswith("/trail/*")
    assert refusal["Condition"]["BoolIfExists"] == {"aws:PrincipalIsAWSService": "false"}
    assert "s3:DeleteObjectVersion" in refusal["Action"]


@pytest.mark.parametrize("policy", ["ApprovedBucketPolicy", "QuarantineBucketPolicy", "EvidenceBucketPolicy"])
def test_nobody_deletes_what_was_settled(policy: str) -> None:
    (statement,) = denied(policy, "s3:DeleteObjectVersion")
    with_break_glass, without = statement["Condition"]["Fn::If"][1:]
    assert with_break_glass == {"ArnNotEquals": {"aws:PrincipalArn": {"Ref": "BreakGlassRoleArn"}}}
    assert without == {"Ref": "AWS::NoValue"}
