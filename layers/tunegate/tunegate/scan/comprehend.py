"""Amazon Comprehend: sensitive data and toxic content in texts."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunegate.errors import aws_call
from tunegate.model import Category
from tunegate.scan.answers import Answer, Seen
from tunegate.scan.packs import Pack, utf8_length
from tunegate.scan.search import Answered, Item, Search
from tunegate.scan.sensitive import named

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient
    from mypy_boto3_comprehend.literals import LanguageCodeType

PII_DOCUMENT_BYTES = 100_000
"""ContainsPiiEntities and DetectPiiEntities take at most 100 KB of UTF-8 (Comprehend guidelines and limits)."""
TOXICITY_SEGMENT_BYTES = 1_000
TOXICITY_SEGMENTS = 10
TOXICITY_BYTES = 10_000
"""DetectToxicContent takes at most ten segments of 1 KB, 10 KB together, English only (Comprehend, trust and safety).
"""
_IDENTIFIER = re.compile(r"@|\d(?:[ ./():-]{0,2}\d){5}")
"""An address or a long number: likely to be found sensitive. Only a guess, which decides what is packed with what."""


class PiiService:
    """Sensitive data in texts of one language: the cheap question first, the dear one where it is worth its price."""

    limit = PII_DOCUMENT_BYTES

    def __init__(self, client: "ComprehendClient", language: "LanguageCodeType") -> None:
        oracle = _PiiOracle(client, language)
        # Texts that likely hold something are packed apart, so that they do not make positive what is clean.
        self._likely = Search(oracle, PII_DOCUMENT_BYTES, share=0.5, weight=10)
        self._others = Search(oracle, PII_DOCUMENT_BYTES, share=0.01, weight=100)

    def add(self, item: Item) -> Iterator[Answered]:
        return (self._likely if _IDENTIFIER.search(item[1]) else self._others).add(item)

    def finish(self) -> Iterator[Answered]:
        yield from self._likely.finish()
        yield from self._others.finish()


class _PiiOracle:
    def __init__(self, client: "ComprehendClient", language: "LanguageCodeType") -> None:
        self._client = client
        self._language = language

    def types_in(self, document: str) -> frozenset[str]:
        # Any label at all is a yes: its score speaks of the whole pack, not of the entity a threshold is meant for.
        with aws_call("Looking for sensitive data"):
            answer = self._client.contains_pii_entities(Text=document, LanguageCode=self._language)
        return frozenset(str(label["Name"]) for label in answer["Labels"])

    def locate(self, pack: Pack) -> list[Answer]:
        with aws_call("Locating sensitive data"):
            answer = self._client.detect_pii_entities(Text=pack.document, LanguageCode=self._language)
        found: list[list[Seen]] = [[] for _ in pack.texts]
        for entity in answer["Entities"]:
            category, kind = named(entity["Type"])
            at, begin, end = pack.locate(entity["BeginOffset"], entity["EndOffset"])
            if begin < end:  # not the separator's own full stop
                found[at].append(Seen(category, kind, 0, begin, end, entity["Score"], "comprehend"))
        return [tuple(seen) for seen in found]


class ToxicityService:
    """Toxic content in English texts: each a segment of its own, since a segment is scored as a whole."""

    limit = TOXICITY_SEGMENT_BYTES

    def __init__(self, client: "ComprehendClient") -> None:
        self._client = client
        self._segments: list[Item] = []
        self._size = 0

    def add(self, item: Item) -> Iterator[Answered]:
        size = utf8_length(item[1])
        if len(self._segments) == TOXICITY_SEGMENTS or self._size + size > TOXICITY_BYTES:
            yield from self.finish()
        self._segments.append(item)
        self._size += size

    def finish(self) -> Iterator[Answered]:
        segments, self._segments, self._size = self._segments, [], 0
        if not segments:
            return
        with aws_call("Looking for toxic content"):
            answer = self._client.detect_toxic_content(
                TextSegments=[{"Text": text} for _, text in segments], LanguageCode="en"
            )
        for (key, text), result in zip(segments, answer["ResultList"], strict=True):
            yield (
                key,
                tuple(
                    Seen(Category.TOXICITY, str(label["Name"]), 0, 0, len(text), label["Score"], "comprehend")
                    for label in result["Labels"]
                ),
            )
