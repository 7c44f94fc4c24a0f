"""Services of ours inside the emulator: on its port, for its accounts, under its IAM, by botocore's models."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import botocore.session
from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.concurrency import run_reentrant
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id

from tunegate_local.detectors.wire import Call, Request, Response, ServiceError, Wire
from tunegate_local.services.raw import raw_target

_SIGNED_FOR = re.compile(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/")

logger = logging.getLogger("tunegate_local.services")


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key signed the request, and where it came from."""

    account: str
    region: str
    access_key: str
    arn: str

    def require(
        self, action: str, resource: str, context: Mapping[str, Any] | None = None, service: str = "bedrock"
    ) -> None:
        """Raises AccessDeniedException unless IAM, and the resource's own policy, let the caller do this.

        `service` is whose resource it is, by ministack's name; of kms, key policies count.
        """
        denied = iam_evaluator.enforce(
            self.access_key, action, service, self.region, resource_arn=resource, service_context=dict(context or {})
        )
        if denied is None:
            return
        if isinstance(denied, iam_evaluator.AuthError):
            raise ServiceError("UnrecognizedClientException", denied.message)
        why = f"no identity-based policy allows the {action} action"
        if denied.decision == "Deny":
            kind = "a resource-based policy" if denied.resource_policy_arn else "an identity-based policy"
            why = f"of an explicit deny in {kind}"
        raise ServiceError(
            "AccessDeniedException",
            f"User: {self.arn} is not authorized to perform: {action} on resource: {resource} because {why}",
        )


class Part(Protocol):
    """A service, or some of its operations."""

    @property
    def wire(self) -> Wire:
        """Knows the requests of these operations from others."""

    def answer(self, request: Request, caller: Caller) -> Response:
        """The answer to one of them; raises the `ServiceError` AWS would answer."""


class Operations:
    """A service whose operations are functions of a call and its caller."""

    def __init__(self, service: str, operations: Mapping[str, Callable[[Call, Caller], dict[str, Any]]]) -> None:
        self.wire = wire(service, operations)
        self._operations = operations

    def answer(self, request: Request, caller: Caller) -> Response:
        """As `Part`."""
        call = self.wire.parse(request)
        return self.wire.answer(call, self._operations[call.operation.name](call, caller))


def wire(service: str, operations: Mapping[str, Any] | Sequence[str]) -> Wire:
    """The wire of these operations of a service, named as botocore does."""
    return Wire(botocore.session.get_session().get_service_model(service), frozenset(operations))


def serve(names: tuple[str, ...], parts: Sequence[Part]) -> None:
    """Answers what ministack takes for one of its services of these names by these parts, and by nothing else."""
    extract = iam_actions.extract_iam_action

    def extract_iam_action(service: str, *rest: Any, **named: Any) -> str | None:
        # Ours ask IAM themselves, who know every resource and condition key; ministack still authenticates.
        return None if service in names else extract(service, *rest, **named)

    detect = app.detect_service

    def detect_service(method: str, path: str, headers: dict[str, str], *rest: Any, **named: Any) -> str:
        # Ministack takes what is signed for a service it does not know for S3's.
        signed_for = _SIGNED_FOR.search(headers.get("authorization", ""))
        if signed_for and signed_for[1] in names and signed_for[1] != "bedrock":
            return signed_for[1]
        return str(detect(method, path, headers, *rest, **named))

    app.detect_service = detect_service
    iam_actions.extract_iam_action = extract_iam_action
    for name in names:
        app.SERVICE_HANDLERS[name] = _handler(parts)


def _handler(parts: Sequence[Part]) -> Callable[..., Awaitable[tuple[int, dict[str, str], bytes]]]:
    async def handle(
        method: str, _: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> tuple[int, dict[str, str], bytes]:
        path, query = raw_target()
        request = Request(method, path, headers, body, query)
        access_key = extract_access_key_id(headers, query_params)
        # A thread of its own: an answer may need answers of this same server.
        response: Response = await run_reentrant(_answer, request, access_key, parts)
        return response.status, dict(response.headers), response.body

    return handle


def _answer(request: Request, access_key: str, parts: Sequence[Part]) -> Response:
    part = next((part for part in parts if _serves(part, request)), None)
    if part is None:
        unknown = ServiceError("UnknownOperationException", "The requested operation is not served here.")
        return parts[0].wire.error(unknown, parts[0].wire.protocol(request), None)
    operation = part.wire.operation(request)
    try:
        return part.answer(request, _caller(access_key))
    except ServiceError as error:
        return part.wire.error(error, part.wire.protocol(request), operation)
    except Exception:
        logger.exception("%s failed", operation.name)
        fault = ServiceError("InternalServerException", "An internal error occurred.")
        return part.wire.error(fault, part.wire.protocol(request), operation)


def _serves(part: Part, request: Request) -> bool:
    try:
        part.wire.operation(request)
    except ServiceError:
        return False
    return True


def _caller(access_key: str) -> Caller:
    account = get_account_id()
    principal = iam_evaluator.resolve_principal(access_key, account)
    if isinstance(principal, iam_evaluator.AuthError):
        raise ServiceError("UnrecognizedClientException", principal.message)
    return Caller(account, get_region(), access_key, principal.arn)
