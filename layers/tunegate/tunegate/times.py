"""Times as the ledger writes them."""

from datetime import UTC, datetime


def iso(at: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, which sorts as text."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
