"""Invocation: of which models, by whom, with which guardrail, under which key; and what is logged of it."""

import gzip
import json
from typing import Any

import pytest

from contract.bedrock.test_local_bedrock_models import imported, importing
from contract.bedrock.world import Account, allow, document, unique, until
from tunegate_local.emulator import ACCOUNT_ID, REGION

ON_DEMAND = "amazon.nova-micro-v1:0"
FOUNDATION = f"arn:aws:bedrock:{REGION}::foundation-model/{ON_DEMAND}"
MESSAGES = [{"role": "user", "content": [{"text": "How warm is it?"}]}]
VIA_BEDROCK = {"StringEquals": {"kms:ViaService": f"bedrock.{REGION}.amazonaws.com"}}


@pytest.fixture(scope="module")
def deployment(account: Account) -> str:
    return account.deployed(account.trained())


def converse(account: Account, model: str, role: str | None = None, /, **more: Any) -> Any:
    return account.bedrock("Converse", role, "bedrock-runtime", modelId=model, messages=MESSAGES, **more)


def refused(account: Account, model: str, role: str | None = None, /, **more: Any) -> str:
    return account.refused("Converse", role, "bedrock-runtime", modelId=model, messages=MESSAGES, **more)


def guardrail(account: Account) -> Any:
    asked = {"name": unique("guardrail"), "blockedInputMessaging": "No.", "blockedOutputsMessaging": "No."}
    return account.bedrock("CreateGuardrail", **asked)


class TestModels:
    def test_converse_answers_to_what_was_said(self, account: Account, deployment: str) -> None:
        answer = converse(account, deployment)
        assert answer["output"]["message"]["role"] == "assistant"
        assert "How warm is it?" in answer["output"]["message"]["content"][0]["text"]
        usage = answer["usage"]
        assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"] > 4

    @pytest.mark.parametrize(
        ("body", "where"),
        [
            ({"messages": MESSAGES}, lambda answer: answer["output"]["message"]["content"][0]["text"]),
            ({"inputText": "How warm is it?"}, lambda answer: answer["results"][0]["outputText"]),
            ({"prompt": "How warm is it?"}, lambda answer: answer["generation"]),
        ],
    )
    def test_invoke_answers_in_the_form_it_was_asked(
        self, account: Account, deployment: str, body: dict[str, Any], where: Any
    ) -> None:
        asked = {"modelId": deployment, "body": json.dumps(body), "contentType": "application/json"}
        answer = account.bedrock("InvokeModel", None, "bedrock-runtime", **asked)
        assert answer["contentType"] == "application/json"
        assert "How warm is it?" in where(json.loads(answer["body"]))

    @pytest.mark.parametrize("body", [b"no JSON", b"{}", b"[]", b'{"messages": []}'])
    def test_what_is_no_question_is_refused(self, account: Account, deployment: str, body: bytes) -> None:
        refusal = account.refused("InvokeModel", None, "bedrock-runtime", modelId=deployment, body=body)
        assert refusal.startswith("ValidationException")

    def test_imported_provisioned_and_foundation_models_answer_too(self, account: Account) -> None:
        model = account.trained()
        asked = {"provisionedModelName": unique("throughput"), "modelId": model, "modelUnits": 1}
        provisioned = account.bedrock("CreateProvisionedModelThroughput", **asked)["provisionedModelArn"]
        until(
            lambda: account.bedrock("GetProvisionedModelThroughput", provisionedModelId=provisioned),
            lambda found: found["status"] == "InService",
        )
        brought_in = imported(account, **importing(account))["importedModelArn"]
        for identifier in (provisioned, brought_in, ON_DEMAND, FOUNDATION):
            assert converse(account, identifier)["stopReason"] == "end_turn"

    def test_a_custom_model_answers_only_through_what_serves_it(self, account: Account) -> None:
        assert refused(account, account.trained()).startswith("ValidationException")

    def test_one_that_is_not_ready_says_so(self, account: Account, slowly: None) -> None:
        asked = {"modelDeploymentName": unique("deployment"), "modelArn": account.trained()}
        arn = account.bedrock("CreateCustomModelDeployment", **asked)["customModelDeploymentArn"]
        assert refused(account, arn).startswith("ModelNotReadyException")

    @pytest.mark.parametrize(
        ("model", "code"),
        [
            (f"arn:aws:bedrock:{REGION}:{ACCOUNT_ID}:imported-model/abcdefghijkl", "ResourceNotFoundException"),
            ("amazon.nova-nothing-v1:0", "ValidationException"),
            ("amazon.nova-micro-v1:0:128k", "ValidationException"),
        ],
    )
    def test_what_is_not_there_does_not(self, account: Account, model: str, code: str) -> None:
        assert refused(account, model).startswith(code)


