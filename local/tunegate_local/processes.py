"""The operating system's processes that the embedded cloud consists of."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Process:
    """One service: the leader of a session of its own, with whatever children it started."""

    name: str
    pid: int
    port: int
    log: str


def is_ours(process: Process) -> bool:
    """Whether that process still runs. The id of an ended one is used again, so the command is looked at too."""
    with suppress(ChildProcessError):
        # A child of ours that has ended stays a zombie, which looks alive, until it is waited for.
        os.waitpid(process.pid, os.WNOHANG)
    return "tunegate_local" in _command(process.pid)


def terminate(process: Process) -> None:
    """Ask the process to end, then end it and all it started."""
    if is_ours(process):
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while is_ours(process) and time.monotonic() < deadline:
            time.sleep(0.05)
        # Its group lasts as long as a Lambda worker in it, and while it lasts no other process gets that id.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except FileNotFoundError:
        # No such process, or a system without /proc.
        with suppress(FileNotFoundError):
            return subprocess.run(
                ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
            ).stdout
        return ""
