"""The AWS wire protocols, from the server's side: an HTTP request becomes a call, a result becomes an HTTP answer.

Three protocols, told apart by the request:

| protocol | request | used by |
| --- | --- | --- |
| Smithy RPC v2 CBOR | `POST /service/<prefix>/operation/<Op>`, `smithy-protocol: rpc-v2-cbor` | Comprehend |
| AWS JSON 1.1 | `POST /`, `x-amz-target: <prefix>.<Op>` | Comprehend; botocore's choice |
| REST JSON | the method and path of each operation in the model | Bedrock, Bedrock Runtime, Macie |

Operations, shapes, error statuses and constraints all come from botocore's service model.
"""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from botocore.model import DenormalizedStructureBuilder, OperationModel, ServiceModel, Shape
from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer

from tunegate_local.detectors import rest
from tunegate_local.detectors.constraints import WrongTypeError, unknown_members, violations

Protocol = Literal["json", "cbor", "rest-json"]

# Errors every AWS service may answer, which are in no operation's model. Throttling is 400 unless the model says
# otherwise: https://docs.aws.amazon.com/comprehend/latest/APIReference/CommonErrors.html
COMMON_ERRORS = {
    "AccessDeniedException": 403,
    "ExpiredTokenException": 403,
    "InternalFailure": 500,
    "MissingAuthenticationTokenException": 403,
    "RequestEntityTooLargeException": 413,
    "SerializationException": 400,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 400,
    "UnknownOperationException": 404,
    "UnrecognizedClientException": 400,
    "ValidationException": 400,
}
_CONTENT_TYPES: dict[Protocol, str] = {
    "json": "application/x-amz-json-1.1",
    "cbor": "application/cbor",
    "rest-json": "application/json",
}
_TEXT = {"type": "string"}
_ERROR_BODY = DenormalizedStructureBuilder().with_members({"__type": _TEXT, "message": _TEXT}).build_model()
_CREDENTIAL_REGION = re.compile(r"Credential=[^/]+/\d{8}/([a-z0-9-]+)/")


class ServiceError(Exception):
    """An error as AWS names it. The message never holds any of the request's text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. Header names are lower case; `path` and `query` are as they came, still percent-encoded."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    query: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Call:
    """One operation with its parameters, which satisfy the model, and the Region the request was signed for."""

    operation: OperationModel
    protocol: Protocol
    parameters: dict[str, Any]
    region: str | None


class Wire:
    """Reads and writes the protocols of one service.

    `operations` are those that are served; others of the model answer `UnknownOperationException`.
    """

    def __init__(self, model: ServiceModel, operations: frozenset[str]) -> None:
        self._model = model
        self._operations = operations
        self._routes = rest.Routes(model.operation_model(name) for name in operations if _is_rest(model))

    def protocol(self, request: Request) -> Protocol:
        """The protocol of a request, which also decides how its error is written."""
        if _is_rest(self._model):
            return "rest-json"
        return "cbor" if request.headers.get("smithy-protocol") == "rpc-v2-cbor" else "json"

    def operation(self, request: Request) -> OperationModel:
        """The operation a request is for; `UnknownOperationException` where there is none."""
        return self._route(request)[0]

    def parse(self, request: Request) -> Call:
        """The call in a request; raises the `ServiceError` AWS would answer to a request that is none."""
        region = _signed_region(request)
        operation, labels = self._route(request)
        protocol = self.protocol(request)
        parameters = _parameters(operation, labels, request, protocol)
        _check(operation.input_shape, parameters)
        return Call(operation, protocol, parameters, region)

    def answer(self, call: Call, result: dict[str, Any]) -> Response:
        """A result as HTTP. One that is not of the operation's shape is a fault of ours and raises `ValueError`."""
        shape = call.operation.output_shape
        wrong = [*unknown_members(shape, result), *violations(shape, result)]
        if wrong:
            raise ValueError(f"{call.operation.name} answers what its model does not allow: {'; '.join(wrong)}")
        if call.protocol == "rest-json":
            status, headers, body = rest.answer(call.operation, result)
            return _response(status, call.protocol, body, headers)
        return _response(200, call.protocol, _encode(result, shape, call.protocol))

    def error(self, error: ServiceError, protocol: Protocol, operation: OperationModel | None) -> Response:
        """An error as HTTP, with the status the model gives it for this operation."""
        status = error_statuses(operation).get(error.code, 400)
        namespace = "" if protocol != "cbor" else f"com.amazonaws.{self._model.service_name}#"
        body = {"__type": f"{namespace}{error.code}", "message": error.message}
        if protocol == "rest-json":
            del body["__type"]
        return _response(status, protocol, _encode(body, _ERROR_BODY, protocol), {"x-amzn-errortype": error.code})

    def _route(self, request: Request) -> tuple[OperationModel, dict[str, str]]:
        prefix = self._model.metadata.get("targetPrefix")
        labels: dict[str, str] = {}
        name = ""
        match self.protocol(request):
            case "rest-json":
                name, labels = self._routes.find(request.method, request.path)
            case "cbor" if request.method == "POST":
                name = request.path.removeprefix(f"/service/{prefix}/operation/")
            case "json" if request.method == "POST":
                name = request.headers.get("x-amz-target", "").removeprefix(f"{prefix}.")
        if name in self._operations:
            return self._model.operation_model(name), labels
        raise ServiceError("UnknownOperationException", "The requested operation is not served here.")


