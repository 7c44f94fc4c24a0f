"""An account of the emulator with what Bedrock's jobs need: buckets, keys, roles, data; Bedrock's answers, checked."""

import itertools
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contract.emulator import Emulator
from contract.local_services import http, model
from tunegate_local.detectors.constraints import unknown_members, violations
from tunegate_local.emulator import ACCOUNT_ID, REGION

BASE = "amazon.nova-micro-v1:0:128k"
STAGE_SECONDS = 0.05
RECORD = b'{"prompt": "How warm is it?", "completion": "Warm enough."}\n'
_numbers = itertools.count()


@dataclass(frozen=True)
class Account:
    """Builders and clients. Whatever they make has a name of its own, so that tests share one emulator."""

    emulator: Emulator
    _clients: dict[tuple[str, str | None], Any] = field(default_factory=dict)

    def client(self, service: str, role: str | None = None) -> Any:
        """A client as the administrator or as a role; one for all tests."""
        if (service, role) not in self._clients:
            self._clients[service, role] = self.emulator.client(service, role)
        return self._clients[service, role]

    def bedrock(self, operation: str, role: str | None = None, service: str = "bedrock", /, **parameters: Any) -> Any:
        """The answer of an operation by its name in the API, held to botocore's model."""
        client = self.client(service, role)
        [method] = [name for name, api in client.meta.method_to_api_mapping.items() if api == operation]
        answer = getattr(client, method)(**parameters)
        described = model(service).operation_model(operation)
        metadata = answer.pop("ResponseMetadata")
        assert metadata["HTTPStatusCode"] == described.http["responseCode"]
        if "body" in answer:
            answer["body"] = answer["body"].read()
        assert not [*unknown_members(described.output_shape, answer), *violations(described.output_shape, answer)]
        return answer

    def refused(self, operation: str, role: str | None = None, service: str = "bedrock", /, **parameters: Any) -> str:
        """The code and message of the error an operation answers."""
        with pytest.raises(ClientError) as caught:
            self.bedrock(operation, role, service, **parameters)
        error = caught.value.response["Error"]
        assert error["Message"]
        return f"{error['Code']}: {error['Message']}"

    def bucket(self) -> str:
        name = unique("bucket")
        self.client("s3").create_bucket(Bucket=name)
        return name

    def data(self, content: bytes = RECORD * 20, key: str = "train/data.jsonl") -> tuple[str, str]:
        """A bucket with one object, and the object's s3Uri."""
        bucket = self.bucket()
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
        return bucket, f"s3://{bucket}/{key}"

    def key(self, *statements: dict[str, Any]) -> str:
        """A key whose use IAM decides, or that only these statements allow besides its administration."""
        administration = ["kms:*"] if not statements else ["kms:Describe*", "kms:List*", "kms:RevokeGrant", "kms:Put*"]
        root = allow(administration, Principal={"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"})
        policy = json.dumps(document(root, *statements))
        arn: str = self.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
        return arn

    def service_role(
        self,
        *statements: dict[str, Any],
        kind: str = "model-customization-job",
        trust: Mapping[str, Any] | None = None,
    ) -> str:
        """A role Bedrock may assume for jobs of a kind, with these permissions."""
        name = unique("service")
        source = f"arn:aws:bedrock:{REGION}:{ACCOUNT_ID}:{kind}/*"
        trusted = {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}, "ArnEquals": {"aws:SourceArn": source}}
        principal = {"Service": "bedrock.amazonaws.com"}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": trusted}
        policy = document({**statement, **(trust or {})})
        iam = self.client("iam")
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(policy))["Role"]["Arn"]
        self.permit(arn, *statements)
        return arn

    def caller(self, *statements: dict[str, Any]) -> str:
        """A role people assume, with these permissions."""
        arn = self.emulator.role(unique("caller"))
        self.permit(arn, *statements)
        return arn

    def permit(self, role: str, *statements: dict[str, Any]) -> None:
        """What the role may do from now on, and nothing else."""
        name, iam = role.rsplit("/", 1)[-1], self.client("iam")
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(document(*statements)))

    def job(self, role: str | None = None, /, **changes: Any) -> str:
        """A customization job on data of its own; with a service role that may read and write everything in S3."""
        request = {
            "jobName": unique("job"),
            "customModelName": unique("model"),
            "roleArn": role or self.service_role(allow("s3:*")),
            "baseModelIdentifier": BASE,
            **changes,
        }
        if "trainingDataConfig" not in request:
            request["trainingDataConfig"] = {"s3Uri": self.data()[1]}
        if "outputDataConfig" not in request:
            request["outputDataConfig"] = {"s3Uri": f"s3://{self.bucket()}/out/"}
        arn: str = self.bedrock("CreateModelCustomizationJob", **request)["jobArn"]
        return arn

    def ended(self, job: str) -> Any:
        """A customization job's details once it has ended."""
        return until(
            lambda: self.bedrock("GetModelCustomizationJob", jobIdentifier=job),
            lambda found: found["status"] in ("Completed", "Failed", "Stopped"),
        )

    def trained(self, role: str | None = None, /, **changes: Any) -> str:
        """The ARN of a new custom model."""
        found = self.ended(self.job(role, **changes))
        assert found["status"] == "Completed", found.get("failureMessage")
        arn: str = found["outputModelArn"]
        return arn

    def deployed(self, model_arn: str, /, **changes: Any) -> str:
        """The ARN of an active deployment of a custom model."""
        asked = {"modelDeploymentName": unique("deployment"), "modelArn": model_arn, **changes}
        arn: str = self.bedrock("CreateCustomModelDeployment", **asked)["customModelDeploymentArn"]
        until(
            lambda: self.bedrock("GetCustomModelDeployment", customModelDeploymentIdentifier=arn),
            lambda found: found["status"] == "Active",
        )
        return arn

    def stage_seconds(self, seconds: float) -> None:
        """How long a stage takes from now on."""
        url = f"http://127.0.0.1:{self.emulator.port}/_tunegate/jobs"
        assert http("PUT", url, json.dumps({"seconds": seconds}).encode())[0] < 300

    def events(self, job: str, last: str) -> list[dict[str, Any]]:
        """The job's events in their order, once its last state is among them."""
        url = f"http://127.0.0.1:{self.emulator.port}/_tunegate/events"

        def published() -> list[dict[str, Any]]:
            every: list[dict[str, Any]] = json.loads(http("GET", url)[1])
            return [event for event in every if event["detail"].get("jobArn") == job]

        return until(published, lambda found: any(event["detail"]["jobStatus"] == last for event in found))


def unique(prefix: str) -> str:
    return f"{prefix}-{next(_numbers)}"


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """A statement; a condition, or a principal where it is for a resource's own policy, may be added."""
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def until[T](look: Callable[[], T], is_so: Callable[[T], bool]) -> T:
    """What is seen once it is so."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = look()
        if is_so(found):
            return found
        time.sleep(0.02)
    raise TimeoutError(f"never became so: {found}")
