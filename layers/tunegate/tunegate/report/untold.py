"""What nobody was told of in a time: rows whose alerts are due, whatever has become of the stream they came by."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tunegate.errors import PermanentError
from tunegate.observe.ledger import recorded_between
from tunegate.rows import Entity
from tunegate.times import iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TELLING = (Entity.DECISION, Entity.POLICY, Entity.BREACH, Entity.GAP)
_AROUND = timedelta(hours=2)
"""A row says when it was observed: no longer before it was written than a function may run, by a clock that may be an
hour off. What was told already is not told again, so a wide window costs reads alone."""


def rows_of(dynamodb: "DynamoDBClient", table: str, window: Any) -> Iterator[dict[str, Any]]:
    """The rows written in `{"begin", "end"}`, two ISO 8601 times, that may call for an alert."""
    begin, end = _time(window, "begin") - _AROUND, _time(window, "end") + _AROUND
    for entity in _TELLING:
        yield from recorded_between(dynamodb, table, entity, iso(begin), iso(end))


def _time(window: Any, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(window[name])
    except (KeyError, TypeError, ValueError):
        raise PermanentError("what is untold is asked for between two ISO 8601 times, begin and end") from None
    if at.tzinfo is None:
        raise PermanentError("the times between which something is untold name no time zone")
    return at
