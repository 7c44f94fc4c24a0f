"""What the templates say of who may do what: roles, permissions, keys and bucket policies."""

from typing import Any

import pytest

from contract.templates import listed, properties, statements, template, text

# Actions for which AWS takes no resource but "*" (Service Authorization Reference).
WITHOUT_RESOURCE = {
    "bedrock:InvokeGuardrailChecks",
    "comprehend:ContainsPiiEntities",
    "comprehend:DetectPiiEntities",
    "comprehend:DetectToxicContent",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
PERMISSIONS = properties("AWS::IAM::Policy")
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


def denied(policy: str, action: str) -> list[dict[str, Any]]:
    document = BUCKET_POLICIES[policy]["PolicyDocument"]
    return [s for s in statements(document) if s["Effect"] == "Deny" and action in listed(s["Action"])]


def exempted(statement: dict[str, Any]) -> set[str]:
    """The roles a Deny does not bind, break glass aside."""
    roles = listed(statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"])
    return {role["Ref"].removesuffix("RoleArn") for role in roles if "Ref" in role}


def test_each_role_has_one_policy_and_each_policy_one_role() -> None:
    roles = {text(role["RoleName"]) for role in properties("AWS::IAM::Role").values()}
    holders = [text(role) for policy in PERMISSIONS.values() for role in policy["Roles"]]
    assert sorted(holders) == sorted(roles)


def test_each_function_has_a_role_of_its_own() -> None:
    roles = [str(function["Role"]) for function in properties("AWS::Serverless::Function").values()]
    assert len(set(roles)) == len(roles)


@pytest.mark.parametrize("policy", PERMISSIONS)
def test_no_action_is_a_wildcard(policy: str) -> None:
    assert [action for action, _ in granted(policy) if "*" in action] == []


@pytest.mark.parametrize("policy", PERMISSIONS)
def test_a_resource_is_everything_only_where_aws_takes_no_other(policy: str) -> None:
    assert {action for action, resource in granted(policy) if resource == "*"} <= WITHOUT_RESOURCE


def test_only_the_gate_is_granted_writes_to_what_bedrock_reads() -> None:
    writers = {
        policy for policy in PERMISSIONS for action, to in granted(policy)
        if action in ("s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging") and "${ApprovedBucket}" in to
    }  # fmt: skip
    assert writers == {"SettleObject", "HoldObject", "ReleaseObject"}


def test_bedrock_is_granted_nothing_of_intake() -> None:
    assert [to for _, to in granted("ModelCustomization") if "Intake" in to or "Quarantine" in to] == []


def test_services_assume_roles_for_this_account_only() -> None:
    trusts = properties("AWS::IAM::Role")
    for name in ("ModelCustomizationRole", "ScanMachineRole"):
        (statement,) = trusts[name]["AssumeRolePolicyDocument"]["Statement"]
        assert {"StringEquals", "ArnLike"} == statement["Condition"].keys()


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
    assert exempted(statement) == {"InspectObject", "ScanText", "SettleObject"}
    assert "s3:GetObjectVersion" in statement["Action"]


@pytest.mark.parametrize("action", ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectTagging"])
def test_only_settling_deletes_or_tags_in_intake(action: str) -> None:
    (statement,) = denied("IntakeBucketPolicy", action)
    assert exempted(statement) == {"SettleObject"}


@pytest.mark.parametrize(
    ("policy", "action", "roles"),
    [
        ("ApprovedBucketPolicy", "s3:ReplicateObject", {"SettleObject", "ReleaseObject"}),
        ("ApprovedBucketPolicy", "s3:PutObjectVersionTagging", {"SettleObject", "HoldObject", "ReleaseObject"}),
        ("QuarantineBucketPolicy", "s3:ReplicateObject", {"SettleObject"}),
        ("QuarantineBucketPolicy", "s3:GetObjectVersion", {"SettleObject", "ReleaseObject"}),
    ],
)
def test_only_the_gate_reaches_past_its_rooms(policy: str, action: str, roles: set[str]) -> None:
    (statement,) = denied(policy, action)
    assert exempted(statement) == roles


def test_approved_is_read_only_where_tagged_clean() -> None:
    (statement,) = denied("ApprovedBucketPolicy", "s3:GetObject")
    assert statement["Condition"]["StringNotEquals"] == {"s3:ExistingObjectTag/tunegate-verdict": "clean"}
    assert exempted(statement) == {"SettleObject", "HoldObject", "ReleaseObject"}


@pytest.mark.parametrize("policy", ["ApprovedBucketPolicy", "QuarantineBucketPolicy", "EvidenceBucketPolicy"])
def test_nobody_deletes_what_was_settled(policy: str) -> None:
    (statement,) = denied(policy, "s3:DeleteObjectVersion")
    with_break_glass, without = statement["Condition"]["Fn::If"][1:]
    assert with_break_glass == {"ArnNotEquals": {"aws:PrincipalArn": {"Ref": "BreakGlassRoleArn"}}}
    assert without == {"Ref": "AWS::NoValue"}
