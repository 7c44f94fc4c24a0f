"""AWS by table: clients whose calls are answered from a table, each answer held to botocore's own model.

A field that the model does not have can be neither answered nor read: either fails the test.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass
from dataclasses import fields as fields_of
from functools import cache, cached_property
from typing import Any

import boto3
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.validate import ParamValidator

from tunegate.job_facts import Unknown

type Params = Mapping[str, Any]
type Reply = Mapping[str, Any] | Callable[[Params], Any] | Refusal
type Operation = tuple[str, str]
"""A service and the name of one of its operations, as botocore has them."""


@dataclass(frozen=True)
class Refusal:
    """An error of the service instead of an answer."""

    code: str
    message: str = "said the test"
    status: int = 400


@dataclass
class Answers:
    """The table, and what was asked of it. `client` has the signature of `tunegate.handler.clients`."""

    replies: dict[Operation, Reply]
    asked: list[Operation] = field(default_factory=list)

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._made(service)
        return self._clients[service]

    def but(self, replies: Mapping[Operation, Reply]) -> "Answers":
        return Answers({**self.replies, **replies})

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    def _made(self, service: str) -> Any:
        client = _session().client(service)  # type: ignore[call-overload]
        client.meta.events.register("before-parameter-build", self._keep_parameters)
        client.meta.events.register_first("before-call", self._answer)
        return client

    def _keep_parameters(self, params: Params, context: dict[str, Any], **_: Any) -> None:
        context["asked"] = dict(params)

    def _answer(self, model: OperationModel, context: dict[str, Any], **_: Any) -> tuple[Any, Any]:
        operation = (model.service_model.service_name, model.name)
        self.asked.append(operation)
        reply = self.replies[operation]
        if callable(reply):
            reply = reply(context["asked"])
        if isinstance(reply, Refusal):
            error = {"Code": reply.code, "Message": reply.message}
            return _Status(reply.status), {"Error": error, "ResponseMetadata": {"HTTPStatusCode": reply.status}}
        assert model.output_shape is not None
        flaws = ParamValidator().validate(reply, model.output_shape)
        assert not flaws.has_errors(), f"{model.name} does not answer so: {flaws.generate_report()}"
        return _Status(200), _held(reply, model.output_shape)


@cache
def _session() -> boto3.Session:
    """One for all, as it keeps the models it has read."""
    return boto3.Session("testing", "testing", region_name="us-east-1")


@dataclass(frozen=True)
class _Status:
    status_code: int


class _Held(dict[str, Any]):
    """A structure of an answer: asking it for a member the model does not have is a defect."""

    def __init__(self, members: Mapping[str, Any], shape: StructureShape) -> None:
        super().__init__({name: _held(value, shape.members[name]) for name, value in members.items()})
        self._shape = shape

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(self._known(name))

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(self._known(name), default)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(self._known(str(name)))

    def _known(self, name: str) -> str:
        # botocore itself looks for these two.
        assert name in self._shape.members or name in {"ResponseMetadata", "EncodingType"}, (
            f"{self._shape.name} has no {name}"
        )
        return name


def _held(value: Any, shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        return _Held(value, shape)
    if isinstance(shape, ListShape):
        return [_held(item, shape.member) for item in value]
    if isinstance(shape, MapShape):
        return {key: _held(item, shape.value) for key, item in value.items()}
    return value


def unknowns_in(facts: Any) -> Iterator[Unknown]:
    """Every fact among these that could not be read."""
    if isinstance(facts, Unknown):
        yield facts
    elif is_dataclass(facts):
        for member in fields_of(facts):
            yield from unknowns_in(getattr(facts, member.name))
    elif isinstance(facts, Mapping):
        for value in facts.values():
            yield from unknowns_in(value)
    elif isinstance(facts, tuple | list):
        for value in facts:
            yield from unknowns_in(value)
