"""Models and what serves them: imports, copies, models made elsewhere, provisioned throughput, deployments, tags."""

import json
from typing import Any

import pytest

from contract.bedrock.world import BASE, Account, allow, unique, until
from tunegate_local.emulator import ACCOUNT_ID, REGION

PREFIX = f"arn:aws:bedrock:{REGION}:{ACCOUNT_ID}"
FOUNDATION = f"arn:aws:bedrock:{REGION}::foundation-model/{BASE}"
FILES = {
    "config.json": json.dumps({"architectures": ["LlamaForCausalLM"]}).encode(),
    "tokenizer_config.json": b'{"chat_template": "{{ messages }}"}',
    "model.safetensors": bytes(64),
}


@pytest.fixture(scope="module")
def model(account: Account) -> str:
    return account.trained()


def uploaded(account: Account, files: dict[str, bytes]) -> str:
    """The s3Uri of a folder with these files."""
    bucket = account.bucket()
    for name, content in files.items():
        account.client("s3").put_object(Bucket=bucket, Key=f"llama/{name}", Body=content)
    return f"s3://{bucket}/llama/"


def importing(account: Account, files: dict[str, bytes] = FILES, **changes: Any) -> dict[str, Any]:
    return {
        "jobName": unique("import"),
        "importedModelName": unique("imported"),
        "roleArn": account.service_role(allow(["s3:GetObject", "s3:ListBucket"]), kind="model-import-job"),
        "modelDataSource": {"s3DataSource": {"s3Uri": uploaded(account, files)}},
        **changes,
    }


def imported(account: Account, **request: Any) -> Any:
    """The details of an import job once it has ended."""
    arn = account.bedrock("CreateModelImportJob", **request)["jobArn"]
    return until(
        lambda: account.bedrock("GetModelImportJob", jobIdentifier=arn), lambda job: job["status"] != "InProgress"
    )


class TestImport:
    def test_brings_in_a_model(self, account: Account) -> None:
        key = account.key()
        tags = [{"key": "team", "value": "search"}]
        request = importing(account, importedModelKmsKeyId=key, importedModelTags=tags, jobTags=tags)
        job = imported(account, **request)

        assert job["status"] == "Completed"
        assert job["importedModelKmsKeyArn"] == key
        found = account.bedrock("GetImportedModel", modelIdentifier=request["importedModelName"])
        assert found["modelArn"] == job["importedModelArn"]
        assert found["modelArn"].startswith(f"{PREFIX}:imported-model/")
        assert (found["modelArchitecture"], found["instructSupported"]) == ("LlamaForCausalLM", True)
        assert found["modelKmsKeyArn"] == key
        for arn in (job["jobArn"], job["importedModelArn"]):
            assert account.bedrock("ListTagsForResource", resourceARN=arn)["tags"] == tags
        listed = account.bedrock("ListImportedModels", nameContains=request["importedModelName"])["modelSummaries"]
        assert [summary["modelArn"] for summary in listed] == [found["modelArn"]]
        jobs = account.bedrock("ListModelImportJobs", nameContains=request["jobName"], statusEquals="Completed")
        assert [summary["jobArn"] for summary in jobs["modelImportJobSummaries"]] == [job["jobArn"]]

    @pytest.mark.parametrize("missing", ["model.safetensors", "config.json"])
    def test_needs_safetensors_and_a_configuration(self, account: Account, missing: str) -> None:
        files = {name: content for name, content in FILES.items() if name != missing}
        key = account.key()
        job = imported(account, **importing(account, {**files, "model.bin": b""}, importedModelKmsKeyId=key))
        assert job["status"] == "Failed"
        assert "importedModelArn" not in job
        assert account.client("kms").list_grants(KeyId=key)["Grants"] == []

    def test_reads_with_its_role(self, account: Account) -> None:
        role = account.service_role(allow("s3:ListBucket"), kind="model-import-job")
        job = imported(account, **importing(account, roleArn=role))
        assert job["status"] == "Failed"
        assert "Could not validate GetObject permissions" in job["failureMessage"]

    def test_a_role_for_customization_is_not_one_for_import(self, account: Account) -> None:
        role = account.service_role(allow("s3:*"), kind="model-customization-job")
        refusal = account.refused("CreateModelImportJob", **importing(account, roleArn=role))
        assert refusal.startswith("ValidationException: Could not assume")

    def test_needs_no_resource_but_its_action(self, account: Account) -> None:
        request = importing(account)
        caller = account.caller(allow("bedrock:CreateModelImportJob"), allow("iam:PassRole", request["roleArn"]))
        account.bedrock("CreateModelImportJob", caller, **request)
        only = account.caller(allow("bedrock:CreateModelImportJob", f"{PREFIX}:model-import-job/*"))
        assert account.refused("CreateModelImportJob", only, **importing(account)).startswith("AccessDenied")

    def test_names_are_used_once(self, account: Account) -> None:
        request = importing(account)
        imported(account, **request)
        again = importing(account, jobName=request["jobName"])
        assert account.refused("CreateModelImportJob", **again).startswith("ConflictException")
        again = importing(account, importedModelName=request["importedModelName"])
        assert account.refused("CreateModelImportJob", **again).startswith("ConflictException")

    def test_a_deleted_model_is_gone_with_its_grant(self, account: Account) -> None:
        key = account.key()
        arn = imported(account, **importing(account, importedModelKmsKeyId=key))["importedModelArn"]
        account.bedrock("DeleteImportedModel", modelIdentifier=arn)
        assert account.client("kms").list_grants(KeyId=key)["Grants"] == []
        assert account.refused("GetImportedModel", modelIdentifier=arn).startswith("ResourceNotFoundException")
        assert account.refused("DeleteImportedModel", modelIdentifier=arn).startswith("ResourceNotFoundException")


