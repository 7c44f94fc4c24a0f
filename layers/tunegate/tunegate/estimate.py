"""What a scan of a local file would be billed, before anything is sent: the scan itself runs, against meters.

The meters stand where the services do, so texts are packed, told apart by language and asked about once each exactly as
in the cloud. What earlier scans have already asked about is not known here, and costs nothing in the cloud.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tunegate.facts import Content, Shard
from tunegate.model import Detection, Record
from tunegate.policy import Policy
from tunegate.preflight import Progress, UnreadableError
from tunegate.prices import PRICES, dollars
from tunegate.scan.form import Form
from tunegate.scan.lines import Block
from tunegate.scan.plan import SAMPLE_BYTES, content_of, is_gzip, sample_of
from tunegate.scan.services import Cloud, checks_for
from tunegate.scan.shard import TextFile, scan_shard
from tunegate.scan.sifted import Sifted
from tunegate.scan.source import FileSource

_ANY_GUARDRAIL = ("any", "1")


@dataclass(frozen=True, slots=True)
class Estimate:
    """Units by operation: `least` if services find nothing in the file, `most` if they say yes to every question."""

    least: Mapping[str, int]
    most: Mapping[str, int]

    @property
    def dollars(self) -> tuple[float, float]:
        """At list prices: see `tunegate.prices`."""
        return dollars(self.least), dollars(self.most)


def estimate_file(path: Path, policy: Policy, progress: Progress | None = None) -> Estimate:
    """Reads the file twice. What no scan can read is asked about by nobody.

    Raises `UnreadableError` where the file system does not give the file.
    """
    try:
        least, most = (_units(path, policy, progress, finds=finds) for finds in (False, True))
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror or type(error).__name__}") from None
    return Estimate(least, most)


def _units(path: Path, policy: Policy, progress: Progress | None, *, finds: bool) -> Mapping[str, int]:
    source = FileSource(path, progress)
    first = b"".join(FileSource(path).chunks(0, min(SAMPLE_BYTES, source.size)))
    content = content_of(path.name, sample_of(first))
    if content not in {Content.JSONL, Content.TEXT} or source.size > policy.limits.object_bytes:
        return {}
    meter = Meter(finds=finds)
    checks = checks_for(policy, _NoScreen(), Cloud(lambda _: meter, _ANY_GUARDRAIL))
    scan_shard(TextFile(source, content, is_gzip(first)), Shard(0, 0, None), checks, policy)
    return dict(meter.units)


class Meter:
    """A client of every service: counts what requests bill, and says yes to all of them or to none."""

    meta = SimpleNamespace(region_name="us-east-1")

    def __init__(self, *, finds: bool) -> None:
        self.units: Counter[str] = Counter()
        self._finds = finds

    def contains_pii_entities(self, Text: str, LanguageCode: str) -> dict[str, Any]:  # noqa: ARG002, N803
        self._bill("ContainsPiiEntities", Text)
        return {"Labels": [{"Name": "NAME", "Score": 1.0}] if self._finds else []}

    def detect_pii_entities(self, Text: str, LanguageCode: str) -> dict[str, Any]:  # noqa: ARG002, N803
        self._bill("DetectPiiEntities", Text)
        # Nothing to learn from, so that the next pack is asked about like the first.
        return {"Entities": []}

    def detect_toxic_content(self, TextSegments: Sequence[Mapping[str, str]], LanguageCode: str) -> dict[str, Any]:  # noqa: ARG002, N803
        self._bill("DetectToxicContent", "".join(segment["Text"] for segment in TextSegments))
        return {"ResultList": [{"Labels": []} for _ in TextSegments]}

    def classify_document(self, Text: str, EndpointArn: str) -> dict[str, Any]:  # noqa: ARG002, N803
        self._bill("ClassifyDocument", Text)
        return {"Classes": []}

    def invoke_guardrail_checks(
        self, messages: Sequence[Mapping[str, Any]], checks: Mapping[str, Any]
    ) -> dict[str, Any]:
        texts = [block["text"] for message in messages for block in message["content"]]
        for check in checks:
            self._bill(f"InvokeGuardrailChecks/{check}", *texts)
        return {"results": {check: {"results": []} for check in checks}}

    def apply_guardrail(self, content: Sequence[Mapping[str, Any]], **_: Any) -> dict[str, Any]:
        # Which filters the guardrail has is not known here: both that the scan reads are counted.
        texts = [block["text"]["text"] for block in content]
        for kind in ("contentPolicy", "sensitiveInformationPolicy"):
            self._bill(f"ApplyGuardrail/{kind}", *texts)
        return {"assessments": []}

    def _bill(self, operation: str, *texts: str) -> None:
        self.units[operation] += sum(PRICES[operation].units(len(text)) for text in texts)


class _NoScreen:
    """The built-in screen bills nothing."""

    def sift(self, block: Block, form: Form) -> Sifted:  # noqa: ARG002
        return Sifted.nothing(block)

    def screen_all(self, records: Sequence[Record]) -> Iterator[Sequence[Detection]]:
        return (() for _ in records)
