"""Who may do what: IAM on every operation, the roles jobs run with, and the keys models are encrypted with."""

from typing import Any

import pytest

from contract.bedrock.world import BASE, RECORD, Account, allow, unique
from tunegate_local.emulator import ACCOUNT_ID, REGION

PREFIX = f"arn:aws:bedrock:{REGION}:{ACCOUNT_ID}"
FOUNDATION = f"arn:aws:bedrock:{REGION}::foundation-model/{BASE}"
CUSTOM = f"{PREFIX}:custom-model/*"
MAY_PASS = allow("iam:PassRole")
MAY_CREATE = allow("bedrock:CreateModelCustomizationJob", [FOUNDATION, CUSTOM])
VIA_BEDROCK = {"StringEquals": {"kms:ViaService": f"bedrock.{REGION}.amazonaws.com"}}
KEY_ACTIONS = ["kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt", "kms:CreateGrant"]


def request(account: Account, **changes: Any) -> dict[str, Any]:
    return {
        "jobName": unique("job"),
        "customModelName": unique("model"),
        "roleArn": account.service_role(allow("s3:*")),
        "baseModelIdentifier": BASE,
        "trainingDataConfig": {"s3Uri": account.data()[1]},
        "outputDataConfig": {"s3Uri": f"s3://{account.bucket()}"},
        **changes,
    }


