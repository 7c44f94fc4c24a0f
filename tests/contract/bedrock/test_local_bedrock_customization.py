"""Customization jobs: what they read and write, how they end, what they tell, and how they are found."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contract.bedrock.world import BASE, RECORD, Account, allow, unique, until
from tunegate_local.emulator import ACCOUNT_ID, REGION

STAGES = ("validationDetails", "dataProcessingDetails", "trainingDetails")


def stages(job: Any) -> list[str]:
    return [job["statusDetails"][stage]["status"] for stage in STAGES]


class TestLife:
    def test_a_job_becomes_a_model(self, account: Account) -> None:
        name, model_name = unique("job"), unique("model")
        _, validation = account.data(RECORD * 3)
        arn = account.job(
            jobName=name,
            customModelName=model_name,
            hyperParameters={"epochCount": "2"},
            validationDataConfig={"validators": [{"s3Uri": validation}]},
            customModelTags=[{"key": "team", "value": "search"}],
        )
        job = account.ended(arn)

        assert job["status"] == "Completed"
        assert stages(job) == ["Completed"] * 3
        assert job["jobArn"] == arn
        assert arn.startswith(f"arn:aws:bedrock:{REGION}:{ACCOUNT_ID}:model-customization-job/{BASE}/")
        assert job["creationTime"] <= job["endTime"] <= datetime.now(UTC)
        model = account.bedrock("GetCustomModel", modelIdentifier=model_name)
        assert model["modelArn"] == job["outputModelArn"]
        assert (model["jobArn"], model["jobName"], model["customizationType"]) == (arn, name, "FINE_TUNING")
        assert model["baseModelArn"] == f"arn:aws:bedrock:{REGION}::foundation-model/{BASE}"
        assert "modelKmsKeyArn" not in model
        assert "outputModelKmsKeyArn" not in job
        tags = account.bedrock("ListTagsForResource", resourceARN=model["modelArn"])["tags"]
        assert tags == [{"key": "team", "value": "search"}]

    def test_its_metrics_are_written_to_the_output_bucket(self, account: Account) -> None:
        output = account.bucket()
        _, validation = account.data(b"z" * 500, key="held-out")
        arn = account.job(
            outputDataConfig={"s3Uri": f"s3://{output}/metrics"},
            validationDataConfig={"validators": [{"s3Uri": validation}]},
        )
        job = account.ended(arn)

        folder = f"metrics/model-customization-job-{arn.rsplit('/', 1)[-1]}"
        s3 = account.client("s3")

        def rows(name: str) -> list[list[str]]:
            body = s3.get_object(Bucket=output, Key=f"{folder}/{name}")["Body"].read().decode()
            return [line.split(",") for line in body.splitlines()]

        training = rows("training_artifacts/step_wise_training_metrics.csv")
        assert training[0] == ["step_number", "epoch_number", "training_loss", "perplexity"]
        losses = [float(row[2]) for row in training[1:]]
        assert losses[-1] == pytest.approx(job["trainingMetrics"]["trainingLoss"], abs=1e-5)
        assert losses[-1] < losses[0]
        validation_rows = rows("validation_artifacts/post_fine_tuning_validation/validation_metrics.csv")
        assert float(validation_rows[1][2]) > losses[-1]

    def test_stages_are_seen_one_after_the_other(self, account: Account, slowly: None) -> None:
        arn = account.job()
        seen: list[list[str]] = []

        def look() -> Any:
            job = account.bedrock("GetModelCustomizationJob", jobIdentifier=arn)
            if stages(job) not in seen:
                seen.append(stages(job))
            return job

        until(look, lambda job: job["status"] == "Completed")
        ordered = [
            ["InProgress", "NotStarted", "NotStarted"],
            ["Completed", "InProgress", "NotStarted"],
            ["Completed", "Completed", "InProgress"],
            ["Completed", "Completed", "Completed"],
        ]
        assert [state for state in seen if state in ordered] == ordered

    @pytest.mark.parametrize("source", ["s3Uri", "invocationLogsConfig"])
    def test_training_data_is_every_object_under_a_prefix(self, account: Account, source: str) -> None:
        bucket = account.bucket()
        s3 = account.client("s3")
        # More than one page of a listing.
        for number in range(101):
            s3.put_object(Bucket=bucket, Key=f"set/{number:04}.jsonl", Body=RECORD)
        s3.put_object(Bucket=bucket, Key="set/9999.jsonl", Body=b"not a record")
        uri = {"s3Uri": f"s3://{bucket}/set"}
        config = uri if source == "s3Uri" else {"invocationLogsConfig": {"invocationLogSource": uri}}
        job = account.ended(account.job(trainingDataConfig=config))

        assert (job["status"], *stages(job)) == ("Failed", "Completed", "Failed", "NotStarted")
        assert "Unable to parse Amazon S3 file: set/9999.jsonl" in job["failureMessage"]

    def test_what_is_trained_on_is_what_is_there_when_training_begins(self, account: Account, slowly: None) -> None:
        bucket, uri = account.data()
        arn = account.job(trainingDataConfig={"s3Uri": uri})
        until(
            lambda: account.bedrock("GetModelCustomizationJob", jobIdentifier=arn),
            lambda job: stages(job)[1] == "Completed",
        )
        account.client("s3").delete_object(Bucket=bucket, Key="train/data.jsonl")

        job = account.ended(arn)
        assert job["status"] == "Failed"
        assert uri in job["failureMessage"]

    def test_nothing_is_not_trained_on(self, account: Account) -> None:
        job = account.ended(account.job(trainingDataConfig={"s3Uri": account.data(b"")[1]}))
        assert (job["status"], *stages(job)) == ("Failed", "Completed", "Completed", "Failed")

    def test_a_model_can_be_customized_further(self, account: Account) -> None:
        first = account.trained()
        second = account.trained(baseModelIdentifier=first)

        model = account.bedrock("GetCustomModel", modelIdentifier=second)
        assert model["baseModelArn"] == f"arn:aws:bedrock:{REGION}::foundation-model/{BASE}"


class TestStop:
    def test_a_stopped_job_makes_no_model(self, account: Account, slowly: None) -> None:
        name = unique("model")
        arn = account.job(customModelName=name)
        assert account.bedrock("StopModelCustomizationJob", jobIdentifier=arn) == {}

        assert account.bedrock("GetModelCustomizationJob", jobIdentifier=arn)["status"] == "Stopping"
        account.bedrock("StopModelCustomizationJob", jobIdentifier=arn)
        job = account.ended(arn)
        assert job["status"] == "Stopped"
        assert "Stopped" in stages(job)
        assert "outputModelArn" not in job
        assert account.refused("GetCustomModel", modelIdentifier=name).startswith("ResourceNotFoundException")
        states = [event["detail"]["jobStatus"] for event in account.events(arn, last="Stopped")]
        assert states == ["InProgress", "Stopping", "Stopped"]

    def test_what_has_ended_cannot_be_stopped(self, account: Account) -> None:
        arn = account.job()
        account.ended(arn)
        assert account.refused("StopModelCustomizationJob", jobIdentifier=arn).startswith("ConflictException")

    def test_nor_what_never_was(self, account: Account) -> None:
        refusal = account.refused("StopModelCustomizationJob", jobIdentifier="never-was")
        assert refusal.startswith("ResourceNotFoundException")


class TestEvents:
    def test_are_of_the_documented_shape(self, account: Account) -> None:
        _, training = account.data()
        _, validation = account.data()
        name, model_name, output = unique("job"), unique("model"), f"s3://{account.bucket()}/out"
        role = account.service_role(allow("s3:*"))
        arn = account.job(
            role,
            jobName=name,
            customModelName=model_name,
            trainingDataConfig={"s3Uri": training},
            validationDataConfig={"validators": [{"s3Uri": validation}]},
            outputDataConfig={"s3Uri": output},
            hyperParameters={"epochCount": "1"},
        )
        job = account.ended(arn)
        first, last = account.events(arn, last="Completed")

        assert last["detail-type"] == "Model Customization Job State Change"
        written = "%Y-%m-%dT%H:%M:%SZ"
        assert last["detail"] == {
            "version": "0.0",
            "jobName": name,
            "jobArn": arn,
            "outputModelName": model_name,
            "outputModelArn": job["outputModelArn"],
            "roleArn": role,
            "jobStatus": "Completed",
            "creationTime": job["creationTime"].astimezone(UTC).strftime(written),
            "lastModifiedTime": job["lastModifiedTime"].astimezone(UTC).strftime(written),
            "endTime": job["endTime"].astimezone(UTC).strftime(written),
            "baseModelArn": job["baseModelArn"],
            "hyperParameters": {"epochCount": "1"},
            "trainingDataConfig": {"s3Uri": training},
            "validationDataConfig": {"s3Uri": validation},
            "outputDataConfig": {"s3Uri": output},
        }
        assert first["detail"]["jobStatus"] == "InProgress"
        assert "endTime" not in first["detail"]

    def test_say_why_a_job_failed(self, account: Account) -> None:
        arn = account.job(trainingDataConfig={"s3Uri": f"s3://{account.bucket()}/nothing"})
        job = account.ended(arn)
        assert account.events(arn, last="Failed")[-1]["detail"]["failureMessage"] == job["failureMessage"]


class TestRequests:
    def test_one_token_makes_one_job(self, account: Account) -> None:
        request = {**self._request(account), "clientRequestToken": unique("token")}
        first = account.bedrock("CreateModelCustomizationJob", **request)
        assert account.bedrock("CreateModelCustomizationJob", **request) == first

    def test_names_are_used_once(self, account: Account) -> None:
        job, model = unique("job"), unique("model")
        account.ended(account.job(jobName=job, customModelName=model))

        request = self._request(account)
        taken_job = account.refused("CreateModelCustomizationJob", **{**request, "jobName": job})
        taken_model = account.refused("CreateModelCustomizationJob", **{**request, "customModelName": model})
        assert taken_job.startswith("ConflictException")
        assert taken_model.startswith("ConflictException")

    @pytest.mark.parametrize(
        "changes",
        [
            {"baseModelIdentifier": "amazon.nova-nothing-v1:0"},
            {"baseModelIdentifier": "amazon.nova-micro-v1:0"},
            {"customizationType": "CONTINUED_PRE_TRAINING"},
            {"customizationType": "IMPORTED"},
            {"trainingDataConfig": {}},
            {"customModelKmsKeyId": "alias/nobodys"},
            {"hyperParameters": {"epochCount": "many"}},
            {"vpcConfig": {"subnetIds": ["subnet-0"], "securityGroupIds": ["sg-0"]}},
            {"roleArn": f"arn:aws:iam::{ACCOUNT_ID}:role/nobodys"},
        ],
    )
    def test_what_cannot_work_is_refused_at_once(self, account: Account, changes: dict[str, Any]) -> None:
        request = {**self._request(account), **changes}
        assert account.refused("CreateModelCustomizationJob", **request).startswith("ValidationException")
        assert account.refused("GetModelCustomizationJob", jobIdentifier=request["jobName"])

    def test_a_resource_has_few_tags(self, account: Account) -> None:
        tags = [{"key": f"k{number}", "value": ""} for number in range(51)]
        request = {**self._request(account), "jobTags": tags}
        assert account.refused("CreateModelCustomizationJob", **request).startswith("TooManyTagsException")

    def _request(self, account: Account) -> dict[str, Any]:
        return {
            "jobName": unique("job"),
            "customModelName": unique("model"),
            "roleArn": account.service_role(allow("s3:*")),
            "baseModelIdentifier": BASE,
            "trainingDataConfig": {"s3Uri": "s3://anything/at-all"},
            "outputDataConfig": {"s3Uri": "s3://anything/else"},
        }


class TestLists:
    def test_jobs_come_a_page_at_a_time_the_newest_first(self, account: Account) -> None:
        prefix = unique("listed")
        arns = [account.job(jobName=f"{prefix}-{number}") for number in range(5)]
        found: list[str] = []
        token: dict[str, str] = {}
        for _ in range(3):
            page = account.bedrock("ListModelCustomizationJobs", nameContains=prefix, maxResults=2, **token)
            found += [job["jobArn"] for job in page["modelCustomizationJobSummaries"]]
            token = {"nextToken": page["nextToken"]} if "nextToken" in page else {}

        assert token == {}
        assert found == list(reversed(arns))
        paginator = account.client("bedrock").get_paginator("list_model_customization_jobs")
        pages = paginator.paginate(nameContains=prefix, sortOrder="Ascending", PaginationConfig={"PageSize": 2})
        assert [job["jobArn"] for page in pages for job in page["modelCustomizationJobSummaries"]] == arns

    def test_jobs_are_filtered(self, account: Account) -> None:
        prefix = unique("filtered")
        begun = datetime.now(UTC)
        good = account.job(jobName=f"{prefix}-good", customModelName=f"{prefix}-model")
        bad = account.job(jobName=f"{prefix}-bad", trainingDataConfig={"s3Uri": f"s3://{account.bucket()}/nothing"})
        account.ended(good)
        account.ended(bad)

        def listed(**asked: Any) -> list[Any]:
            answer = account.bedrock("ListModelCustomizationJobs", nameContains=prefix, **asked)
            return list(answer["modelCustomizationJobSummaries"])

        assert [job["jobArn"] for job in listed(statusEquals="Failed")] == [bad]
        [completed] = listed(statusEquals="Completed")
        assert completed["customModelName"] == f"{prefix}-model"
        assert completed["customModelArn"].split(":")[5].startswith("custom-model/")
        assert listed(creationTimeBefore=begun) == []
        assert len(listed(creationTimeAfter=begun - timedelta(seconds=1))) == 2

    def test_a_token_nobody_gave_is_refused(self, account: Account) -> None:
        assert account.refused("ListModelCustomizationJobs", nextToken="!").startswith("ValidationException")


def test_creation_is_answered_at_once(account: Account, slowly: None) -> None:
    begun = time.monotonic()
    account.job()
    assert time.monotonic() - begun < 0.6