class TestCustomModels:
    def test_are_listed_by_base_and_name(self, account: Account, model: str) -> None:
        details = account.bedrock("GetCustomModel", modelIdentifier=model)
        asked = {"nameContains": details["modelName"], "foundationModelArnEquals": FOUNDATION}
        [summary] = account.bedrock("ListCustomModels", **asked)["modelSummaries"]
        assert (summary["modelArn"], summary["ownerAccountId"]) == (model, ACCOUNT_ID)
        other = f"arn:aws:bedrock:{REGION}::foundation-model/amazon.nova-lite-v1:0:300k"
        asked["foundationModelArnEquals"] = other
        assert account.bedrock("ListCustomModels", **asked)["modelSummaries"] == []

    def test_one_in_use_is_not_deleted(self, account: Account) -> None:
        model = account.trained()
        deployment = account.deployed(model)
        assert account.refused("DeleteCustomModel", modelIdentifier=model).startswith("ConflictException")
        account.bedrock("DeleteCustomModelDeployment", customModelDeploymentIdentifier=deployment)
        account.bedrock("DeleteCustomModel", modelIdentifier=model)
        assert account.refused("GetCustomModel", modelIdentifier=model).startswith("ResourceNotFoundException")

    def test_one_made_elsewhere_comes_from_its_files(self, account: Account) -> None:
        key = account.key()
        role = account.service_role(allow("s3:*"), kind="model-import-job")
        source = {"s3DataSource": {"s3Uri": uploaded(account, {"checkpoint": b"weights"})}}
        asked = {"modelName": unique("nova"), "modelSourceConfig": source, "roleArn": role, "modelKmsKeyArn": key}
        arn = account.bedrock("CreateCustomModel", **asked)["modelArn"]
        assert arn.startswith(f"{PREFIX}:custom-model/imported/")
        found = self._settled(account, arn)
        assert (found["modelStatus"], found["customizationType"]) == ("Active", "IMPORTED")
        assert found["modelKmsKeyArn"] == key

    def test_and_fails_without_them(self, account: Account) -> None:
        role = account.service_role(allow("s3:*"), kind="model-import-job")
        source = {"s3DataSource": {"s3Uri": f"s3://{account.bucket()}/nothing/"}}
        asked = {"modelName": unique("nova"), "modelSourceConfig": source, "roleArn": role}
        found = self._settled(account, account.bedrock("CreateCustomModel", **asked)["modelArn"])
        assert found["modelStatus"] == "Failed"
        assert found["failureMessage"]

    def test_needs_one_source(self, account: Account) -> None:
        assert account.refused("CreateCustomModel", modelName=unique("nova")).startswith("ValidationException")

    def _settled(self, account: Account, arn: str) -> Any:
        return until(
            lambda: account.bedrock("GetCustomModel", modelIdentifier=arn),
            lambda found: found["modelStatus"] != "Creating",
        )


