"""Amazon Comprehend: sensitive data and toxic content in packed documents."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tunegate.errors import aws_call
from tunegate.model import Category, Detection, Text
from tunegate.policy import Policy
from tunegate.scan.packs import Pack, Packer
from tunegate.scan.sensitive import named

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient
    from mypy_boto3_comprehend.literals import LanguageCodeType

PII_DOCUMENT_BYTES = 100_000
"""ContainsPiiEntities and DetectPiiEntities take at most 100 KB of UTF-8 (Comprehend guidelines and limits)."""
TOXICITY_SEGMENT_BYTES = 1_000
TOXICITY_SEGMENTS = 10
"""DetectToxicContent takes at most ten segments of 1 KB, English only (Comprehend, trust and safety)."""


class PiiScan:
    """Sensitive data in texts of one language: the cheap question first, the dear one only where it says yes."""

    def __init__(self, client: "ComprehendClient", language: "LanguageCodeType") -> None:
        self._client = client
        self._language = language
        self._packer = Packer(PII_DOCUMENT_BYTES)

    def add(self, line: int, text: Text) -> Iterator[Detection]:
        for pack in self._packer.add(line, text):
            yield from self._judge(pack)

    def finish(self) -> Iterator[Detection]:
        for pack in self._packer.flush():
            yield from self._judge(pack)

    def _judge(self, pack: Pack) -> Iterator[Detection]:
        if self._may_contain_pii(pack.text):
            yield from self._entities(pack)

    def _may_contain_pii(self, text: str) -> bool:
        # Any label at all is a yes: its score speaks of the whole pack, not of the entity a threshold is meant for.
        with aws_call("Looking for sensitive data"):
            answer = self._client.contains_pii_entities(Text=text, LanguageCode=self._language)
        return bool(answer["Labels"])

    def _entities(self, pack: Pack) -> Iterator[Detection]:
        with aws_call("Locating sensitive data"):
            answer = self._client.detect_pii_entities(Text=pack.text, LanguageCode=self._language)
        for entity in answer["Entities"]:
            category, kind = named(entity["Type"])
            place = pack.place(entity["BeginOffset"], entity["EndOffset"])
            yield Detection(category, kind, place, entity["Score"], "comprehend")


class ToxicityScan:
    """Toxic content in English texts, ten segments a call."""

    def __init__(self, client: "ComprehendClient", policy: Policy) -> None:
        self._client = client
        self._threshold = policy.categories[Category.TOXICITY].threshold
        self._packer = Packer(TOXICITY_SEGMENT_BYTES)
        self._segments: list[Pack] = []

    def add(self, line: int, text: Text) -> Iterator[Detection]:
        self._segments.extend(self._packer.add(line, text))
        yield from self._drain(TOXICITY_SEGMENTS)

    def finish(self) -> Iterator[Detection]:
        self._segments.extend(self._packer.flush())
        yield from self._drain(1)

    def _drain(self, at_least: int) -> Iterator[Detection]:
        while len(self._segments) >= at_least:
            batch, self._segments = self._segments[:TOXICITY_SEGMENTS], self._segments[TOXICITY_SEGMENTS:]
            yield from self._judge(batch)

    def _judge(self, batch: Sequence[Pack]) -> Iterator[Detection]:
        with aws_call("Looking for toxic content"):
            answer = self._client.detect_toxic_content(
                TextSegments=[{"Text": pack.text} for pack in batch], LanguageCode="en"
            )
        for pack, result in zip(batch, answer["ResultList"], strict=True):
            for label in result["Labels"]:
                if label["Score"] >= self._threshold:
                    # The score is for the whole segment: it is reported at the first text of it.
                    place = pack.place(0, pack.pieces[0].length)
                    yield Detection(Category.TOXICITY, str(label["Name"]), place, label["Score"], "comprehend")
