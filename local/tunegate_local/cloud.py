"""The embedded cloud: AWS on this machine, one process a service, gone when it stops.

`tunegate_local.deploy.up` starts it and deploys into it; `start` alone leaves it empty.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Self

from tunegate_local.emulator import ACCESS_KEY_ID, HOST, REGION, SECRET_ACCESS_KEY
from tunegate_local.processes import Process, is_ours, terminate

STACK = "tunegate"
STATE_DIR = Path(".tunegate")
START_SECONDS = 60.0
# What a user's own shell may hold, and what would send a call of ours to their real account.
FOREIGN = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_ROLE_ARN",
           "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CA_BUNDLE", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT",
           "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
           "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")  # fmt: skip


class CloudError(RuntimeError):
    """The embedded cloud cannot do what was asked; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """One port a service, on the loopback interface."""

    emulator: int = 4566
    comprehend: int = 4701
    bedrock_runtime: int = 4702
    oncall: int = 4710

    @classmethod
    def available(cls) -> Self:
        """The defaults, but a free port in place of each that is taken."""
        # Held open until all are chosen, so that no port is chosen twice.
        with ExitStack() as held:
            return cls(*(_available(field.default, held) for field in fields(cls)))


@dataclass(frozen=True, slots=True)
class Cloud:
    """A running embedded cloud; `stop` it, or use it as a context manager."""

    ports: Ports
    state_dir: Path
    processes: tuple[Process, ...]

    def environment(self) -> dict[str, str]:
        """What an AWS SDK needs to reach this cloud as the administrator of its account."""
        return _environment(self.ports)

    def process_environment(self) -> dict[str, str]:
        """This process's environment, pointed at this cloud: for subprocesses."""
        return _process_environment(self.ports)

    @property
    def oncall_url(self) -> str:
        return _url(self.ports.oncall)

    def wait(self, names: tuple[str, ...] = ()) -> None:
        """Wait until every service answers, or those named. Raises CloudError naming the one that does not."""
        for process in self.processes:
            if not names or process.name in names:
                _wait(process)

    def stop(self) -> None:
        """Stop every process of this cloud and forget its state. Safe to repeat."""
        for process in reversed(self.processes):
            terminate(process)
        shutil.rmtree(self.state_dir / "tmp", ignore_errors=True)
        _record(self.state_dir).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(ports: Ports | None = None, state_dir: Path = STATE_DIR, wait_for: tuple[str, ...] = ()) -> Cloud:
    """Start every service and wait until each answers, or only those named; `Cloud.wait` waits for the rest.

    Raises CloudError when one is already running from this directory, or when one does not come up.
    """
    if running(state_dir) is not None:
        raise CloudError(f"An embedded cloud already runs from {state_dir}; stop it first: tunegate down")
    ports = ports or Ports.available()
    state_dir = state_dir.resolve()
    temporary = state_dir / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    environment = _process_environment(ports) | {
        "TMPDIR": str(temporary),
        "TUNEGATE_LOCAL_COMPREHEND_URL": _url(ports.comprehend),
        "TUNEGATE_LOCAL_GUARDRAILS_URL": _url(ports.bedrock_runtime),
    }
    started: list[Process] = []
    try:
        for name, arguments, port in _services(ports):
            started.append(_spawn(name, arguments, port, environment, state_dir))
            # Written as we go: `tunegate down` also stops what a killed start has left behind.
            _write(Cloud(ports, state_dir, tuple(started)))
        cloud = Cloud(ports, state_dir, tuple(started))
        cloud.wait(wait_for)
    except BaseException:
        Cloud(ports, state_dir, tuple(started)).stop()
        raise
    return cloud


def running(state_dir: Path = STATE_DIR) -> Cloud | None:
    """The cloud that was started from `state_dir`, by whatever process, if any of it still runs."""
    try:
        record = json.loads(_record(state_dir).read_text())
        processes = tuple(Process(**process) for process in record["processes"])
        cloud = Cloud(Ports(**record["ports"]), state_dir.resolve(), processes)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return cloud if any(is_ours(process) for process in processes) else None


def _services(ports: Ports) -> Iterator[tuple[str, list[str], int]]:
    yield "comprehend", ["tunegate_local.detectors", "comprehend"], ports.comprehend
    yield "bedrock-runtime", ["tunegate_local.detectors", "bedrock-runtime"], ports.bedrock_runtime
    yield "oncall", ["tunegate_local", "oncall"], ports.oncall
    yield "emulator", ["tunegate_local", "emulator"], ports.emulator


def _environment(ports: Ports) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": _url(ports.emulator),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "TUNEGATE_STACK": STACK,
    }


def _process_environment(ports: Ports) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not _foreign(name)}
    return inherited | _environment(ports)


def _foreign(name: str) -> bool:
    return name in FOREIGN or name.startswith("AWS_ENDPOINT_URL")


def _spawn(name: str, arguments: list[str], port: int, environment: Mapping[str, str], state_dir: Path) -> Process:
    log = state_dir / f"{name}.log"
    command = [sys.executable, "-m", *arguments, "--port", str(port)]
    with log.open("wb") as output:
        # A session of its own: Ctrl-C in the terminal does not reach it, and its children can be stopped with it.
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    return Process(name, child.pid, port, str(log))


def _wait(process: Process) -> None:
    path = "/_ministack/ready" if process.name == "emulator" else "/_ready"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if not is_ours(process):
            raise CloudError(f"{process.name} ended while starting; its last words are in {process.log}")
        try:
            with urllib.request.urlopen(_url(process.port) + path, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise CloudError(
        f"{process.name} did not answer on port {process.port} in {START_SECONDS:.0f} s; see {process.log}"
    )


def _available(port: object, held: ExitStack) -> int:
    for candidate in (port, 0):
        probe = held.enter_context(socket.socket())
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, candidate))
        except OSError:
            continue
        return int(probe.getsockname()[1])
    raise CloudError("No free port on the loopback interface")


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"


def _record(state_dir: Path) -> Path:
    return state_dir / "cloud.json"


def _write(cloud: Cloud) -> None:
    record = {"ports": asdict(cloud.ports), "processes": [asdict(process) for process in cloud.processes]}
    _record(cloud.state_dir).write_text(json.dumps(record, indent=2))