class TestPermissions:
    def test_the_models_tags_count(self, account: Account, deployment: str) -> None:
        approved = {"StringEquals": {"aws:ResourceTag/verdict": "approved"}}
        caller = account.caller(allow("bedrock:InvokeModel", Condition=approved))
        assert refused(account, deployment, caller).startswith("AccessDeniedException")

        account.bedrock("TagResource", resourceARN=deployment, tags=[{"key": "verdict", "value": "approved"}])
        assert converse(account, deployment, caller)
        account.bedrock("UntagResource", resourceARN=deployment, tagKeys=["verdict"])
        assert refused(account, deployment, caller).startswith("AccessDeniedException")

    def test_a_foundation_model_needs_leave_of_its_own(self, account: Account, deployment: str) -> None:
        caller = account.caller(allow("bedrock:InvokeModel", deployment))
        assert converse(account, deployment, caller)
        assert refused(account, ON_DEMAND, caller).startswith("AccessDeniedException")

    def test_a_policy_may_ask_for_an_endpoint(self, account: Account, deployment: str) -> None:
        ec2 = account.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
        service = f"com.amazonaws.{REGION}.bedrock-runtime"
        made = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=service, VpcEndpointType="Interface")["VpcEndpoint"]
        private = {"StringEquals": {"aws:SourceVpce": made["VpcEndpointId"]}}
        caller = account.caller(allow("bedrock:InvokeModel", deployment, Condition=private))
        assert refused(account, deployment, caller).startswith("AccessDeniedException")

        inside = account.emulator.client("bedrock-runtime", caller)
        header = ("x-tunegate-vpc-endpoint", made["VpcEndpointId"])
        inside.meta.events.register("before-sign", lambda request, **_: request.headers.add_header(*header))
        assert inside.converse(modelId=deployment, messages=MESSAGES)["stopReason"] == "end_turn"

    def test_a_policy_may_ask_for_a_guardrail(self, account: Account, deployment: str) -> None:
        made = guardrail(account)
        identifier, arn = made["guardrailId"], made["guardrailArn"]
        account.bedrock("CreateGuardrailVersion", guardrailIdentifier=identifier)
        numbered = {"StringEquals": {"bedrock:GuardrailIdentifier": f"{arn}:1"}}
        caller = account.caller(allow("bedrock:InvokeModel", Condition=numbered), allow("bedrock:ApplyGuardrail", arn))

        def guarded(version: str) -> dict[str, Any]:
            return {"guardrailConfig": {"guardrailIdentifier": identifier, "guardrailVersion": version}}

        assert converse(account, deployment, caller, **guarded("1"))
        assert refused(account, deployment, caller).startswith("AccessDeniedException")
        assert refused(account, deployment, caller, **guarded("DRAFT")).startswith("AccessDeniedException")
        asked = {"modelId": deployment, "body": json.dumps({"messages": MESSAGES})}
        headers = {"guardrailIdentifier": arn, "guardrailVersion": "1"}
        assert account.bedrock("InvokeModel", caller, "bedrock-runtime", **asked, **headers)
        assert account.refused("InvokeModel", caller, "bedrock-runtime", **asked).startswith("AccessDenied")

    def test_a_guardrail_needs_leave_and_must_exist(self, account: Account, deployment: str) -> None:
        identifier = guardrail(account)["guardrailId"]
        config = {"guardrailConfig": {"guardrailIdentifier": identifier, "guardrailVersion": "DRAFT"}}
        caller = account.caller(allow("bedrock:InvokeModel"))
        assert "bedrock:ApplyGuardrail" in refused(account, deployment, caller, **config)
        config["guardrailConfig"]["guardrailVersion"] = "7"
        assert refused(account, deployment, **config).startswith("ValidationException")


