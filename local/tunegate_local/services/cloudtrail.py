"""CloudTrail's record of API calls, as EventBridge gets it while a trail logs.

Write calls that succeed, of the services the gate watches. https://docs.aws.amazon.com/eventbridge/latest/userguide/
eb-service-event-cloudtrail.html; the record's form: CloudTrail user guide, "CloudTrail record contents".
"""

import asyncio
import contextvars
import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import cloudtrail

from tunegate_local.services.api_calls import SERVICES, ApiCall, api_call
from tunegate_local.services.events import bus

logger = logging.getLogger("tunegate_local.services")

type Handler = Callable[..., Awaitable[tuple[int, dict[str, str], bytes]]]

# How the names of calls begin that change nothing of what they are called on; a key's use is no change either.
_READS = ("Get", "List", "Describe", "Head", "Lookup", "Simulate", "Search", "Test", "Invoke", "Converse", "PutEvents",
          "Decrypt", "Encrypt", "ReEncrypt", "Generate", "Sign", "Verify", "DeriveSharedSecret")  # fmt: skip


def record_calls() -> None:
    """From now on what these services are asked to change is told, where a trail logs."""
    for service in SERVICES:
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
            _record(service, (method, path, headers, body, query), answer)
        return status, answer_headers, answer

    return handle


def _record(service: str, request: tuple[str, str, dict[str, str], bytes, dict[str, Any]], answer: bytes) -> None:
    """Tells of the call without keeping it waiting; whatever goes wrong in that is no failure of the call."""
    try:
        call = api_call(service, *request)
        if call is None or call[0].startswith(_READS):
            return
        detail = _detail(service, call, answer, extract_access_key_id(request[2], request[4]))
    except Exception:
        logger.exception("a call of %s could not be recorded", service)
        return
    run = contextvars.copy_context().run
    asyncio.get_running_loop().run_in_executor(None, run, _tell, service, detail)


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


def _detail(service: str, call: ApiCall, answer: bytes, access_key: str) -> dict[str, Any]:
    name, parameters = call
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
