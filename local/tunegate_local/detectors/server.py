"""One service on one port: an ASGI application under Hypercorn, analysis in a small pool of threads.

The port opens once the models are loaded, so a connection that is refused means "not yet". Beyond
`MOST_WAITING` calls at a time the service answers `ThrottlingException`, as Comprehend's dynamic throttling and
Bedrock's quotas do; a caller that backs off gets through.
"""

import asyncio
import json
import logging
import signal
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, Protocol, cast

import botocore.session
from botocore.model import OperationModel
from hypercorn.asyncio import serve as serve_asgi
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework

from tunegate_local.detectors.control import Billed, Faults, Meter
from tunegate_local.detectors.wire import Call, Request, Response, ServiceError, Wire

ServiceName = Literal["comprehend", "bedrock-runtime"]
LARGEST_BODY = 4 * 1024 * 1024
MOST_WAITING = 64
THREADS = 4

logger = logging.getLogger("tunegate_local.detectors")

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Service(Protocol):
    """What a service module provides: an operation's name to what answers it."""

    operations: dict[str, Callable[[Call], Billed]]


class Application:
    """The ASGI application of one service."""

    def __init__(self, name: ServiceName, service: Service) -> None:
        model = botocore.session.get_session().get_service_model(name)
        names = frozenset(service.operations)
        self._name = name
        self._service = service
        self._wire = Wire(model, names)
        self._meter = Meter()
        self._faults = Faults(model, names)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix=name)
        self._waiting = 0

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            request = await _read(scope, receive)
            response = self._control(request) if request.path.startswith("/_") else await self._serve(request)
            await _write(response, send)

    def _control(self, request: Request) -> Response:
        match request.method, request.path:
            case "GET", "/_ready":
                return _json(200, {"service": self._name})
            case "GET", "/_meter":
                return _json(200, {"service": self._name, "operations": self._meter.reading()})
            case "DELETE", "/_meter":
                self._meter.reset()
                return Response(204)
            case "PUT", "/_faults":
                try:
                    self._faults.set(request.body)
                except (ValueError, AttributeError) as error:
                    return _json(400, {"error": str(error)})
                return Response(204)
            case "DELETE", "/_faults":
                self._faults.clear()
                return Response(204)
        return _json(404, {"error": "not found"})

    async def _serve(self, request: Request) -> Response:
        operation: OperationModel | None = None
        try:
            operation = self._wire.operation(request)
            if fault := self._faults.take(operation.name):
                raise ServiceError(fault, "This error was asked for.")
            return await self._answer(request)
        except ServiceError as error:
            if operation is not None:
                self._meter.failed(operation.name, error.code)
            return self._wire.error(error, self._wire.protocol(request), operation)

    async def _answer(self, request: Request) -> Response:
        if len(request.body) > LARGEST_BODY:
            raise ServiceError("RequestEntityTooLargeException", "The request is too large.")
        if self._waiting >= MOST_WAITING:
            raise ServiceError("ThrottlingException", "Rate exceeded")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._work, request)
        finally:
            self._waiting -= 1

    def _work(self, request: Request) -> Response:
        call = self._wire.parse(request)
        name = call.operation.name
        try:
            billed = self._service.operations[name](call)
            response = self._wire.answer(call, billed.result)
        except ServiceError:
            raise
        except Exception as error:  # noqa: BLE001 - AWS answers 500 to whatever goes wrong inside
            # A traceback may hold the request's text; the error's type does not.
            logger.error("%s failed: %s", name, type(error).__name__)  # noqa: TRY400
            known = {shape.name for shape in call.operation.error_shapes}
            code = "InternalServerException" if "InternalServerException" in known else "InternalFailure"
            raise ServiceError(code, "An internal error occurred.") from None
        self._meter.billed(name, billed)
        return response


def make_service(name: ServiceName) -> Service:
    """Loads a service and its models. Imported here, because only one of the two runs in a process."""
    if name == "comprehend":
        from tunegate_local.detectors.comprehend import Comprehend

        return Comprehend()
    from tunegate_local.detectors.guardrails import Guardrails

    return Guardrails()


def serve(service: ServiceName, port: int, host: str = "127.0.0.1") -> None:
    """Serves until SIGTERM or SIGINT, then lets running requests end."""
    application = Application(service, make_service(service))
    asyncio.run(_run(application, host, port))


async def _run(application: Application, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    config = Config()
    config.bind = [f"{host}:{port}"]
    config.accesslog = None
    config.loglevel = "WARNING"
    # Longer than an SDK keeps an idle connection in its pool: else it writes into one that is just being closed.
    config.keep_alive_timeout = 120
    config.graceful_timeout = 3

    async def stopped() -> None:
        await stop.wait()

    await serve_asgi(cast(ASGIFramework, application), config, shutdown_trigger=stopped)


async def _lifespan(receive: _Receive, send: _Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _read(scope: _Scope, receive: _Receive) -> Request:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        # What is over the limit is read and dropped: the client gets an answer instead of a closed connection.
        if len(body) <= LARGEST_BODY:
            body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    return Request(scope["method"], path, headers, bytes(body))


async def _write(response: Response, send: _Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def _json(status: int, value: dict[str, Any]) -> Response:
    return Response(status, {"content-type": "application/json"}, json.dumps(value).encode())