class TestModelKey:
    def test_a_model_under_a_key_needs_that_key(self, account: Account) -> None:
        invoke = allow("bedrock:InvokeModel")
        user, other = account.caller(invoke), account.caller(invoke, allow("kms:Decrypt"))
        key = account.key(allow("kms:Decrypt", Principal={"AWS": user}, Condition=VIA_BEDROCK))
        deployment = account.deployed(account.trained(customModelKmsKeyId=key))

        assert converse(account, deployment, user)
        refusal = refused(account, deployment, other)
        assert refusal.startswith("AccessDeniedException")
        assert "kms:Decrypt" in refusal

    @pytest.mark.parametrize("switch", ["revoked grant", "disabled key"])
    def test_a_model_can_be_switched_off_by_its_key(self, account: Account, switch: str) -> None:
        key, kms = account.key(), account.client("kms")
        deployment = account.deployed(account.trained(customModelKmsKeyId=key))
        assert converse(account, deployment)

        if switch == "revoked grant":
            [grant] = kms.list_grants(KeyId=key)["Grants"]
            kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])
        else:
            kms.disable_key(KeyId=key)
        assert refused(account, deployment).startswith("AccessDeniedException")

    def test_also_an_imported_one(self, account: Account) -> None:
        key, kms = account.key(), account.client("kms")
        model = imported(account, **importing(account, importedModelKmsKeyId=key))["importedModelArn"]
        assert converse(account, model)
        [grant] = kms.list_grants(KeyId=key)["Grants"]
        kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])
        assert refused(account, model).startswith("AccessDeniedException")


