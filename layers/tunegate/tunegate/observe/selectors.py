"""What a trail's event selectors, basic or advanced, record of management calls and of objects in S3.

CloudTrail API Reference: EventSelector, AdvancedFieldSelector.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ALL_BUCKETS = "arn:aws:s3"
_OBJECTS = "AWS::S3::Object"
_EVERY_CALL = frozenset({"eventCategory", "readOnly", "eventSource"})
_EVERY_OBJECT = frozenset({"eventCategory", "readOnly", "resources.type", "resources.ARN"})
# Calls so many that CloudTrail lets a trail leave them out: CloudTrail user guide, "Logging management events".
_MAY_BE_LEFT_OUT = frozenset({"kms.amazonaws.com", "rdsdata.amazonaws.com"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one selector records: reads, writes or both, of management calls and of the objects in these buckets."""

    reads: bool
    writes: bool
    calls: bool
    buckets: frozenset[str]


def recorded(selectors: Mapping[str, Any]) -> Iterator[Recorded]:
    """Each selector that GetEventSelectors tells. One held to some calls or callers records nothing for certain."""
    for selector in selectors.get("EventSelectors") or []:
        yield _basic(selector)
    for selector in selectors.get("AdvancedEventSelectors") or []:
        yield _advanced({field["Field"]: field for field in selector["FieldSelectors"]})


def _basic(selector: Mapping[str, Any]) -> Recorded:
    kind = selector.get("ReadWriteType", "All")
    resources = [resource for resource in selector.get("DataResources", ()) if resource["Type"] == _OBJECTS]
    return Recorded(
        reads=kind in {"All", "ReadOnly"},
        writes=kind in {"All", "WriteOnly"},
        calls=selector.get("IncludeManagementEvents", True),
        buckets=frozenset(_bucket(value) for resource in resources for value in resource["Values"]),
    )


def _advanced(fields: Mapping[str, Mapping[str, Any]]) -> Recorded:
    category, read_only = _equals(fields, "eventCategory"), _equals(fields, "readOnly")
    return Recorded(
        reads="readOnly" not in fields or read_only == ["true"],
        writes="readOnly" not in fields or read_only == ["false"],
        calls=category == ["Management"] and set(fields) <= _EVERY_CALL and _every_source(fields),
        buckets=_buckets(fields) if category == ["Data"] and set(fields) <= _EVERY_OBJECT else frozenset(),
    )


def _every_source(fields: Mapping[str, Mapping[str, Any]]) -> bool:
    conditions = {name: values for name, values in fields.get("eventSource", {}).items() if name != "Field"}
    return set(conditions) <= {"NotEquals"} and set(conditions.get("NotEquals", ())) <= _MAY_BE_LEFT_OUT


def _buckets(fields: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    if _equals(fields, "resources.type") != [_OBJECTS]:
        return frozenset()
    if "resources.ARN" not in fields:
        return frozenset({ALL_BUCKETS})
    return frozenset(_bucket(value) for value in fields["resources.ARN"].get("StartsWith", ()))


def _equals(fields: Mapping[str, Mapping[str, Any]], name: str) -> list[str]:
    return list(fields.get(name, {}).get("Equals", ()))


def _bucket(value: str) -> str:
    """`arn:aws:s3:::bucket/` is all of a bucket, `arn:aws:s3` and `arn:aws:s3:::` all buckets; a prefix is neither."""
    rest = value.removeprefix("arn:aws:s3").removeprefix(":::")
    if not rest:
        return ALL_BUCKETS
    name, slash, prefix = rest.partition("/")
    return f"arn:aws:s3:::{name}" if slash and not prefix else value
