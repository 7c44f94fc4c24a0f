"""One deployment of the whole product into the embedded cloud, for all end-to-end tests, with IAM evaluated."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import boto3
import pytest

from tunegate.model import ObjectVersion
from tunegate.observe.ledger import decisions_of
from tunegate.observe.policies import current_policy
from tunegate.policy import default_policy
from tunegate.rows import DecisionRow
from tunegate_local.cloud import Cloud
from tunegate_local.deploy import up

SETTLE_SECONDS = 240.0
"""Generous: on a busy machine of two cores a cold start takes many seconds."""


def wait_for[T](what: str, look: Callable[[], T | None], seconds: float = SETTLE_SECONDS) -> T:
    """Ask until there is an answer; fail naming what did not come."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.3)
    pytest.fail(f"{what} did not come within {seconds:.0f} s")


@dataclass(frozen=True)
class Deployment:
    """The deployed product: its outputs, and clients as the account's administrator or as any role."""

    cloud: Cloud
    outputs: dict[str, str]

    def client(self, service: str, role: str | None = None) -> Any:
        environment = self.cloud.environment()
        name = f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}"
        keys = self._credentials(role) if role else {
            "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
        }  # fmt: skip
        endpoint = environment.get(name, environment["AWS_ENDPOINT_URL"])
        return boto3.client(service, endpoint_url=endpoint, region_name=environment["AWS_REGION"], **keys)  # type: ignore[call-overload]

    def put(self, key: str, body: bytes, **options: Any) -> ObjectVersion:
        bucket = self.outputs["IntakeBucket"]
        answer = self.client("s3").put_object(Bucket=bucket, Key=key, Body=body, **options)
        return ObjectVersion(bucket, key, answer["VersionId"])

    def decisions(self, key: str) -> list[DecisionRow]:
        return decisions_of(self.client("dynamodb"), self.outputs["LedgerTable"], key)

    def settled(self, version: ObjectVersion) -> DecisionRow:
        return wait_for(
            f"a decision on {version.key}",
            lambda: next((row for row in self.decisions(version.key) if row.decision.subject == version), None),
        )

    def versions(self, bucket: str, key: str) -> list[dict[str, Any]]:
        answer = self.client("s3").list_object_versions(Bucket=self.outputs[bucket], Prefix=key)
        return [version for version in answer.get("Versions", []) if version["Key"] == key]

    def body(self, version: ObjectVersion) -> bytes:
        got = self.client("s3").get_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
        return bytes(got["Body"].read())

    def alerts(self, key: str) -> list[dict[str, Any]]:
        """The alerts about one key, as the on-call endpoint received them."""
        with urllib.request.urlopen(self.cloud.oncall_url + "/alerts") as answer:
            notifications = json.load(answer)
        messages = [json.loads(n["Message"]) for n in notifications if n.get("Type") == "Notification"]
        return [message for message in messages if message.get("object", {}).get("key") == key]

    @contextmanager
    def policy(self, **sections: dict[str, Any]) -> Iterator[None]:
        """The shipped policy with some settings changed, in force for a while."""
        document = json.loads(default_policy().canonical())
        for section, settings in sections.items():
            document[section] |= settings
        before = self._in_force()
        self._put_in_force(document)
        try:
            yield
        finally:
            self._put_in_force(before)

    def _in_force(self) -> dict[str, Any]:
        policy = current_policy(self.client("s3"), self.outputs["PolicyBucket"])
        return cast(dict[str, Any], json.loads(policy.canonical()))

    def _put_in_force(self, document: dict[str, Any]) -> None:
        bucket, s3 = self.outputs["PolicyBucket"], self.client("s3", self.outputs["OperatorRoleArn"])
        s3.put_object(Bucket=bucket, Key="proposed/policy.json", Body=json.dumps(document).encode())
        wait_for("the policy in force", lambda: self._in_force() == document or None)

    def _credentials(self, role: str) -> dict[str, str]:
        answer = self.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return {
            "aws_access_key_id": answer["AccessKeyId"],
            "aws_secret_access_key": answer["SecretAccessKey"],
            "aws_session_token": answer["SessionToken"],
        }


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    cloud, outputs = up(tmp_path_factory.mktemp("cloud"))
    with cloud:
        yield Deployment(cloud, outputs)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is held against everything that happened comes last."""
    items.sort(key=lambda item: item.path.name == "test_permissions.py")
