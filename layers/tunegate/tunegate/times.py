"""Times as the ledger writes them."""

from datetime import UTC, datetime, timedelta


def iso(at: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, which sorts as text."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def later(at: str, than: str) -> str:
    """`at`, or where a clock that was ahead wrote `than`, the millisecond after that: what comes later sorts later."""
    return max(at, iso(datetime.fromisoformat(than) + timedelta(milliseconds=1))) if than else at


def now() -> str:
    return iso(datetime.now(UTC))
