"""A request to AWS as CloudTrail writes it down: the call's name and its parameters, in lower camel case."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import botocore.session

from tunegate_local.detectors.wire import Request, ServiceError, Wire
from tunegate_local.services.raw import raw_target

type ApiCall = tuple[str, dict[str, Any]]

# The services whose calls are known here, by how they are written.
_JSON = ("kms", "events", "cloudtrail", "sagemaker")
_QUERY = ("ec2", "iam")
_REST = ("bedrock", "macie2")
SERVICES = (*_JSON, *_QUERY, *_REST, "s3")
# S3's bucket configuration, by the subresource of the request.
_S3 = {
    "policy": "BucketPolicy",
    "encryption": "BucketEncryption",
    "versioning": "BucketVersioning",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "logging": "BucketLogging",
    "notification": "BucketNotification",
    "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "lifecycle": "BucketLifecycle",
    "replication": "BucketReplication",
    "tagging": "BucketTagging",
    "acl": "BucketAcl",
}


def api_call(
    service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
) -> ApiCall | None:
    """The call's name and parameters, as CloudTrail spells them; None for what is no call of interest."""
    if service in _JSON:
        name = headers.get("x-amz-target", "").rpartition(".")[2]
        return (name, _lower_first(json.loads(body or b"{}"))) if name else None
    if service in _QUERY:
        form = dict(parse_qsl(body.decode("utf-8", "replace")))
        name = form.pop("Action", "")
        return (name, _lower_first(form)) if name else None
    if service == "s3":
        return _s3_call(method, path, query)
    return _rest_call(service, method, headers, body)


def _s3_call(method: str, path: str, query: Mapping[str, Any]) -> ApiCall | None:
    bucket, _, key = path.lstrip("/").partition("/")
    if not bucket or key or method not in ("PUT", "DELETE"):
        return None
    changed = next((name for subresource, name in _S3.items() if subresource in query), None)
    if changed is not None:
        return f"{'Put' if method == 'PUT' else 'Delete'}{changed}", {"bucketName": bucket}
    return None if query else (f"{'Create' if method == 'PUT' else 'Delete'}Bucket", {"bucketName": bucket})


def _rest_call(service: str, method: str, headers: Mapping[str, str], body: bytes) -> ApiCall | None:
    path, query = raw_target()
    try:
        call = _wire(service).parse(Request(method, path, headers, body, query))
    except ServiceError:
        # Of the runtime, which shares the signing name.
        return None
    return call.operation.name, json.loads(json.dumps(call.parameters, default=str))


@cache
def _wire(service: str) -> Wire:
    model = botocore.session.get_session().get_service_model(service)
    return Wire(model, frozenset(model.operation_names))


def _lower_first(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """CloudTrail writes parameters in lower camel case, whatever the service calls them."""
    return {name[:1].lower() + name[1:]: value for name, value in parameters.items()}
