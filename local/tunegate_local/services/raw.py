"""A request as it came, for the services of ours: ministack hands its own only what it has already unescaped."""

from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any

from tunegate_local.detectors.wire import Request, Response
from tunegate_local.services import control

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
type Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_target: ContextVar[tuple[str, str]] = ContextVar("target")


def raw_target() -> tuple[str, str]:
    """The path and the query string of the request at hand, still escaped."""
    return _target.get()


def remembering(application: Application) -> Application:
    """The application, with the control surface before it, and every request's raw target remembered."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        path = scope["raw_path"].decode("latin-1").partition("?")[0]
        query = scope.get("query_string", b"").decode("latin-1")
        if path.startswith(control.PREFIX):
            await _write(await control.answer(Request(scope["method"], path, {}, await _body(receive), query)), send)
            return
        _target.set((path, query))
        await application(scope, receive, send)

    return serve


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


async def _write(response: Response, send: Send) -> None:
    headers = [(name.encode(), value.encode()) for name, value in response.headers.items()]
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
