"""CloudTrail's trails, and what they record."""

from typing import Any

from tunegate.estate_facts import Trail
from tunegate.job_facts import Known, Unknown
from tunegate.observe.reads import read
from tunegate.observe.selectors import ALL_BUCKETS, Recorded, recorded


def trails(cloudtrail: Any) -> Known[tuple[Trail, ...]]:
    """Every trail that covers this Region, an organization's and those of other Regions among them."""
    listed = read(
        "cloudtrail:DescribeTrails", "*", lambda: cloudtrail.describe_trails(includeShadowTrails=True)["trailList"]
    )
    if isinstance(listed, Unknown):
        return listed
    found = []
    for trail in listed:
        facts = _trail(cloudtrail, trail["TrailARN"])
        if isinstance(facts, Unknown):
            return facts
        found.append(facts)
    return tuple(found)


def _trail(cloudtrail: Any, arn: str) -> Known[Trail]:
    logging = read(
        "cloudtrail:GetTrailStatus", arn, lambda: bool(cloudtrail.get_trail_status(Name=arn).get("IsLogging"))
    )
    if isinstance(logging, Unknown):
        return logging
    parts = read(
        "cloudtrail:GetEventSelectors", arn, lambda: tuple(recorded(cloudtrail.get_event_selectors(TrailName=arn)))
    )
    if isinstance(parts, Unknown):
        return parts
    return Trail(arn, logging, any(part.calls and part.writes for part in parts), _data_buckets(parts))


def _data_buckets(parts: tuple[Recorded, ...]) -> tuple[str, ...]:
    """Who reads training data matters as much as who writes it: a bucket counts where both are recorded."""
    reads = {bucket for part in parts if part.reads for bucket in part.buckets}
    writes = {bucket for part in parts if part.writes for bucket in part.buckets}
    both = (reads & writes) | (reads if ALL_BUCKETS in writes else set()) | (writes if ALL_BUCKETS in reads else set())
    return tuple(sorted(both))
