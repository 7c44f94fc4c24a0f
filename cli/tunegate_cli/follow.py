"""Following a launch to its end: what the state machine last learned of the job, until it has decided."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.text import Text

from tunegate.launch import Progress
from tunegate_cli.console import messages, printable, say

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

POLL_SECONDS = 5.0
_LAUNCH, _FOLLOW = "LaunchJob", "FollowJob"
_EVENTS = 100
"""More than one turn of the machine's loop has, its retries among them."""


@dataclass(frozen=True, slots=True)
class Look:
    """A launch as it is now: the execution's status as Step Functions has it, and how far the job is."""

    status: str
    progress: Progress = field(default_factory=lambda: Progress(arn="", status="launching"))
    cause: str = ""

    @property
    def has_ended(self) -> bool:
        return self.status not in {"RUNNING", "PENDING_REDRIVE"}


def follow(stepfunctions: "SFNClient", execution: str) -> Look:
    """Look until the launch has ended, telling each change on stderr. However it is cut short, it says how to go on."""
    seen, told = Look("RUNNING"), ""
    try:
        with _waiting() as wait:
            while True:
                seen = look(stepfunctions, execution)
                line = _line(seen)
                if line != told:
                    say(line)
                    told = line
                if seen.has_ended:
                    return seen
                wait(line)
                time.sleep(POLL_SECONDS)
    except BaseException:
        say(f"The job goes on without this command. {how_to_follow(execution, seen.progress.arn)}")
        raise


def look(stepfunctions: "SFNClient", execution: str) -> Look:
    described = stepfunctions.describe_execution(executionArn=execution)
    progress = _newest_progress(stepfunctions, execution)
    cause = described.get("cause", "")
    return Look(described["status"], progress, cause) if progress else Look(described["status"], cause=cause)


def how_to_follow(execution: str, job: str) -> str:
    if job:
        return f"To see how far it is: tunegate jobs {job}"
    return f"To see how far it is: aws stepfunctions describe-execution --execution-arn {execution}"


def _newest_progress(stepfunctions: "SFNClient", execution: str) -> Progress | None:
    """From the newest step that told something of the job: its launch at first, and then each look at it."""
    history = stepfunctions.get_execution_history(executionArn=execution, reverseOrder=True, maxResults=_EVENTS)
    for event in history["events"]:
        left = event.get("stateExitedEventDetails")
        if left and left["name"] in {_LAUNCH, _FOLLOW}:
            output: dict[str, Any] = json.loads(left["output"])
            return Progress.model_validate(output.get("followed") or {"status": "launched"} | output["job"])
    return None


def _line(seen: Look) -> str:
    progress = seen.progress
    return " ".join(filter(None, (progress.status, progress.approval, progress.model_arn or progress.arn)))


@contextmanager
def _waiting() -> Iterator[Callable[[str], None]]:
    """A spinner with the last line beside it, where stderr is a terminal; nothing where it is not."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with messages().status("") as spinner:
        yield lambda line: spinner.update(Text(printable(line)))
