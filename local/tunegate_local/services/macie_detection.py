"""What Macie detects in a text, by its own names: found by the process that serves Comprehend, line by line."""

import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import botocore.session
from botocore.config import Config

from tunegate_local.services.detectors import COMPREHEND_URL

type Detections = dict[str, list[int]]
"""The lines, from 1, in which each of Macie's types was found."""

CHUNK_BYTES = 80_000
LEAST_SCORE = 0.5
# Comprehend's names to Macie's managed data identifiers, and their categories. The rest Macie has no identifier for.
# https://docs.aws.amazon.com/macie/latest/user/mdis-reference.html
IDENTIFIERS: Mapping[str, tuple[str, str]] = {
    "SSN": ("USA_SOCIAL_SECURITY_NUMBER", "PERSONAL_INFORMATION"),
    "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER": (
        "USA_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER",
        "PERSONAL_INFORMATION",
    ),
    "PASSPORT_NUMBER": ("USA_PASSPORT_NUMBER", "PERSONAL_INFORMATION"),
    "DRIVER_ID": ("US_DRIVERS_LICENSE", "PERSONAL_INFORMATION"),
    "PHONE": ("PHONE_NUMBER", "PERSONAL_INFORMATION"),
    "CREDIT_DEBIT_NUMBER": ("CREDIT_CARD_NUMBER", "FINANCIAL_INFORMATION"),
    "INTERNATIONAL_BANK_ACCOUNT_NUMBER": ("BANK_ACCOUNT_NUMBER", "FINANCIAL_INFORMATION"),
    "AWS_SECRET_KEY": ("AWS_CREDENTIALS", "CREDENTIALS"),
}
_CATEGORIES = dict(IDENTIFIERS.values())
_making = threading.Lock()


def detect(text: str, allowed: Sequence[re.Pattern[str]] = ()) -> Detections:
    """Every type that is in the text, but for what an allow list lets pass."""
    with _making:
        comprehend: Any = botocore.session.Session().create_client(
            "comprehend",
            region_name="us-east-1",
            endpoint_url=os.environ[COMPREHEND_URL],
            aws_access_key_id="macie",
            aws_secret_access_key="macie",  # noqa: S106 - who asks is not asked there
            config=Config(read_timeout=120),
        )
    found: Detections = {}
    for first, lines in _chunks(text):
        piece = "".join(lines)
        for entity in comprehend.detect_pii_entities(Text=piece, LanguageCode="en")["Entities"]:
            found_text = piece[entity["BeginOffset"] : entity["EndOffset"]]
            if any(pattern.search(found_text) for pattern in allowed):
                continue
            if entity["Type"] in IDENTIFIERS and entity["Score"] >= LEAST_SCORE:
                line = first + piece.count("\n", 0, entity["BeginOffset"])
                found.setdefault(IDENTIFIERS[entity["Type"]][0], []).append(line)
    return found


def items(found: Detections) -> list[dict[str, Any]]:
    """As `sensitiveData` of a result: by category, with at most 1,000 places of each type."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for kind, lines in found.items():
        places = [{"start": line, "end": line, "startColumn": 1} for line in lines[:1000]]
        detection = {"type": kind, "count": len(lines), "occurrences": {"lineRanges": places}}
        grouped.setdefault(_CATEGORIES[kind], []).append(detection)
    return [
        {"category": category, "totalCount": sum(one["count"] for one in detections), "detections": detections}
        for category, detections in grouped.items()
    ]


def custom_items(found: Detections) -> dict[str, Any]:
    """As `customDataIdentifiers` of a result."""
    detections = [
        {
            "name": name,
            "count": len(lines),
            "occurrences": {"lineRanges": [{"start": line, "end": line} for line in lines[:1000]]},
        }
        for name, lines in found.items()
    ]
    return {"totalCount": sum(map(len, found.values())), "detections": detections}


def _chunks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Lines up to the size of a request, with the number of the first; longer lines are cut."""
    first, size, lines = 1, 0, list[str]()
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        cut = line.encode()[:CHUNK_BYTES].decode("utf-8", "ignore")
        length = len(cut.encode())
        if lines and size + length > CHUNK_BYTES:
            yield first, lines
            first, size, lines = number, 0, []
        lines.append(cut)
        size += length
    if lines:
        yield first, lines
