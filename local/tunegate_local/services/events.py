"""What AWS services tell EventBridge: published on the default bus, kept for tests to look at, and lost on demand.

Ministack refuses `aws.*` events from PutEvents, as AWS does, so those of our services are dispatched in process.
"""

import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Collection
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge

type Event = dict[str, Any]

# The oldest are forgotten; a test looks at what it just caused.
KEPT = 10_000


class Bus:
    """The default bus, as AWS services use it: best effort, which here a test decides."""

    def __init__(self) -> None:
        self._dispatch: Callable[..., Any] = eventbridge._dispatch_event
        self._lock = threading.Lock()
        self._dropped: frozenset[str] = frozenset()
        self._published: deque[Event] = deque(maxlen=KEPT)
        self._listeners: list[Callable[[Event], None]] = []

    def watch(self) -> None:
        """From now on every service's events pass by here, ministack's own too."""
        self._dispatch = eventbridge._dispatch_event
        eventbridge._dispatch_event = self._dispatch_unless_dropped

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Shows every event of a service to another service of ours, dropped or not, as soon as it is there."""
        self._listeners.append(listener)

    def publish(self, source: str, detail_type: str, detail: Event, resources: list[str]) -> None:
        """One event of the account and Region at hand. Blocks while targets are invoked: not for the event loop."""
        record = _record(source, detail_type, detail, resources)
        eventbridge._dispatch_event(record)
        eventbridge._archive_event(record)

    def replay(self, event: Event) -> None:
        """An event as `published` lists it, again or for the first time, and never dropped."""
        record = _record(event["source"], event["detail-type"], event["detail"], event.get("resources", []))
        self._keep(record, dropped=False)
        self._dispatch(record)

    def drop(self, detail_types: Collection[str]) -> None:
        """Loses events of these detail types from now on; `*` is all of them, none at all ends it."""
        self._dropped = frozenset(detail_types)

    def published(self) -> list[Event]:
        """All of them in their order, also those that were dropped, which say so."""
        with self._lock:
            return list(self._published)

    def _dispatch_unless_dropped(self, record: Event, view: Any = None) -> Any:
        if str(record.get("Source", "")).startswith("aws."):
            dropped = bool(self._dropped & {"*", record["DetailType"]})
            self._keep(record, dropped=dropped)
            if dropped:
                return None
        return self._dispatch(record, view)

    def _keep(self, record: Event, *, dropped: bool) -> None:
        event = {
            "source": record["Source"],
            "detail-type": record["DetailType"],
            "time": record["Time"],
            "detail": json.loads(record["Detail"]),
            "resources": record["Resources"],
            "dropped": dropped,
        }
        with self._lock:
            self._published.append(event)
        for listener in self._listeners:
            listener(event)


def _record(source: str, detail_type: str, detail: Event, resources: list[str]) -> Event:
    return {
        "EventId": str(uuid.uuid4()),
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "EventBusName": "default",
        "Time": int(time.time()),
        "Resources": resources,
        "Account": get_account_id(),
        "Region": get_region(),
    }


bus = Bus()
publish = bus.publish
