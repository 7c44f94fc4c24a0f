"""REST JSON, from the server's side: which operation a request is for, and where each member of its shapes travels.

A member is in the path, the query string, a header or the body, as botocore's model says. A path must be the raw one,
in which an ARN's slashes are still escaped.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.utils import parse_timestamp

_LABEL = re.compile(r"\\\{(\w+)\\\}")


class Routes:
    """The operations of a service by method and path."""

    def __init__(self, operations: Iterable[OperationModel]) -> None:
        # A path without labels comes before one whose label would match the same.
        ordered = sorted(operations, key=lambda operation: operation.http["requestUri"].count("{"))
        self._routes = [
            (o.name, o.http["method"], re.compile(_LABEL.sub(r"(?P<\1>[^/]+)", re.escape(o.http["requestUri"]))))
            for o in ordered
        ]

    def find(self, method: str, path: str) -> tuple[str, dict[str, str]]:
        """The operation's name and its labels, or an empty name."""
        for name, expected, pattern in self._routes:
            match = pattern.fullmatch(path)
            if match and method == expected:
                return name, {label: unquote(value) for label, value in match.groupdict().items()}
        return "", {}


def parameters(
    operation: OperationModel,
    labels: Mapping[str, str],
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    decode: Callable[[bytes], dict[str, Any]],
) -> dict[str, Any]:
    """The operation's parameters from wherever they are; `decode` reads a JSON body. Raises `ValueError`."""
    shape = operation.input_shape
    if not isinstance(shape, StructureShape):
        return {}
    asked = parse_qs(query, keep_blank_values=True)
    given: dict[str, Any] = {}
    for name, member in shape.members.items():
        place, key = member.serialization.get("location"), member.serialization.get("name", name)
        if place == "uri" and key in labels:
            given[name] = _scalar(member, labels[key])
        elif place == "querystring" and key in asked:
            given[name] = _listed(member, asked[key])
        elif place == "header" and key.lower() in headers:
            given[name] = _scalar(member, headers[key.lower()])
    return {**_from_body(shape, body, decode), **given}


def answer(operation: OperationModel, result: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a result."""
    status = int(operation.http.get("responseCode", 200))
    shape = operation.output_shape
    if not isinstance(shape, StructureShape):
        return status, {}, b""
    headers: dict[str, str] = {}
    in_body: dict[str, Any] = {}
    for name, value in result.items():
        member = shape.members[name]
        if member.serialization.get("location") == "header":
            headers[member.serialization.get("name", name).lower()] = str(value)
        else:
            in_body[name] = value
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].type_name == "blob":
        return status, headers, bytes(in_body[payload])
    return status, headers, json.dumps(to_json(shape, in_body)).encode()


def to_json(shape: Shape | None, value: Any) -> Any:
    """A value as JSON writes it: a time as its shape says (seconds unless told), bytes in base64."""
    match shape:
        case StructureShape(is_document_type=True):
            return value
        case StructureShape():
            return {_key(shape.members[name], name): to_json(shape.members[name], item) for name, item in value.items()}
        case ListShape():
            return [to_json(shape.member, item) for item in value]
        case MapShape():
            return {name: to_json(shape.value, item) for name, item in value.items()}
    if isinstance(value, datetime):
        return _time(shape, value)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def from_json(shape: Shape | None, value: Any) -> Any:
    """A value of a JSON body with its times read; what is not of its shape is left for the model's check to find."""
    if isinstance(shape, StructureShape) and isinstance(value, dict) and not shape.is_document_type:
        keys = {_key(member, name): (name, member) for name, member in shape.members.items()}
        read = ((*keys.get(key, (key, None)), item) for key, item in value.items())
        return {name: from_json(member, item) for name, member, item in read}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [from_json(shape.member, item) for item in value]
    if shape is not None and shape.type_name == "timestamp" and isinstance(value, int | float | str):
        return _parse_time(value)
    return value


def _from_body(shape: StructureShape, body: bytes, decode: Callable[[bytes], dict[str, Any]]) -> dict[str, Any]:
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].type_name == "blob":
        return {payload: body}
    if payload:
        return {payload: from_json(shape.members[payload], decode(body))}
    read = from_json(shape, decode(body))
    # What belongs elsewhere does not count in the body.
    return {name: item for name, item in read.items() if not _elsewhere(shape, name)}


def _elsewhere(shape: StructureShape, name: str) -> bool:
    return name in shape.members and "location" in shape.members[name].serialization


def _listed(shape: Shape, values: list[str]) -> Any:
    return (
        [_scalar(shape.member, value) for value in values]
        if isinstance(shape, ListShape)
        else _scalar(shape, values[0])
    )


def _scalar(shape: Shape, value: str) -> Any:
    match shape.type_name:
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
        case "boolean":
            if value not in ("true", "false"):
                raise ValueError(f"{shape.name} is neither true nor false")
            return value == "true"
        case "timestamp":
            return _parse_time(value)
    return value


def _parse_time(value: float | str) -> datetime:
    parsed = parse_timestamp(str(value))
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _time(shape: Shape | None, value: datetime) -> Any:
    if shape is not None and shape.serialization.get("timestampFormat") == "iso8601":
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return value.timestamp()


def _key(member: Shape, name: str) -> str:
    return str(member.serialization.get("name", name)) if "location" not in member.serialization else name