def grants(account: Account, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = account.client("kms").list_grants(KeyId=key)["Grants"]
    return found


class TestPermissions:
    def test_creation_needs_the_base_model_and_custom_models(self, account: Account) -> None:
        caller = account.caller(MAY_CREATE, MAY_PASS)
        account.bedrock("CreateModelCustomizationJob", caller, **request(account))

        for too_little in ([FOUNDATION], [CUSTOM], []):
            account.permit(caller, *([allow("bedrock:Create*", too_little)] if too_little else []), MAY_PASS)
            refusal = account.refused("CreateModelCustomizationJob", caller, **request(account))
            assert refusal.startswith("AccessDeniedException")
            assert "bedrock:CreateModelCustomizationJob" in refusal

    def test_creation_sees_the_tags_asked_for(self, account: Account) -> None:
        tagged = {"StringEquals": {"aws:RequestTag/approved": "yes"}}
        caller = account.caller(
            allow("bedrock:CreateModelCustomizationJob", Condition=tagged), allow("bedrock:TagResource"), MAY_PASS
        )
        tags = [{"key": "approved", "value": "yes"}]
        account.bedrock("CreateModelCustomizationJob", caller, **request(account, jobTags=tags))
        assert account.refused("CreateModelCustomizationJob", caller, **request(account)).startswith("AccessDenied")

    def test_tags_need_leave_of_their_own(self, account: Account) -> None:
        caller = account.caller(MAY_CREATE, MAY_PASS)
        tags = [{"key": "verdict", "value": "approved"}]
        for member in ("jobTags", "customModelTags"):
            refusal = account.refused("CreateModelCustomizationJob", caller, **request(account, **{member: tags}))
            assert "bedrock:TagResource" in refusal

    def test_policies_see_which_tag_keys_are_set_or_taken(self, account: Account) -> None:
        arn = account.job()
        others = {"ForAllValues:StringNotEquals": {"aws:TagKeys": ["verdict"]}}
        caller = account.caller(allow(["bedrock:TagResource", "bedrock:UntagResource"], Condition=others))
        account.bedrock("TagResource", caller, resourceARN=arn, tags=[{"key": "team", "value": "a"}])
        account.bedrock("UntagResource", caller, resourceARN=arn, tagKeys=["team"])

        verdict = [{"key": "verdict", "value": "approved"}]
        assert account.refused("TagResource", caller, resourceARN=arn, tags=verdict).startswith("AccessDenied")
        assert account.refused("UntagResource", caller, resourceARN=arn, tagKeys=["verdict"]).startswith("AccessDenied")

    def test_policies_see_the_tags_of_the_resource(self, account: Account) -> None:
        mine = account.job(jobTags=[{"key": "team", "value": "mine"}])
        theirs = account.job(jobTags=[{"key": "team", "value": "theirs"}])
        own = {"StringEquals": {"aws:ResourceTag/team": "mine"}}
        caller = account.caller(allow("bedrock:*", Condition=own))

        account.bedrock("GetModelCustomizationJob", caller, jobIdentifier=mine)
        for identifier in (theirs, theirs.rsplit("/", 1)[-1]):
            refusal = account.refused("GetModelCustomizationJob", caller, jobIdentifier=identifier)
            assert refusal.startswith("AccessDeniedException")

    def test_a_name_is_no_way_around_a_policy_on_arns(self, account: Account) -> None:
        name = unique("job")
        arn = account.job(jobName=name)
        caller = account.caller(allow("bedrock:GetModelCustomizationJob", arn))
        account.bedrock("GetModelCustomizationJob", caller, jobIdentifier=name)

        account.permit(caller, allow("bedrock:*"), {"Effect": "Deny", "Action": "bedrock:Stop*", "Resource": arn})
        assert account.refused("StopModelCustomizationJob", caller, jobIdentifier=name).startswith("AccessDenied")

    @pytest.mark.parametrize(
        ("operation", "parameters"),
        [
            ("ListModelCustomizationJobs", {}),
            ("ListModelImportJobs", {}),
            ("ListModelCopyJobs", {}),
            ("ListCustomModels", {}),
            ("ListImportedModels", {}),
            ("ListProvisionedModelThroughputs", {}),
            ("ListCustomModelDeployments", {}),
            ("ListFoundationModels", {}),
            ("ListGuardrails", {}),
            ("GetFoundationModel", {"modelIdentifier": BASE}),
            ("GetModelInvocationLoggingConfiguration", {}),
            ("DeleteModelInvocationLoggingConfiguration", {}),
        ],
    )
    def test_every_operation_is_allowed_by_its_own_action(
        self, account: Account, operation: str, parameters: dict[str, Any]
    ) -> None:
        assert account.bedrock(operation, account.caller(allow(f"bedrock:{operation}")), **parameters) is not None
        assert account.refused(operation, account.caller(), **parameters).startswith("AccessDeniedException")


class TestServiceRole:
    def test_the_caller_must_be_allowed_to_pass_it_to_bedrock(self, account: Account) -> None:
        role = account.service_role(allow("s3:*"))
        to_bedrock = {"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}}
        to_lambda = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
        caller = account.caller(MAY_CREATE, allow("iam:PassRole", role, Condition=to_bedrock))
        account.bedrock("CreateModelCustomizationJob", caller, **request(account, roleArn=role))

        account.permit(caller, MAY_CREATE, allow("iam:PassRole", role, Condition=to_lambda))
        refusal = account.refused("CreateModelCustomizationJob", caller, **request(account, roleArn=role))
        assert refusal.startswith("AccessDeniedException")
        assert "iam:PassRole" in refusal

    @pytest.mark.parametrize(
        "trust",
        [
            {"Principal": {"Service": "lambda.amazonaws.com"}},
            {"Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}},
            {"Condition": {"ArnLike": {"aws:SourceArn": f"{PREFIX}:model-import-job/*"}}},
            {"Effect": "Deny"},
        ],
    )
    def test_it_must_trust_bedrock_for_this_job(self, account: Account, trust: dict[str, Any]) -> None:
        role = account.service_role(allow("s3:*"), trust=trust)
        refusal = account.refused("CreateModelCustomizationJob", **request(account, roleArn=role))
        assert refusal.startswith("ValidationException: Could not assume provided IAM role")

    def test_a_permission_taken_while_the_job_runs_is_missed(self, account: Account, slowly: None) -> None:
        role = account.service_role(allow("s3:*"))
        arn = account.job(role)
        account.permit(role, allow(["s3:GetObject", "s3:ListBucket"]))
        assert "PutObject" in account.ended(arn)["failureMessage"]

    @pytest.mark.parametrize(
        ("missing", "message"),
        [
            ("s3:GetObject", "Could not validate GetObject permissions to access Amazon S3 bucket"),
            ("s3:ListBucket", "Could not validate ListBucket permissions to access Amazon S3 bucket"),
            ("s3:PutObject", "Amazon S3 perms missing (PutObject)"),
        ],
    )
    def test_a_job_may_do_what_its_role_may(self, account: Account, missing: str, message: str) -> None:
        needed = ["s3:GetObject", "s3:ListBucket", "s3:PutObject"]
        bucket, _ = account.data()
        config = {"s3Uri": f"s3://{bucket}/train/"}
        assert account.trained(account.service_role(allow(needed)), trainingDataConfig=config)

        role = account.service_role(allow([action for action in needed if action != missing]))
        job = account.ended(account.job(role, trainingDataConfig=config))
        assert job["status"] == "Failed"
        assert message in job["failureMessage"]

    def test_bucket_policies_bind_it_by_its_own_arn(self, account: Account) -> None:
        bucket, uri = account.data()
        right, wrong = account.service_role(allow("s3:*")), account.service_role(allow("s3:*"))
        account.emulator.deny(bucket, "s3:GetObject", {"ArnNotEquals": {"aws:PrincipalArn": right}})

        assert account.trained(right, trainingDataConfig={"s3Uri": uri})
        job = account.ended(account.job(wrong, trainingDataConfig={"s3Uri": uri}))
        assert f"{bucket} at key train/data.jsonl" in job["failureMessage"]

    def test_data_under_a_key_needs_that_key(self, account: Account) -> None:
        key, bucket = account.key(), account.bucket()
        account.client("s3").put_object(
            Bucket=bucket, Key="d.jsonl", Body=RECORD, ServerSideEncryption="aws:kms", SSEKMSKeyId=key
        )
        config = {"s3Uri": f"s3://{bucket}/d.jsonl"}
        assert account.trained(
            account.service_role(allow("s3:*"), allow("kms:Decrypt", key)), trainingDataConfig=config
        )
        assert account.ended(account.job(trainingDataConfig=config))["status"] == "Failed"


class TestModelKey:
    @pytest.mark.parametrize("form", ["arn", "id", "alias", "alias arn"])
    def test_is_named_in_any_way_and_answered_by_arn(self, account: Account, form: str) -> None:
        key = account.key()
        alias = f"alias/{unique('key')}"
        account.client("kms").create_alias(AliasName=alias, TargetKeyId=key)
        named = {
            "arn": key,
            "id": key.rsplit("/", 1)[-1],
            "alias": alias,
            "alias arn": f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:{alias}",
        }[form]
        arn = account.job(customModelKmsKeyId=named)

        job = account.ended(arn)
        assert job["outputModelKmsKeyArn"] == key
        model = account.bedrock("GetCustomModel", modelIdentifier=job["outputModelArn"])
        assert model["modelKmsKeyArn"] == key

    def test_bedrock_holds_a_grant_until_the_model_is_deleted(self, account: Account) -> None:
        key = account.key()
        model = account.trained(customModelKmsKeyId=key)
        [grant] = grants(account, key)
        assert grant["GranteePrincipal"] == grant["RetiringPrincipal"] == "bedrock.amazonaws.com"
        assert set(grant["Operations"]) == {"Decrypt", "CreateGrant", "GenerateDataKey", "DescribeKey"}
        assert "Constraints" not in grant

        account.bedrock("DeleteCustomModel", modelIdentifier=model)
        assert grants(account, key) == []

    @pytest.mark.parametrize("missing", KEY_ACTIONS)
    def test_the_caller_must_be_allowed_all_of_its_use(self, account: Account, missing: str) -> None:
        key = account.key()
        caller = account.caller(MAY_CREATE, MAY_PASS, allow(KEY_ACTIONS, key, Condition=VIA_BEDROCK))
        account.bedrock("CreateModelCustomizationJob", caller, **request(account, customModelKmsKeyId=key))
        before = len(grants(account, key))

        fewer = [action for action in KEY_ACTIONS if action != missing]
        account.permit(caller, MAY_CREATE, MAY_PASS, allow(fewer, key))
        refusal = account.refused("CreateModelCustomizationJob", caller, **request(account, customModelKmsKeyId=key))
        assert refusal.startswith("AccessDeniedException")
        assert missing in refusal
        assert len(grants(account, key)) == before

    def test_the_key_policy_decides_who(self, account: Account) -> None:
        allowed, other = (account.caller(MAY_CREATE, MAY_PASS, allow("kms:*")) for _ in range(2))
        key = account.key(allow(KEY_ACTIONS, Principal={"AWS": allowed}, Condition=VIA_BEDROCK))

        account.bedrock("CreateModelCustomizationJob", allowed, **request(account, customModelKmsKeyId=key))
        refusal = account.refused("CreateModelCustomizationJob", other, **request(account, customModelKmsKeyId=key))
        assert "kms:" in refusal

    def test_a_model_under_a_key_is_customized_further_with_that_key_only(self, account: Account) -> None:
        key = account.key()
        base = account.trained(customModelKmsKeyId=key)
        caller = account.caller(allow("bedrock:CreateModelCustomizationJob"), MAY_PASS)
        refusal = account.refused("CreateModelCustomizationJob", caller, **request(account, baseModelIdentifier=base))
        assert "kms:Decrypt" in refusal

    def test_a_revoked_grant_fails_the_job(self, account: Account, slowly: None) -> None:
        key = account.key()
        arn = account.job(customModelKmsKeyId=key)
        [grant] = grants(account, key)
        account.client("kms").revoke_grant(KeyId=key, GrantId=grant["GrantId"])

        job = account.ended(arn)
        assert job["status"] == "Failed"
        assert "KMS key" in job["failureMessage"]

    def test_a_disabled_key_is_refused(self, account: Account) -> None:
        key = account.key()
        account.client("kms").disable_key(KeyId=key)
        refusal = account.refused("CreateModelCustomizationJob", **request(account, customModelKmsKeyId=key))
        assert refusal.startswith("ValidationException")

    def test_a_failed_job_keeps_no_grant(self, account: Account) -> None:
        key = account.key()
        account.ended(account.job(customModelKmsKeyId=key, trainingDataConfig={"s3Uri": "s3://no-such-bucket-here"}))
        assert grants(account, key) == []
