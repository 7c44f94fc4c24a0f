"""The on-call endpoint: an HTTPS-like SNS subscriber that keeps what it received, as a pager would show it."""

import json
import threading
import urllib.request
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tunegate_local.emulator import HOST

# An SNS message is at most 256 KiB; its envelope adds little.
MAX_BODY = 1024 * 1024


class OnCall(ThreadingHTTPServer):
    """GET /alerts answers every SNS notification received, oldest first, in SNS's own envelope."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__((HOST, port), _Handler)
        self._alerts: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def alerts(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._alerts)

    def receive(self, message: dict[str, Any]) -> None:
        """Take one SNS delivery: confirm a subscription, record a notification.

        https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
        """
        if message.get("Type") == "SubscriptionConfirmation":
            with urllib.request.urlopen(message["SubscribeURL"], timeout=10):
                return
        if message.get("Type") == "Notification":
            with self._lock:
                self._alerts.append(message)


class _Handler(BaseHTTPRequestHandler):
    server: OnCall
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/_ready":
            self._answer(HTTPStatus.OK, {"status": "ready"})
        elif self.path == "/alerts":
            self._answer(HTTPStatus.OK, self.server.alerts())
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "GET /alerts or /_ready"})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        if length > MAX_BODY:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": "larger than any SNS message"})
            return
        try:
            message = json.loads(self.rfile.read(length))
            self.server.receive(message)
        except (ValueError, KeyError, AttributeError, OSError) as error:
            # Anything but 2xx makes SNS deliver again.
            self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        else:
            self._answer(HTTPStatus.OK, {})

    def _answer(self, status: HTTPStatus, body: object) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet: GET /alerts is polled many times a second."""


def serve(port: int) -> None:
    with OnCall(port) as server:
        server.serve_forever()