class TestLogging:
    @pytest.fixture(autouse=True)
    def off(self, account: Account) -> Any:
        yield
        account.bedrock("DeleteModelInvocationLoggingConfiguration")

    def put(self, account: Account, /, **config: Any) -> None:
        account.bedrock("PutModelInvocationLoggingConfiguration", loggingConfig=config)

    def bucket(self, account: Account, **condition: Any) -> str:
        """A bucket Bedrock may write to on this condition."""
        name = account.bucket()
        logs = f"arn:aws:s3:::{name}/in/AWSLogs/{ACCOUNT_ID}/BedrockModelInvocationLogs/*"
        principal = {"Service": "bedrock.amazonaws.com"}
        source = {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}}
        statement = allow("s3:PutObject", logs, Principal=principal, Condition=condition or source)
        account.client("s3").put_bucket_policy(Bucket=name, Policy=json.dumps(document(statement)))
        return name

    def test_is_off_until_it_is_on(self, account: Account) -> None:
        assert account.bedrock("GetModelInvocationLoggingConfiguration") == {}
        config = {"s3Config": {"bucketName": self.bucket(account), "keyPrefix": "in"}, "textDataDeliveryEnabled": True}
        self.put(account, **config)
        assert account.bedrock("GetModelInvocationLoggingConfiguration")["loggingConfig"] == config

    def test_writes_every_invocation_to_the_bucket(self, account: Account, deployment: str) -> None:
        bucket, s3 = self.bucket(account), account.client("s3")
        self.put(account, s3Config={"bucketName": bucket, "keyPrefix": "in"}, textDataDeliveryEnabled=True)
        caller = account.caller(allow("bedrock:InvokeModel"))
        converse(account, deployment, caller)

        def keys() -> list[str]:
            found = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
            return [item["Key"] for item in found if item["Key"].endswith(".json.gz")]

        [key] = until(keys, bool)
        assert key.startswith(f"in/AWSLogs/{ACCOUNT_ID}/BedrockModelInvocationLogs/{REGION}/")
        record = json.loads(gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
        assert (record["schemaType"], record["schemaVersion"]) == ("ModelInvocationLog", "1.0")
        assert (record["operation"], record["modelId"], record["accountId"]) == ("Converse", deployment, ACCOUNT_ID)
        assert caller.rsplit("/", 1)[-1] in record["identity"]["arn"]
        assert record["input"]["inputBodyJson"]["messages"] == MESSAGES
        assert "How warm is it?" in json.dumps(record["output"]["outputBodyJson"])

    @pytest.mark.parametrize(
        "condition",
        [
            {"StringEquals": {"aws:SourceAccount": "999999999999"}},
            {"ArnLike": {"aws:SourceArn": f"arn:aws:bedrock:eu-west-1:{ACCOUNT_ID}:*"}},
        ],
    )
    def test_the_bucket_must_let_bedrock_write(self, account: Account, condition: dict[str, Any]) -> None:
        config = {"s3Config": {"bucketName": self.bucket(account, **condition), "keyPrefix": "in"}}
        refusal = account.refused("PutModelInvocationLoggingConfiguration", loggingConfig=config)
        assert refusal.startswith("ValidationException: Failed to validate permissions for bucket")

    def test_and_so_must_the_buckets_key(self, account: Account) -> None:
        bucket, key = self.bucket(account), account.key()
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
        encryption = {"Rules": [rule]}
        account.client("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=encryption)
        config = {"s3Config": {"bucketName": bucket, "keyPrefix": "in"}}
        refusal = account.refused("PutModelInvocationLoggingConfiguration", loggingConfig=config)
        assert refusal.startswith("ValidationException")

        principal = {"Service": "bedrock.amazonaws.com"}
        root = allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"})
        policy = document(root, allow("kms:GenerateDataKey", Principal=principal))
        account.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
        self.put(account, **config)

    def test_writes_to_a_log_group_with_a_role(self, account: Account, deployment: str) -> None:
        logs, group = account.client("logs"), f"/bedrock/{unique('group')}"
        logs.create_log_group(logGroupName=group)
        trust = {"Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:bedrock:{REGION}:{ACCOUNT_ID}:*"}}}
        role = account.service_role(allow(["logs:CreateLogStream", "logs:PutLogEvents"]), trust=trust)
        self.put(account, cloudWatchConfig={"logGroupName": group, "roleArn": role}, textDataDeliveryEnabled=True)
        converse(account, deployment)

        stream = {"logGroupName": group, "logStreamName": "aws/bedrock/modelinvocations"}
        [event] = until(lambda: logs.get_log_events(**stream)["events"], bool)
        assert json.loads(event["message"])["modelId"] == deployment

    def test_the_role_must_be_passed_and_able(self, account: Account) -> None:
        group = f"/bedrock/{unique('group')}"
        account.client("logs").create_log_group(logGroupName=group)
        role = account.service_role(allow("logs:CreateLogStream"), kind="model-import-job")
        config = {"cloudWatchConfig": {"logGroupName": group, "roleArn": role}}
        caller = account.caller(allow("bedrock:PutModelInvocationLoggingConfiguration"))
        refusal = account.refused("PutModelInvocationLoggingConfiguration", caller, loggingConfig=config)
        assert "iam:PassRole" in refusal
        refusal = account.refused("PutModelInvocationLoggingConfiguration", loggingConfig=config)
        assert refusal.startswith(f"ValidationException: Failed to validate permissions for log group: {group}")
