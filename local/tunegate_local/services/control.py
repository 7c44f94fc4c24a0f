"""What a test may ask of the emulator besides AWS's operations, on the emulator's own port.

| request | does |
| --- | --- |
| `PUT /_tunegate/jobs {"seconds": 0.5}` | sets how long a stage of a job takes |
| `GET /_tunegate/events` | lists services' events: `[{source, detail-type, time, detail, resources, dropped}]` |
| `PUT /_tunegate/events {"drop": [detail-type, …]}` | loses events of these types; `*` is all |
| `DELETE /_tunegate/events` | loses no more |
| `POST /_tunegate/events {source, detail-type, detail, resources}` | publishes an event, past what is being lost |
| `PUT /_tunegate/malware {"prefix", "seconds", "copies", "status"}` | when, how often and what GuardDuty says |
| `PUT /_tunegate/macie {"status": "COMPLETE", "error": false}` | how Macie's jobs end |
| `GET /_tunegate/calls` | what each role was allowed: `[{role, action, sessions}]` |
| `GET /_tunegate/refusals?SESSION` | what was refused to a role's session, and by which statement |
"""

import json
import os

from ministack.core.concurrency import run_reentrant

from tunegate_local.detectors.wire import Request, Response
from tunegate_local.services import macie_ends, malware
from tunegate_local.services.calls import calls
from tunegate_local.services.events import bus

PREFIX = "/_tunegate/"


class Pace:
    """How long a stage of a job takes."""

    def __init__(self) -> None:
        self._seconds = float(os.environ.get("TUNEGATE_LOCAL_JOB_SECONDS", "3"))

    def set(self, seconds: float) -> None:
        """From the next stage on."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 3600:
            raise ValueError("seconds must be a number from 0 to 3600")
        self._seconds = float(seconds)

    def seconds(self) -> float:
        """Now."""
        return self._seconds


pace = Pace()


async def answer(request: Request) -> Response:
    """The answer to a request below `PREFIX`."""
    try:
        return await _answer(request)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return _json(400, {"error": f"{type(error).__name__}: {error}"})


async def _answer(request: Request) -> Response:
    match request.method, request.path.removeprefix(PREFIX):
        case "GET", "calls":
            return _json(200, calls.allowed())
        case "GET", "refusals":
            return _json(200, calls.refused(request.query))
        case "PUT", "jobs":
            pace.set(json.loads(request.body)["seconds"])
        case "PUT", "malware":
            malware.answers.set(**json.loads(request.body))
        case "PUT", "macie":
            macie_ends.ends.set(**json.loads(request.body))
        case "GET", "events":
            return _json(200, bus.published())
        case "PUT", "events":
            bus.drop(json.loads(request.body)["drop"])
        case "DELETE", "events":
            bus.drop(())
        case "POST", "events":
            await run_reentrant(bus.replay, json.loads(request.body))
        case _:
            return _json(404, {"error": "No such control."})
    return Response(204)


def _json(status: int, value: object) -> Response:
    return Response(status, {"content-type": "application/json"}, json.dumps(value).encode())
