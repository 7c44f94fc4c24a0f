"""What a test or a benchmark may ask of a running service besides AWS's operations: the meter and the faults."""

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.model import ServiceModel

from tunegate_local.detectors.wire import error_statuses


@dataclass(frozen=True, slots=True)
class Billed:
    """An operation's result with what it costs: text units by the policy or model that used them."""

    result: dict[str, Any]
    characters: int
    units: Mapping[str, int]


@dataclass(slots=True)
class _Tally:
    requests: int = 0
    characters: int = 0
    units: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)


class Meter:
    """Counts what AWS would bill, per operation: text units by the policy or model that used them.

    Only answered requests are billed; failed ones are counted by their error.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tallies: defaultdict[str, _Tally] = defaultdict(_Tally)

    def billed(self, operation: str, answer: Billed) -> None:
        """One answered request."""
        with self._lock:
            tally = self._tallies[operation]
            tally.requests += 1
            tally.characters += answer.characters
            tally.units.update(answer.units)

    def failed(self, operation: str, error: str) -> None:
        """One request answered with an error."""
        with self._lock:
            self._tallies[operation].errors[error] += 1

    def reset(self) -> None:
        """Back to zero."""
        with self._lock:
            self._tallies.clear()

    def reading(self) -> dict[str, Any]:
        """`{operation: {requests, characters, units, unitsBy: {policy: n}, errors: {name: n}}}`."""
        with self._lock:
            return {
                operation: {
                    "requests": tally.requests,
                    "characters": tally.characters,
                    "units": tally.units.total(),
                    "unitsBy": dict(tally.units),
                    "errors": dict(tally.errors),
                }
                for operation, tally in sorted(self._tallies.items())
            }


class Faults:
    """Errors to answer instead of a result, so that retries and fallbacks can be tested."""

    def __init__(self, model: ServiceModel, operations: frozenset[str]) -> None:
        self._model = model
        self._operations = operations
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[str, int]] = {}

    def set(self, body: bytes) -> None:
        """Takes `{"operation", "error", "times"}`; `times` is 1 if not given.

        The error must be one that the operation can answer; a `ValueError` says which those are.
        """
        asked = json.loads(body)
        operation, error, times = asked.get("operation"), asked.get("error"), asked.get("times", 1)
        if operation not in self._operations:
            raise ValueError(f"operation must be one of {sorted(self._operations)}")
        possible = error_statuses(self._model.operation_model(operation))
        if error not in possible:
            raise ValueError(f"error must be one of {sorted(possible)}")
        if not isinstance(times, int) or isinstance(times, bool) or times < 1:
            raise ValueError("times must be a whole number above 0")
        with self._lock:
            self._waiting[operation] = (error, times)

    def clear(self) -> None:
        """No more faults."""
        with self._lock:
            self._waiting.clear()

    def take(self, operation: str) -> str | None:
        """The error this call must answer, if one is waiting for it."""
        with self._lock:
            error, times = self._waiting.pop(operation, (None, 0))
            if error is not None and times > 1:
                self._waiting[operation] = (error, times - 1)
            return error
