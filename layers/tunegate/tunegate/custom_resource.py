"""Answering CloudFormation from a custom resource.

A stack that gets no answer waits an hour, so it is told of every failure. Source: AWS CloudFormation user guide,
"Custom resource response objects".
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import urllib3

from tunegate.errors import TunegateError


@contextmanager
def answer(event: Mapping[str, Any], physical_id: str) -> Iterator[dict[str, str]]:
    """Answer SUCCESS with the attributes put into what this yields, or FAILED with our own error's words."""
    attributes: dict[str, str] = {}
    try:
        yield attributes
    except TunegateError as error:
        _send(event, physical_id, {"Status": "FAILED", "Reason": str(error)})
        raise
    except Exception:
        _send(event, physical_id, {"Status": "FAILED", "Reason": "an unexpected error; the function's log has it"})
        raise
    _send(event, physical_id, {"Status": "SUCCESS", "Data": attributes})


def _send(event: Mapping[str, Any], physical_id: str, outcome: Mapping[str, Any]) -> None:
    body = {
        "PhysicalResourceId": event.get("PhysicalResourceId", physical_id),
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
        **outcome,
    }
    # The URL is presigned by CloudFormation, which refuses a content type.
    urllib3.PoolManager().request(
        "PUT", event["ResponseURL"], body=json.dumps(body).encode(), headers={"content-type": ""}, timeout=10, retries=3
    )
