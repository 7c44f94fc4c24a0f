"""What the answers of Bedrock and SageMaker have in common, in one form."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from tunegate.job_facts import State

type Answer = Mapping[str, Any]

# Statuses of every kind of subject, by botocore's models.
DONE = frozenset({"Completed", "Active", "InService"})
ENDED = frozenset({"Failed", "Stopped", "Deleting"})


def state_of(status: str) -> State:
    """A status that is not known to be an end counts as running: it is looked at again and approved by nothing."""
    return State.DONE if status in DONE else State.ENDED if status in ENDED else State.RUNNING


def ended_at(answer: Answer) -> str:
    """When a Bedrock job ended, by its last change where it does not say; empty while it runs."""
    if state_of(answer.get("status", "")) is State.RUNNING:
        return ""
    return moment(answer.get("endTime") or answer.get("lastModifiedTime"))


def moment(time: datetime | None) -> str:
    return time.astimezone(UTC).isoformat() if time else ""


def present(values: Iterable[str | None]) -> tuple[str, ...]:
    """Those that are there, each once."""
    return tuple(dict.fromkeys(value for value in values if value))


def models_among(arns: Iterable[str | None]) -> tuple[str, ...]:
    """Those that are models made by customers: AWS's own are not the gate's to approve."""
    return tuple(arn for arn in present(arns) if ":custom-model/" in arn or ":imported-model/" in arn)
