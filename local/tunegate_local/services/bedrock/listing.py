"""Lists: filtered, sorted by creation, a page at a time."""

import base64
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from tunegate_local.detectors.wire import Call, ServiceError
from tunegate_local.services.bedrock.store import Details, Resource

# What no AWS page says; small enough that a client which does not page notices.
PAGE = 100
_AFTER, _BEFORE = ("creationTimeAfter", "createdAfter"), ("creationTimeBefore", "createdBefore")
_NAMES = ("nameContains", "targetModelNameContains")


def page(
    call: Call, resources: Iterable[Resource], member: str, summary: Callable[[Resource], Details], **equal: str
) -> Details:
    """`{member: [summary…], nextToken?}` of those asked for; `equal` maps a parameter to the detail it must equal."""
    asked = call.parameters
    wanted = sorted((r for r in resources if _is_wanted(r, asked, equal)), key=_place)
    if asked.get("sortOrder") != "Ascending":
        wanted.reverse()
    if "nextToken" in asked:
        last = _read(asked["nextToken"])
        ascending = asked.get("sortOrder") == "Ascending"
        wanted = [r for r in wanted if (_place(r) > last if ascending else _place(r) < last)]
    size = asked.get("maxResults", PAGE)
    shape = call.operation.output_shape
    known = shape.members[member].member.members if shape is not None else {}  # type: ignore[attr-defined]
    answer: Details = {
        member: [{name: value for name, value in summary(r).items() if name in known} for r in wanted[:size]]
    }
    if len(wanted) > size:
        answer["nextToken"] = _write(_place(wanted[size - 1]))
    return answer


def _is_wanted(resource: Resource, asked: dict[str, Any], equal: dict[str, str]) -> bool:
    after = [asked[name] for name in _AFTER if name in asked]
    before = [asked[name] for name in _BEFORE if name in asked]
    parts = [asked[name].lower() for name in _NAMES if name in asked]
    return (
        all(resource.created > time for time in after)
        and all(resource.created < time for time in before)
        and all(part in resource.name.lower() for part in parts)
        and all(resource.details.get(detail) == asked[name] for name, detail in equal.items() if name in asked)
    )


def _place(resource: Resource) -> tuple[datetime, str]:
    return resource.created, resource.arn


def _write(place: tuple[datetime, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([place[0].isoformat(), place[1]]).encode()).decode()


def _read(token: str) -> tuple[datetime, str]:
    try:
        created, arn = json.loads(base64.urlsafe_b64decode(token))
        return datetime.fromisoformat(created), str(arn)
    except (ValueError, TypeError) as error:
        raise ServiceError("ValidationException", "The next token is not valid.") from error
