"""A bare emulator for the contract tests: no stack, no detectors, one process."""

import io
import json
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from tunegate_local.cloud import Cloud, Ports
from tunegate_local.emulator import ACCOUNT_ID

ASSUMABLE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


@dataclass(frozen=True)
class Emulator:
    """Clients of one running emulator, as the account's administrator or as a role of it."""

    port: int

    def client(self, service: str, role: str | None = None) -> Any:
        environment = Cloud(Ports(emulator=self.port), Path(), ()).environment()
        keys = {
            "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
        }
        if role is not None:
            session = self.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
            keys = {
                "aws_access_key_id": session["AccessKeyId"],
                "aws_secret_access_key": session["SecretAccessKey"],
                "aws_session_token": session["SessionToken"],
            }
        url = environment["AWS_ENDPOINT_URL"]
        return boto3.client(service, endpoint_url=url, region_name=environment["AWS_REGION"], **keys)  # type: ignore[call-overload]

    def role(self, name: str, *actions: str) -> str:
        """A role that IAM lets do these actions on everything."""
        iam = self.client("iam")
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(ASSUMABLE))["Role"]["Arn"]
        if actions:
            allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
            iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=document)
        return arn

    def deny(self, bucket: str, action: str, condition: dict[str, Any]) -> None:
        """Give the bucket a policy that denies one action on its objects to everybody of whom the condition is true."""
        resource = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
        denied = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource, "Condition": condition}
        self.client("s3").put_bucket_policy(
            Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [denied]})
        )

    def stack(self, name: str, resources: dict[str, Any]) -> None:
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
        waiter = cloudformation.get_waiter("stack_create_complete")
        waiter.wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    def function(self, name: str, source: str, layers: tuple[str, ...] = ()) -> None:
        """A Lambda function `app.handler` of this source."""
        functions = self.client("lambda")
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="app.handler",
            Role=self.role(f"{name}-role"),
            Code={"ZipFile": archive({"app.py": source})},
            Timeout=60,
            Layers=list(layers),
        )
        functions.get_waiter("function_active_v2").wait(FunctionName=name)

    def invoke(self, name: str) -> Any:
        return json.load(self.client("lambda").invoke(FunctionName=name, Payload=b"{}")["Payload"])


def archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as contents:
        for name, text in files.items():
            contents.writestr(name, text)
    return buffer.getvalue()


@contextmanager
def running(log: Path) -> Iterator[Emulator]:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "tunegate_local", "emulator", "--port", str(port)]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as process:
        try:
            _wait(port, process)
            yield Emulator(port)
        finally:
            process.terminate()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/ready", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"the emulator did not answer on port {port}")