class TestCopy:
    def test_a_copy_has_its_own_name_tags_and_key(self, account: Account) -> None:
        first, second = account.key(), account.key()
        source = account.trained(customModelKmsKeyId=first)
        name = unique("copy")
        tags = [{"key": "copy", "value": "yes"}]
        job = self._copied(account, source, targetModelName=name, modelKmsKeyId=second, targetModelTags=tags)

        assert job["status"] == "Completed"
        assert (job["sourceAccountId"], job["targetModelKmsKeyArn"]) == (ACCOUNT_ID, second)
        copy = account.bedrock("GetCustomModel", modelIdentifier=name)
        assert (copy["modelArn"], copy["modelKmsKeyArn"]) == (job["targetModelArn"], second)
        assert account.bedrock("ListTagsForResource", resourceARN=copy["modelArn"])["tags"] == tags
        listed = account.bedrock("ListModelCopyJobs", sourceModelArnEquals=source, targetModelNameContains=name)
        assert [summary["jobArn"] for summary in listed["modelCopyJobSummaries"]] == [job["jobArn"]]

    def test_a_copy_can_lose_its_key(self, account: Account) -> None:
        source = account.trained(customModelKmsKeyId=account.key())
        name = unique("copy")
        assert "targetModelKmsKeyArn" not in self._copied(account, source, targetModelName=name)
        assert "modelKmsKeyArn" not in account.bedrock("GetCustomModel", modelIdentifier=name)

    def test_who_copies_must_be_allowed_to_decrypt(self, account: Account) -> None:
        source = account.trained(customModelKmsKeyId=account.key())
        caller = account.caller(allow("bedrock:CreateModelCopyJob", source))
        asked = {"sourceModelArn": source, "targetModelName": unique("copy")}
        assert "kms:Decrypt" in account.refused("CreateModelCopyJob", caller, **asked)

    def _copied(self, account: Account, source: str, **asked: Any) -> Any:
        arn = account.bedrock("CreateModelCopyJob", sourceModelArn=source, **asked)["jobArn"]
        return until(lambda: account.bedrock("GetModelCopyJob", jobArn=arn), lambda job: job["status"] != "InProgress")


class TestThroughput:
    def test_serves_a_model_and_then_another(self, account: Account, model: str) -> None:
        other, name = account.trained(), unique("throughput")
        asked = {"provisionedModelName": name, "modelId": model, "modelUnits": 2}
        arn = account.bedrock("CreateProvisionedModelThroughput", **asked)["provisionedModelArn"]
        found = self._settled(account, arn)
        assert (found["modelArn"], found["foundationModelArn"], found["modelUnits"]) == (model, FOUNDATION, 2)

        account.bedrock("UpdateProvisionedModelThroughput", provisionedModelId=name, desiredModelId=other)
        assert self._settled(account, arn)["modelArn"] == other
        listed = account.bedrock("ListProvisionedModelThroughputs", modelArnEquals=other, statusEquals="InService")
        assert [summary["provisionedModelArn"] for summary in listed["provisionedModelSummaries"]] == [arn]
        account.bedrock("DeleteProvisionedModelThroughput", provisionedModelId=arn)
        refusal = account.refused("GetProvisionedModelThroughput", provisionedModelId=arn)
        assert refusal.startswith("ResourceNotFoundException")

    def test_a_commitment_is_kept(self, account: Account, model: str) -> None:
        asked = {"provisionedModelName": unique("throughput"), "modelId": model, "modelUnits": 1}
        answer = account.bedrock("CreateProvisionedModelThroughput", commitmentDuration="OneMonth", **asked)
        arn = answer["provisionedModelArn"]
        assert "commitmentExpirationTime" in self._settled(account, arn)
        refusal = account.refused("DeleteProvisionedModelThroughput", provisionedModelId=arn)
        assert refusal.startswith("ConflictException")

    @pytest.mark.parametrize("identifier", ["no-such-model", "amazon.nova-micro-v1:0"])
    def test_not_every_model_can_have_it(self, account: Account, identifier: str) -> None:
        asked = {"provisionedModelName": unique("throughput"), "modelId": identifier, "modelUnits": 1}
        assert account.refused("CreateProvisionedModelThroughput", **asked)

    def _settled(self, account: Account, arn: str) -> Any:
        return until(
            lambda: account.bedrock("GetProvisionedModelThroughput", provisionedModelId=arn),
            lambda found: found["status"] == "InService",
        )


