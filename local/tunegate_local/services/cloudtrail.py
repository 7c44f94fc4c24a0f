"""CloudTrail's record of API calls, as EventBridge gets it while a trail logs.

Write calls that succeed, of the services the gate watches. https://docs.aws.amazon.com/eventbridge/latest/userguide/
eb-service-event-cloudtrail.html; the record's form: CloudTrail user guide, "CloudTrail record contents".
"""

import asyncio
import contextvars
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import botocore.session
from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import cloudtrail

from tunegate_local.detectors.wire import Request, ServiceError, Wire
from tunegate_local.services.events import bus
from tunegate_local.services.raw import raw_target

type Handler = Callable[..., Awaitable[tuple[int, dict[str, str], bytes]]]

_JSON = ("kms", "events", "cloudtrail", "sagemaker")
_QUERY = ("ec2", "iam")
_REST = {"bedrock": "bedrock", "macie2": "macie2"}
# How the names of calls begin that change nothing of what they are called on; a key's use is no change either.
_READS = ("Get", "List", "Describe", "Head", "Lookup", "Simulate", "Search", "Test", "Invoke", "Converse", "PutEvents",
          "Decrypt", "Encrypt", "ReEncrypt", "Generate", "Sign", "Verify", "DeriveSharedSecret")  # fmt: skip
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


def record_calls() -> None:
    """From now on what these services are asked to change is told, where a trail logs."""
    for service in (*_JSON, *_QUERY, *_REST, "s3"):
        handler = app.SERVICE_HANDLERS.get(service)
        if handler is not None:
            app.SERVICE_HANDLERS[service] = _recorded(service, handler)


def _recorded(service: str, handler: Handler) -> Handler:
    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> tuple[int, dict[str, str], bytes]:
        # Asked before the call, which may be the one that ends the recording: it is recorded too.
        logs = _a_trail_logs()
        status, answer_headers, answer = await handler(method, path, headers, body, query)
        if logs and 200 <= status < 300:
            call = _call(service, method, path, headers, body, query)
            if call is not None and not call[0].startswith(_READS):
                detail = _detail(service, *call, answer, extract_access_key_id(headers, query))
                run = contextvars.copy_context().run
                asyncio.get_running_loop().run_in_executor(None, run, _tell, service, detail)
        return status, answer_headers, answer

    return handle


def _tell(service: str, detail: dict[str, Any]) -> None:
    bus.publish(f"aws.{service}", "AWS API Call via CloudTrail", detail, [])


def _a_trail_logs() -> bool:
    return any(
        trail.get("IsLogging")
        and _records_writes(cloudtrail._event_selectors.get_scoped(get_account_id(), region, name, None))
        for region, name, trail in cloudtrail._account_trail_items()
    )


def _records_writes(selectors: list[Mapping[str, Any]] | None) -> bool:
    """No selectors are the default: every management event."""
    if not selectors:
        return True
    for selector in selectors:
        fields = {field["Field"]: field.get("Equals") for field in selector.get("FieldSelectors", ())}
        basic = not fields and selector.get("IncludeManagementEvents", True)
        if basic and selector.get("ReadWriteType", "All") != "ReadOnly":
            return True
        if fields.get("eventCategory") == ["Management"] and fields.get("readOnly") != ["true"]:
            return True
    return False


def _call(
    service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
) -> tuple[str, dict[str, Any]] | None:
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


def _s3_call(method: str, path: str, query: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    bucket, _, key = path.lstrip("/").partition("/")
    if not bucket or key or method not in ("PUT", "DELETE"):
        return None
    changed = next((name for subresource, name in _S3.items() if subresource in query), None)
    if changed is not None:
        return f"{'Put' if method == 'PUT' else 'Delete'}{changed}", {"bucketName": bucket}
    return None if query else (f"{'Create' if method == 'PUT' else 'Delete'}Bucket", {"bucketName": bucket})


def _rest_call(service: str, method: str, headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, Any]] | None:
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


def _detail(service: str, name: str, parameters: dict[str, Any], answer: bytes, access_key: str) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "userIdentity": _identity(access_key),
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": get_region(),
        "sourceIPAddress": "127.0.0.1",
        "userAgent": "",
        "requestParameters": parameters,
        "responseElements": _response(answer),
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": get_account_id(),
        "eventCategory": "Management",
    }


def _response(answer: bytes) -> dict[str, Any] | None:
    try:
        parsed = json.loads(answer)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) and parsed else None


def _identity(access_key: str) -> dict[str, Any]:
    account = get_account_id()
    principal = iam_evaluator.resolve_principal(access_key, account)
    arn = getattr(principal, "arn", f"arn:aws:iam::{account}:root")
    if ":assumed-role/" not in arn:
        return {
            "type": "Root" if arn.endswith(":root") else "IAMUser",
            "principalId": account,
            "arn": arn,
            "accountId": account,
        }
    role = arn.split(":assumed-role/", 1)[1].split("/", 1)[0]
    issuer = {
        "type": "Role",
        "principalId": role,
        "arn": f"arn:aws:iam::{account}:role/{role}",
        "accountId": account,
        "userName": role,
    }
    return {
        "type": "AssumedRole",
        "principalId": role,
        "arn": arn,
        "accountId": account,
        "sessionContext": {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}},
    }


def _lower_first(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """CloudTrail writes parameters in lower camel case, whatever the service calls them."""
    return {name[:1].lower() + name[1:]: value for name, value in parameters.items()}