def error_statuses(operation: OperationModel | None) -> dict[str, int]:
    """HTTP status by error name: the operation's own errors and those common to all services."""
    shapes = [] if operation is None else operation.error_shapes
    # Models of older services give their errors no status: it is 400.
    own = {shape.name: shape.metadata.get("error", {}).get("httpStatusCode", 400) for shape in shapes}
    return {**COMMON_ERRORS, **own}


def _signed_region(request: Request) -> str | None:
    authorization = request.headers.get("authorization", "")
    if not authorization.startswith(("AWS4-", "Bearer ")):
        raise ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token")
    match = _CREDENTIAL_REGION.search(authorization)
    return match.group(1) if match else None


def _is_rest(model: ServiceModel) -> bool:
    return bool(model.metadata["protocol"] == "rest-json")


def _parameters(
    operation: OperationModel, labels: Mapping[str, str], request: Request, protocol: Protocol
) -> dict[str, Any]:
    def decode(body: bytes) -> dict[str, Any]:
        return _decode(body, protocol)

    try:
        if protocol == "rest-json":
            return rest.parameters(operation, labels, request.query, request.headers, request.body, decode)
        read: dict[str, Any] = rest.from_json(operation.input_shape, decode(request.body))
    except ValueError as error:
        raise ServiceError("SerializationException", "A value of the request could not be read.") from error
    return read


def _decode(body: bytes, protocol: Protocol) -> dict[str, Any]:
    try:
        if protocol == "cbor":
            parser = RpcV2CBORParser()
            parsed = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)) if body else {}
        else:
            parsed = json.loads(body) if body else {}
    except Exception as error:  # botocore's CBOR reader raises many kinds for bytes that are not CBOR
        raise ServiceError("SerializationException", "The request body could not be read.") from error
    if not isinstance(parsed, dict):
        raise ServiceError("SerializationException", "The request body is not a structure.")
    return parsed


def _check(shape: Shape | None, parameters: dict[str, Any]) -> None:
    try:
        broken = list(violations(shape, parameters))
    except WrongTypeError as error:
        raise ServiceError("SerializationException", str(error)) from error
    if broken:
        count = f"{len(broken)} validation error{'s' if len(broken) > 1 else ''} detected"
        raise ServiceError("ValidationException", f"{count}: {'; '.join(broken)}")


def _encode(value: dict[str, Any], shape: Shape | None, protocol: Protocol) -> bytes:
    if protocol != "cbor":
        return json.dumps(rest.to_json(shape, value)).encode()
    encoded = bytearray()
    # The method has no public name; botocore's exact version is pinned.
    RpcV2CBORSerializer()._serialize_data_item(encoded, value, shape)  # type: ignore[attr-defined]
    return bytes(encoded)


def _response(status: int, protocol: Protocol, body: bytes, extra: Mapping[str, str] | None = None) -> Response:
    headers = {"content-type": _CONTENT_TYPES[protocol], "x-amzn-requestid": str(uuid.uuid4()), **(extra or {})}
    if protocol == "cbor":
        headers["smithy-protocol"] = "rpc-v2-cbor"
    return Response(status, headers, body)