class TestDeployment:
    def test_serves_a_model_and_then_another(self, account: Account, model: str) -> None:
        name = unique("deployment")
        arn = account.deployed(model, modelDeploymentName=name, description="for the search team")
        assert arn.startswith(f"{PREFIX}:custom-model-deployment/")
        other = account.trained()
        account.bedrock("UpdateCustomModelDeployment", customModelDeploymentIdentifier=name, modelArn=other)
        found = until(
            lambda: account.bedrock("GetCustomModelDeployment", customModelDeploymentIdentifier=name),
            lambda found: found["updateDetails"]["updateStatus"] == "UpdateCompleted",
        )
        assert found["modelArn"] == other
        listed = account.bedrock("ListCustomModelDeployments", nameContains=name, statusEquals="Active")
        assert [each["customModelDeploymentArn"] for each in listed["modelDeploymentSummaries"]] == [arn]
        account.bedrock("DeleteCustomModelDeployment", customModelDeploymentIdentifier=arn)
        refusal = account.refused("GetCustomModelDeployment", customModelDeploymentIdentifier=name)
        assert refusal.startswith("ResourceNotFoundException")

    def test_needs_leave_for_that_model(self, account: Account, model: str) -> None:
        other = account.trained()
        caller = account.caller(allow("bedrock:CreateCustomModelDeployment", model))
        asked = {"modelDeploymentName": unique("deployment"), "modelArn": model}
        account.bedrock("CreateCustomModelDeployment", caller, **asked)
        asked = {"modelDeploymentName": unique("deployment"), "modelArn": other}
        assert account.refused("CreateCustomModelDeployment", caller, **asked).startswith("AccessDeniedException")

    def test_names_are_used_once(self, account: Account, model: str) -> None:
        name = unique("deployment")
        account.deployed(model, modelDeploymentName=name)
        asked = {"modelDeploymentName": name, "modelArn": model}
        assert account.refused("CreateCustomModelDeployment", **asked).startswith("ValidationException")


class TestTags:
    def test_of_every_kind_are_set_and_taken(self, account: Account, model: str) -> None:
        deployment = account.deployed(model)
        throughput = {"provisionedModelName": unique("throughput"), "modelId": model, "modelUnits": 1}
        provisioned = account.bedrock("CreateProvisionedModelThroughput", **throughput)["provisionedModelArn"]
        model_in = imported(account, **importing(account))["importedModelArn"]
        for arn in (account.job(), model, deployment, provisioned, model_in):
            account.bedrock("TagResource", resourceARN=arn, tags=[{"key": "a", "value": "1"}])
            account.bedrock(
                "TagResource", resourceARN=arn, tags=[{"key": "a", "value": "2"}, {"key": "b", "value": ""}]
            )
            account.bedrock("UntagResource", resourceARN=arn, tagKeys=["b", "c"])
            found = account.bedrock("ListTagsForResource", resourceARN=arn)["tags"]
            assert found == [{"key": "a", "value": "2"}]

    def test_of_nothing_are_refused(self, account: Account) -> None:
        nothing = f"{PREFIX}:imported-model/abcdefghijkl"
        refusal = account.refused("ListTagsForResource", resourceARN=nothing)
        assert refusal.startswith("ResourceNotFoundException")

    def test_are_few(self, account: Account) -> None:
        arn = account.job()
        tags = [{"key": f"k{number}", "value": ""} for number in range(50)]
        account.bedrock("TagResource", resourceARN=arn, tags=tags)
        refusal = account.refused("TagResource", resourceARN=arn, tags=[{"key": "one-more", "value": ""}])
        assert refusal.startswith("TooManyTagsException")


class TestFoundationModels:
    def test_those_that_can_be_customized_are_listed(self, account: Account) -> None:
        listed = account.bedrock("ListFoundationModels", byCustomizationType="FINE_TUNING", byProvider="amazon")
        assert BASE in [summary["modelId"] for summary in listed["modelSummaries"]]
        found = account.bedrock("GetFoundationModel", modelIdentifier=FOUNDATION)["modelDetails"]
        assert (found["modelArn"], found["modelLifecycle"]) == (FOUNDATION, {"status": "ACTIVE"})

    def test_others_are_not_found(self, account: Account) -> None:
        refusal = account.refused("GetFoundationModel", modelIdentifier="amazon.nova-nothing-v1:0")
        assert refusal.startswith("ResourceNotFoundException")
