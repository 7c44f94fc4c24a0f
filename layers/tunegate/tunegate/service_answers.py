"""What services that answer later say of a version. Adding one takes its name here, its event, its judgement."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from tunegate.model import Category, ObjectVersion
from tunegate.policy import MacieService, MalwareService, Policy


class Service(StrEnum):
    MALWARE = "malware"
    MACIE = "macie"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Wait(_Frozen):
    """A service whose answer a verdict waits for, and for how long at most."""

    service: Service
    seconds: int


class Seen(_Frozen):
    """What a service found: its type, how often, and the lines where it says them. Never the text."""

    category: Category
    type: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,100}$")]
    count: int = 1
    lines: tuple[int, ...] = ()


class StepError(_Frozen):
    """An error as Step Functions catches it."""

    Error: str
    Cause: str = ""


class Answer(_Frozen):
    """A service's answer on one version: a status in its own words and what it found, or why there is no answer."""

    service: Service
    status: Annotated[str, Field(max_length=200)] = ""
    seen: tuple[Seen, ...] = ()
    error: StepError | None = None


def waits_of(policy: Policy) -> tuple[Wait, ...]:
    """The services whose answers a verdict on a training file waits for."""
    services = policy.services
    if services.macie is not MacieService.GATE:
        return waits_of_model(policy)
    return (*waits_of_model(policy), Wait(service=Service.MACIE, seconds=services.macie_seconds))


def waits_of_model(policy: Policy) -> tuple[Wait, ...]:
    """The same for a file of a model, which Macie cannot read."""
    services = policy.services
    if services.malware is not MalwareService.GUARDDUTY:
        return ()
    return (Wait(service=Service.MALWARE, seconds=services.malware_seconds),)


def wait_key(version: ObjectVersion, service: Service) -> dict[str, Any]:
    """The ledger's key of the row in which a token and an answer meet."""
    return {"pk": {"S": f"wait#{version.digest}"}, "sk": {"S": service.value}}
