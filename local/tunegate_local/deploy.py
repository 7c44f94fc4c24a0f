"""`sam build` and `sam deploy` of this repository into the embedded cloud: the same commands a real account gets."""

import fcntl
import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from tunegate_local.cloud import STACK, STATE_DIR, Cloud, CloudError, start

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = "tunegate-artifacts"
SOURCES = ("template.yaml", "samconfig.toml", "stacks", "functions", "layers", "statemachines")


def up(state_dir: Path = STATE_DIR) -> tuple[Cloud, dict[str, str]]:
    """Start the embedded cloud, deploy into it and subscribe the on-call endpoint: the cloud, and the stack's outputs.

    The detectors load their models meanwhile, which takes about as long as the deployment.
    """
    cloud = start(state_dir=state_dir, wait_for=("emulator", "oncall"))
    try:
        outputs = deploy(cloud.process_environment(), state_dir=cloud.state_dir)
        subscribe(cloud.environment(), outputs["AlertsTopicArn"], cloud.oncall_url)
        cloud.wait()
    except BaseException:
        cloud.stop()
        raise
    return cloud, outputs


def deploy(environment: Mapping[str, str], stack: str = STACK, state_dir: Path = STATE_DIR) -> dict[str, str]:
    """Deploy `template.yaml` and answer its outputs. What sam says goes to `deploy.log` in `state_dir`.

    Raises CloudError naming the resource that failed, and why.
    """
    log = state_dir / "deploy.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    cloudformation = _client("cloudformation", environment)
    # A bucket of its own spares sam the stack it would make to have one.
    _client("s3", environment).create_bucket(Bucket=ARTIFACTS)
    parameters = [
        f"Architecture={_architecture()}",
        "LedgerDeletionProtection=false",
        "CreateMacieSession=true",
        "MacieIdentifierRegex=TG-[0-9]{8}",
        "MacieAllowListRegex=219-09-9999",
        "CreateMalwarePlan=true",
        "FollowUpSeconds=2",
        "PollSeconds=2",
    ]
    with log.open("wb") as output, _alone():
        if not _build(parameters, environment, output):
            raise CloudError(f"sam build failed; see {log}")
        options = [
            "--s3-bucket",
            ARTIFACTS,
            "--no-resolve-s3",
            "--no-confirm-changeset",
            "--no-progressbar",
            "--stack-name",
            stack,
        ]
        if _sam(["deploy", *options, "--parameter-overrides", *parameters], environment, output):
            raise CloudError(f"sam deploy failed: {_reason(cloudformation, stack)}; see {log}")
    outputs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}


def subscribe(environment: Mapping[str, str], topic_arn: str, url: str) -> None:
    """Subscribe an HTTP endpoint, such as the on-call's, to the alerts; it confirms by itself."""
    _client("sns", environment).subscribe(TopicArn=topic_arn, Protocol="http", Endpoint=url, ReturnSubscriptionArn=True)


def _build(parameters: list[str], environment: Mapping[str, str], output: Any) -> bool:
    """Build, unless what is built is of these very sources: sam takes seconds to find out what its own cache saves."""
    # In the folder that sam empties when it builds.
    stamp = ROOT / ".aws-sam" / "build" / "sources.sha256"
    sources = _digest(parameters)
    if stamp.is_file() and stamp.read_text() == sources:
        return True
    if _sam(["build", "--parameter-overrides", *parameters], environment, output):
        return False
    stamp.write_text(sources)
    return True


def _digest(parameters: list[str]) -> str:
    """One digest of everything `sam build` reads."""
    digest = hashlib.sha256("\0".join(parameters).encode())
    for source in SOURCES:
        files = (ROOT / source).rglob("*") if (ROOT / source).is_dir() else [ROOT / source]
        for file in sorted(file for file in files if file.is_file() and "__pycache__" not in file.parts):
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


@contextmanager
def _alone() -> Iterator[None]:
    """Wait for any other deployment from this repository: sam builds all of them in one folder."""
    lock = ROOT / ".aws-sam" / "lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _sam(arguments: list[str], environment: Mapping[str, str], output: Any) -> int:
    scripts = str(Path(sys.executable).parent)
    isolated = {
        # sam looks for python3.13 and its pip there.
        "PATH": os.pathsep.join((scripts, environment.get("PATH", os.defpath))),
        "SAM_CLI_TELEMETRY": "0",
        # Where sam keeps its own settings: not in the user's home.
        "__SAM_CLI_APP_DIR": str(ROOT / ".aws-sam" / "settings"),
        "PYTHONPATH": "",
    }
    command = [str(Path(scripts) / "sam"), *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, **isolated},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        check=False,
    ).returncode


def _reason(cloudformation: Any, stack: str) -> str:
    """The first failure in the events of the stack or of one nested in it."""
    try:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    except cloudformation.exceptions.ClientError:
        return "the stack was not created"
    for event in sorted(events, key=lambda event: event["Timestamp"]):
        if not event["ResourceStatus"].endswith("_FAILED") or "cancelled" in event.get("ResourceStatusReason", ""):
            continue
        nested = event.get("PhysicalResourceId", "")
        if event["ResourceType"] == "AWS::CloudFormation::Stack" and nested not in ("", event["StackId"]):
            return _reason(cloudformation, nested)
        reason = event.get("ResourceStatusReason", "no reason given")
        return f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"
    return "no resource says why"


def _architecture() -> str:
    """The host's own: the emulator runs the functions as processes of this machine."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def _client(service: str, environment: Mapping[str, str]) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
