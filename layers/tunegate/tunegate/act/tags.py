"""The tags that carry a verdict on an object. Bucket policies let only the gate set them, and read by them."""

from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import urlencode

from tunegate.model import Verdict

SETTLING = "settling"
"""The verdict of a copy not yet compared with its source; bucket policies let nobody read by it."""


class Tag(StrEnum):
    VERDICT = "tunegate-verdict"
    POLICY = "tunegate-policy"
    SOURCE = "tunegate-source"
    ORDER = "tunegate-order"


def settling_tags(source: str, order: str) -> dict[str, str]:
    """`source` is the version id of the upload."""
    return {Tag.VERDICT: SETTLING, Tag.SOURCE: source, Tag.ORDER: order}


def final_tags(source: str, order: str, verdict: Verdict, policy_digest: str) -> dict[str, str]:
    return settling_tags(source, order) | {Tag.VERDICT: verdict.value, Tag.POLICY: policy_digest}


def ordering(tags: Mapping[str, str]) -> str:
    """The rank of an upload among those of its key. S3 sequencers are hexadecimal; a shorter one is padded on the right
    (S3 user guide, "Event message structure")."""
    return tags.get(Tag.ORDER, "").ljust(64, "0")


def encode(tags: Mapping[str, str]) -> str:
    """Tags as the `x-amz-tagging` header takes them."""
    return urlencode(tags)
