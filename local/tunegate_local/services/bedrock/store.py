"""What an account has of Bedrock in one Region, and who may ask for it."""

import secrets
import string
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from tunegate_local.detectors.wire import Call, ServiceError

MOST_TAGS = 50
_ID_LETTERS = string.ascii_lowercase + string.digits

type Details = dict[str, Any]
type Tags = dict[str, str]
type Operations = dict[str, Callable[[Call, Caller], Details]]


class JobError(Exception):
    """A job cannot go on; the message is its failure message."""


class Caller(Protocol):
    """Who calls: the emulator's answer to whose key signed the request."""

    @property
    def account(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def arn(self) -> str: ...

    def require(
        self, action: str, resource: str, context: Mapping[str, Any] | None = None, service: str = "bedrock"
    ) -> None:
        """Raises AccessDeniedException unless IAM, and the resource's own policy, let the caller do this."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The grant by which Bedrock uses a customer managed key."""

    key_arn: str
    grant_id: str


@dataclass(slots=True)
class Resource:
    """One resource. `details` is what its Get operation answers, by botocore's member names."""

    arn: str
    name: str
    created: datetime
    details: Details
    tags: Tags = field(default_factory=dict)
    grant: Grant | None = None


class Shelf:
    """The resources of one kind, found by ARN or by name."""

    def __init__(self) -> None:
        self._by_arn: dict[str, Resource] = {}

    def __iter__(self) -> Iterator[Resource]:
        return iter(list(self._by_arn.values()))

    def add(self, resource: Resource) -> Resource:
        """Keeps it from now on."""
        self._by_arn[resource.arn] = resource
        return resource

    def remove(self, resource: Resource) -> None:
        """Keeps it no more."""
        self._by_arn.pop(resource.arn, None)

    def find(self, identifier: str) -> Resource | None:
        """The one of this ARN or name."""
        named = (resource for resource in self if resource.name == identifier)
        return self._by_arn.get(identifier) or next(named, None)

    def get(self, identifier: str) -> Resource:
        """The one of this ARN or name, or ResourceNotFoundException."""
        found = self.find(identifier)
        if found is None:
            raise ServiceError("ResourceNotFoundException", "The requested resource could not be found.")
        return found


class Store:
    """One account's resources in one Region."""

    def __init__(self, account: str, region: str) -> None:
        self.account = account
        self.region = region
        self.lock = threading.RLock()
        self.logging: Details | None = None
        self.customizations, self.imports, self.copies = Shelf(), Shelf(), Shelf()
        self.custom_models, self.imported_models = Shelf(), Shelf()
        self.throughputs, self.deployments, self.guardrails = Shelf(), Shelf(), Shelf()
        self.guardrail_versions: dict[str, dict[str, Details]] = {}
        self._answers: dict[tuple[str, str], Details] = {}

    def shelves(self) -> tuple[Shelf, ...]:
        """Every kind that can be tagged."""
        return (
            self.customizations, self.imports, self.copies, self.custom_models,
            self.imported_models, self.throughputs, self.deployments, self.guardrails,
        )  # fmt: skip

    def find(self, arn: str) -> Resource | None:
        """The resource of whatever kind with this ARN."""
        found = (shelf.find(arn) for shelf in self.shelves() if arn.startswith("arn:"))
        return next((resource for resource in found if resource is not None), None)

    def arn(self, resource: str) -> str:
        """The ARN of a resource of this account and Region."""
        return f"arn:aws:bedrock:{self.region}:{self.account}:{resource}"

    def once(self, call: Call, act: Callable[[], Details]) -> Details:
        """Acts, unless a call with this clientRequestToken already did: then its answer again."""
        token = call.parameters.get("clientRequestToken")
        with self.lock:
            if token is None:
                return act()
            key = (call.operation.name, token)
            if key not in self._answers:
                self._answers[key] = act()
            return self._answers[key]


class Estate:
    """Every account's and Region's store, and what Bedrock uses of the cloud around it."""

    def __init__(self, announce: Callable[[Store, Resource, str], None], stage_seconds: Callable[[], float]) -> None:
        self.announce = announce
        self.stage_seconds = stage_seconds
        self._lock = threading.Lock()
        self._stores: dict[tuple[str, str], Store] = {}

    def store(self, account: str, region: str) -> Store:
        """Made when first asked for."""
        with self._lock:
            return self._stores.setdefault((account, region), Store(account, region))

    def of(self, caller: Caller) -> Store:
        """The store of the caller's account in the Region of the request."""
        return self.store(caller.account, caller.region)

    def at(self, arn: str) -> Store:
        """The store of the account and Region an ARN names."""
        _, _, _, region, account, _ = arn.split(":", 5)
        return self.store(account, region)


def new_id() -> str:
    """Twelve lower-case letters and digits, as Bedrock's resources have."""
    return "".join(secrets.choice(_ID_LETTERS) for _ in range(12))


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def tags_of(pairs: list[dict[str, str]] | None) -> Tags:
    """`[{key, value}]` as a dict. Raises TooManyTagsException over what one resource may have."""
    tags = {pair["key"]: pair["value"] for pair in pairs or []}
    require_few(tags)
    return tags


def require_few(tags: Tags) -> None:
    """Raises TooManyTagsException over what one resource may have."""
    if len(tags) > MOST_TAGS:
        raise ServiceError("TooManyTagsException", f"A resource can have at most {MOST_TAGS} tags.")
