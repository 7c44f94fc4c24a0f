"""Texts go to the services that understand them, and what those find leads back to the file."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tunegate.errors import PermanentError, RetryableError
from tunegate.facts import Content, Shard
from tunegate.model import Category, Detection, Place, Record, Text
from tunegate.policy import Policy, default_policy, parse_policy
from tunegate.scan.plan import plan
from tunegate.scan.prompts import ApplyGuardrail, ComprehendPromptSafety, GuardrailChecks
from tunegate.scan.report import ShardReport, merge
from tunegate.scan.services import checks_for
from tunegate.scan.shard import TextFile, scan_shard
from tunegate.scan.text import Checks


class Meta:
    region_name = "us-east-1"


class FakeComprehend:
    """Finds the word SECRETNAME in any document, and counts what it is asked."""

    meta = Meta()

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def contains_pii_entities(self, Text: str, LanguageCode: str) -> Any:
        self.asked.append(("contains", LanguageCode))
        return {"Labels": [{"Name": "NAME", "Score": 0.1}] if "SECRETNAME" in Text else []}

    def detect_pii_entities(self, Text: str, LanguageCode: str) -> Any:
        self.asked.append(("detect", LanguageCode))
        begins = [i for i in range(len(Text)) if Text.startswith("SECRETNAME", i)]
        return {"Entities": [{"Type": "SSN", "Score": 0.99, "BeginOffset": b, "EndOffset": b + 10} for b in begins]}

    def detect_toxic_content(self, TextSegments: list[dict[str, str]], LanguageCode: str) -> Any:
        assert len(TextSegments) <= 10
        score = [0.9 if "damn" in segment["Text"] else 0.0 for segment in TextSegments]
        return {"ResultList": [{"Labels": [{"Name": "PROFANITY", "Score": s}], "Toxicity": s} for s in score]}

    def classify_document(self, Text: str, EndpointArn: str) -> Any:
        assert EndpointArn.endswith("document-classifier-endpoint/prompt-safety")
        return {"Classes": [{"Name": "UNSAFE_PROMPT", "Score": 0.9 if "attack" in Text else 0.1}]}


class FakeGuardrails:
    """Calls any message with the word attack a jailbreak, and finds the word SECRETNAME."""

    def __init__(self) -> None:
        self.requests: list[Any] = []

    def invoke_guardrail_checks(self, messages: Any, checks: Any) -> Any:
        self.requests.append((messages, checks))
        attack = any("attack" in m["content"][0]["text"] for m in messages)
        results: dict[str, Any] = {
            "promptAttack": {"results": [{"category": "JAILBREAK", "severityScore": 0.8 * attack}]}
        }
        if "sensitiveInformation" in checks:
            found = [
                {
                    "type": "US_SOCIAL_SECURITY_NUMBER",
                    "confidenceScore": 0.9,
                    "beginOffset": at,
                    "endOffset": at + 10,
                    "messageIndex": i,
                }
                for i, m in enumerate(messages)
                if (at := m["content"][0]["text"].find("SECRETNAME")) >= 0
            ]
            results["sensitiveInformation"] = {"results": found}
        return {"results": results}

    def apply_guardrail(self, **request: Any) -> Any:
        attack = any("attack" in block["text"]["text"] for block in request["content"])
        found = {
            "type": "PROMPT_ATTACK",
            "confidence": "HIGH" if attack else "NONE",
            "action": "NONE",
            "detected": attack,
        }
        return {"assessments": [{"contentPolicy": {"filters": [found]}}]}


class NoScreen:
    def screen(self, record: Record) -> list[Detection]:
        return []


class Bytes:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        for at in range(start, end, 50):
            yield self.data[at : min(at + 50, end)]


def scan(
    lines: list[str],
    comprehend: Any = None,
    guardrails: Any = None,
    policy: Policy | None = None,
    shard_bytes: int = 10**6,
) -> ShardReport:
    policy = policy or default_policy()
    clients = {"comprehend": comprehend or FakeComprehend(), "bedrock-runtime": guardrails or FakeGuardrails()}
    data = "".join(json.dumps({"prompt": line, "completion": "ok"}) + "\n" for line in lines).encode()
    file = TextFile(Bytes(data), Content.JSONL, gzipped=False)
    shards = plan(len(data), gzipped=False, shard_bytes=shard_bytes)
    return merge(
        [scan_shard(file, s, checks_for(policy, NoScreen(), clients.__getitem__, None), policy) for s in shards]
    )


def found(report: ShardReport) -> list[tuple[str, int, str, list[tuple[int, int]]]]:
    return sorted((s.type, s.line, s.pointer, e.offsets) for s, e in report.entries.items())


ENGLISH = "This is a perfectly ordinary English sentence about a customer order."


def test_an_entity_leads_back_to_its_line_pointer_and_offsets() -> None:
    report = scan([ENGLISH, f"{ENGLISH} SECRETNAME is here.", ENGLISH])
    begin = len(ENGLISH) + 1
    assert found(report) == [("SSN", 2, "/prompt", [(begin, begin + 10)])]


def test_the_dear_question_is_asked_only_where_the_cheap_one_says_yes() -> None:
    comprehend = FakeComprehend()
    scan([ENGLISH] * 20, comprehend)
    assert comprehend.asked == [("contains", "en")]


def test_texts_go_to_comprehend_in_their_own_language_and_others_to_guardrails() -> None:
    comprehend, guardrails = FakeComprehend(), FakeGuardrails()
    spanish = "Buenos días, quisiera saber dónde está mi pedido, por favor, gracias."
    japanese = "ご注文の状況について教えてください。よろしくお願いいたします。 SECRETNAME"
    report = scan([ENGLISH, spanish, japanese], comprehend, guardrails)
    assert {language for _, language in comprehend.asked} == {"en", "es"}
    assert [(kind, line) for kind, line, *_ in found(report)] == [("SSN", 3)]


def test_an_attack_is_said_of_its_record() -> None:
    assert found(scan([ENGLISH, ENGLISH + " attack"])) == [("JAILBREAK", 2, "", [(0, 0)])]


def test_each_record_is_judged_by_itself_with_its_roles() -> None:
    guardrails = FakeGuardrails()
    scan([ENGLISH, ENGLISH], guardrails=guardrails)
    assert [[m["role"] for m in messages] for messages, _ in guardrails.requests] == [["user", "assistant"]] * 2


def test_toxic_text_is_reported_by_default_and_does_not_flag() -> None:
    report = scan([ENGLISH + " damn"])
    assert [kind for kind, *_ in found(report)] == ["PROFANITY"]
    assert not default_policy().rule(Category.TOXICITY, "PROFANITY").flags


@pytest.mark.parametrize("shard_bytes", [1, 37, 200, 1000])
def test_the_report_is_the_same_whatever_the_shard_size(shard_bytes: int) -> None:
    lines = [
        f"{ENGLISH} SECRETNAME" if n % 3 == 0 else f"{ENGLISH} attack" if n % 5 == 0 else ENGLISH for n in range(30)
    ]
    whole, cut = scan(lines), scan(lines, shard_bytes=shard_bytes)
    assert found(cut) == found(whole)
    assert (cut.lines, cut.records, cut.totals) == (whole.lines, whole.records, whole.totals)


def record(*texts: str) -> Record:
    return Record(7, tuple(Text(f"/{i}", text, "user") for i, text in enumerate(texts)))


def test_a_long_record_is_checked_in_pieces_each_within_the_limit_and_offsets_still_lead_back() -> None:
    guardrails = FakeGuardrails()
    text = "word " * 8000 + "SECRETNAME"
    [ssn] = [d for d in GuardrailChecks(guardrails).check(record(text), with_pii=True) if d.type == "SSN"]
    assert text[ssn.place.begin : ssn.place.end] == "SECRETNAME"
    assert len(guardrails.requests) > 1
    assert all(
        sum(len(m["content"][0]["text"].encode()) for m in messages) <= 20_000 for messages, _ in guardrails.requests
    )


def test_every_service_of_decision_five_answers_through_one_interface() -> None:
    client: Any = FakeGuardrails()
    comprehend: Any = FakeComprehend()
    for check in (GuardrailChecks(client), ApplyGuardrail(client, "g", "1"), ComprehendPromptSafety(comprehend)):
        policy = default_policy()
        kept = [d for d in check.check(record("this is an attack"), with_pii=False) if policy.keeps(d)]
        assert [(d.category, d.place) for d in kept] == [(Category.PROMPT_ATTACK, Place(7))]
        assert not [d for d in check.check(record("hello there"), with_pii=False) if policy.keeps(d)]


def test_services_the_policy_leaves_out_are_not_asked() -> None:
    document = json.loads(default_policy().canonical())
    document["services"] = {"comprehend_pii": False, "comprehend_toxicity": False, "prompt_attacks": "off"}
    policy = parse_policy(json.dumps(document))

    def refuse(service: str) -> Any:
        raise AssertionError(service)

    screen = NoScreen()
    assert checks_for(policy, screen, refuse, None) == Checks(screen)


def test_a_policy_that_needs_a_guardrail_the_deployment_lacks_is_a_permanent_error() -> None:
    document = json.loads(default_policy().canonical())
    document["services"]["prompt_attacks"] = "apply_guardrail"
    with pytest.raises(PermanentError, match="guardrail"):
        checks_for(parse_policy(json.dumps(document)), NoScreen(), lambda _: None, None)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ThrottlingException", 400, RetryableError),
        ("AccessDeniedException", 400, PermanentError),
        ("Odd", 503, RetryableError),
    ],
)
def test_a_service_that_fails_ends_the_scan_never_passes_a_text(code: str, status: int, kind: type[Exception]) -> None:
    class Failing(FakeComprehend):
        def contains_pii_entities(self, Text: str, LanguageCode: str) -> Any:
            error = {"Error": {"Code": code, "Message": Text}, "ResponseMetadata": {"HTTPStatusCode": status}}
            raise ClientError(error, "ContainsPiiEntities")  # type: ignore[arg-type]

    with pytest.raises(kind) as failure:
        scan([ENGLISH], Failing())
    assert ENGLISH not in str(failure.value)


def test_a_shard_of_a_gzip_stream_cut_short_is_a_finding_and_what_came_before_it_counts() -> None:
    import gzip

    data = gzip.compress(
        b"".join(json.dumps({"prompt": f"{ENGLISH} {n} attack", "completion": ""}).encode() + b"\n" for n in range(500))
    )
    file = TextFile(Bytes(data[:-20]), Content.JSONL, gzipped=True)
    policy = default_policy()
    clients: dict[str, Any] = {"comprehend": FakeComprehend(), "bedrock-runtime": FakeGuardrails()}
    report = scan_shard(file, Shard(0, 0, None), checks_for(policy, NoScreen(), clients.__getitem__, None), policy)
    assert (Category.FORMAT, "damaged_gzip") in report.totals
    assert report.totals[(Category.PROMPT_ATTACK, "JAILBREAK")] > 0
