"""Shared by the contract tests of the embedded services: running them, calling them, holding answers to the model."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.model import ListShape, ServiceModel, Shape, StringShape, StructureShape

LOCAL = Path(__file__).parents[2] / "local"
REGION = "us-east-1"
# Loading the language model takes seconds; on a busy machine many more.
STARTING_SECONDS = 240
STOPPING_SECONDS = 30
_SCALARS = {"integer": int, "long": int, "float": float, "double": float, "boolean": bool}


@dataclass(frozen=True)
class Server:
    """A service in a process of its own. `output` is the file that gets all it writes."""

    process: subprocess.Popen[bytes]
    endpoint: str
    output: Path

    @classmethod
    def start(cls, service: str, output: Path) -> "Server":
        port = _free_port()
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "tunegate_local.detectors", service, "--port", str(port)],
                env={**os.environ, "PYTHONPATH": str(LOCAL)},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        return cls(process, f"http://127.0.0.1:{port}", output)

    def becomes_ready(self) -> bool:
        deadline = time.monotonic() + STARTING_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                return http("GET", f"{self.endpoint}/_ready")[0] == 200
            except OSError:
                time.sleep(0.1)
        return False

    def stop(self) -> int:
        """The exit status after SIGTERM."""
        self.process.terminate()
        try:
            return self.process.wait(STOPPING_SECONDS)
        finally:
            self.process.kill()


def client(service: str, endpoint: str, **settings: Any) -> Any:
    """A client that sends what it is given: no checks on its side and no retries, unless a setting says so."""
    config = {"parameter_validation": False, "retries": {"max_attempts": 0}, **settings}
    return boto3.session.Session(
        aws_access_key_id="AKIATESTTESTTESTTEST", aws_secret_access_key="unused", region_name=REGION
    ).client(service, endpoint_url=endpoint, config=Config(**config))  # type: ignore[call-overload]


def http(method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Status and body of a plain HTTP request, whatever the status."""
    request = urllib.request.Request(url, body or None, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def assert_of_shape(shape: Shape | None, value: Any, path: str = "answer") -> None:
    """An answer, as the client parsed it: nothing unknown, nothing required missing, all of type, range and enum."""
    if isinstance(shape, StructureShape):
        members = {name: member for name, member in value.items() if name != "ResponseMetadata"}
        assert members.keys() <= shape.members.keys(), f"{path} has members the model does not know"
        assert set(shape.required_members) <= members.keys(), f"{path} lacks required members"
        for name, member in members.items():
            assert_of_shape(shape.members[name], member, f"{path}.{name}")
    elif isinstance(shape, ListShape):
        assert isinstance(value, list), path
        for number, item in enumerate(value):
            assert_of_shape(shape.member, item, f"{path}[{number}]")
    elif isinstance(shape, StringShape):
        assert isinstance(value, str), path
        assert not shape.enum or value in shape.enum, f"{path} is outside the model's enumeration"
        assert len(value) >= shape.metadata.get("min", 0), path
    else:
        assert shape is not None
        assert isinstance(value, _SCALARS[shape.type_name]), path
        assert shape.metadata.get("min", value) <= value <= shape.metadata.get("max", value), path


def assert_answer(service: str, operation: str, answer: dict[str, Any]) -> None:
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answer["ResponseMetadata"]["RequestId"]
    assert_of_shape(model(service).operation_model(operation).output_shape, answer)
