"""Texts go to the services that understand them, and what those find leads back to the file."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tunegate.errors import PermanentError, RetryableError
from tunegate.facts import Content, Shard
from tunegate.model import Category, Detection, Place, Record, Text, value_digest
from tunegate.policy import Policy, default_policy, parse_policy
from tunegate.scan import once
from tunegate.scan.answers import Answer, NotShared, SharedAnswers, Tally
from tunegate.scan.form import Form
from tunegate.scan.lines import Block
from tunegate.scan.once import Interrupt
from tunegate.scan.plan import plan
from tunegate.scan.prompts import ApplyGuardrail, ComprehendPromptSafety, GuardrailChecks
from tunegate.scan.report import ShardReport, merge
from tunegate.scan.services import Cloud, checks_for
from tunegate.scan.shard import TextFile, scan_shard
from tunegate.scan.sifted import Sifted
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
    def sift(self, block: Block, form: Form) -> Sifted:
        return Sifted.nothing(block)

    def screen_all(self, records: Sequence[Record]) -> list[list[Detection]]:
        return [[] for _ in records]


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
    shared: SharedAnswers | None = None,
    tally: Tally | None = None,
    interrupt: Interrupt = lambda: None,
) -> ShardReport:
    policy = policy or default_policy()
    clients = {"comprehend": comprehend or FakeComprehend(), "bedrock-runtime": guardrails or FakeGuardrails()}
    cloud = Cloud(clients.__getitem__, None, shared or NotShared(), tally or Tally(), interrupt)
    data = "".join(json.dumps({"prompt": line, "completion": "ok"}) + "\n" for line in lines).encode()
    file = TextFile(Bytes(data), Content.JSONL, gzipped=False)
    shards = plan(len(data), gzipped=False, shard_bytes=shard_bytes)
    return merge([scan_shard(file, s, checks_for(policy, NoScreen(), cloud), policy) for s in shards])


def found(report: ShardReport) -> list[tuple[str, int, str, list[tuple[int, int]]]]:
    return sorted((s.type, s.line, s.pointer, e.offsets) for s, e in report.entries.items())


ENGLISH = "This is a perfectly ordinary English sentence about a customer order."


def test_an_entity_leads_back_to_its_line_pointer_and_offsets() -> None:
    report = scan([ENGLISH, f"{ENGLISH} SECRETNAME is here.", ENGLISH])
    begin = len(ENGLISH) + 1
    assert found(report) == [("SSN", 2, "/prompt", [(begin, begin + 10)])]


def test_the_dear_question_is_asked_only_where_the_cheap_one_says_yes() -> None:
    comprehend = FakeComprehend()
    scan([f"{ENGLISH} {number}" for number in range(20)], comprehend)
    assert {question for question, _ in comprehend.asked} == {"contains"}
    assert len(comprehend.asked) <= 2


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
    scan([ENGLISH, ENGLISH + " Please."], guardrails=guardrails)
    assert [[m["role"] for m in messages] for messages, _ in guardrails.requests] == [["user", "assistant"]] * 2


def test_toxic_text_is_reported_by_default_and_does_not_flag() -> None:
    report = scan([ENGLISH + " damn"])
    assert [kind for kind, *_ in found(report)] == ["PROFANITY"]
    assert not default_policy().rule(Category.TOXICITY, "PROFANITY").flags


def test_a_toxic_text_is_told_from_its_neighbours() -> None:
    report = scan([ENGLISH, f"damn {ENGLISH}", ENGLISH])
    assert [(subject.line, subject.pointer) for subject in report.entries] == [(2, "/prompt")]


class Known:
    """Answers shared in memory."""

    def __init__(self) -> None:
        self.answers: dict[bytes, Answer] = {}

    def find(self, keys: Sequence[bytes]) -> Mapping[bytes, Answer]:
        return {key: self.answers[key] for key in keys if key in self.answers}

    def keep(self, key: bytes, answer: Answer) -> None:
        self.answers[key] = answer


REPEATED = [f"{ENGLISH} SECRETNAME", f"{ENGLISH} attack", f"{ENGLISH} damn", ENGLISH] * 30


def test_identical_texts_and_records_are_asked_about_once_and_reported_wherever_they_stand() -> None:
    comprehend, guardrails, tally = FakeComprehend(), FakeGuardrails(), Tally()
    report = scan(REPEATED, comprehend, guardrails, tally=tally)
    assert len(guardrails.requests) == 4
    assert len([question for question, _ in comprehend.asked if question == "detect"]) == 1
    begin = len(ENGLISH) + 1
    assert found(report) == sorted(
        entry
        for line in range(1, len(REPEATED), 4)
        for entry in (
            ("SSN", line, "/prompt", [(begin, begin + 10)]),
            ("JAILBREAK", line + 1, "", [(0, 0)]),
            ("PROFANITY", line + 2, "/prompt", [(0, len(ENGLISH) + 5)]),
        )
    )
    assert tally.repeated > 3 * tally.asked


def test_what_another_scan_was_answered_is_not_asked_again_unless_the_policy_differs() -> None:
    shared = Known()
    first = scan(REPEATED, shared=shared)
    comprehend, guardrails = FakeComprehend(), FakeGuardrails()
    assert found(scan(REPEATED, comprehend, guardrails, shared=shared)) == found(first)
    # `ok` is too short to be kept.
    assert (comprehend.asked, guardrails.requests) == ([("contains", "en")], [])
    document = json.loads(default_policy().canonical())
    document["types"]["pii/SSN"] = {"severity": "low", "flags": False, "threshold": 0.5}
    scan(REPEATED, comprehend, guardrails, parse_policy(json.dumps(document)), shared=shared)
    assert len(guardrails.requests) == 4


def test_a_scan_that_is_interrupted_goes_on_with_the_answers_it_had() -> None:
    lines = [f"{ENGLISH} SECRETNAME {number}" for number in range(40)]
    left = iter(range(100))

    def interrupt() -> None:
        if next(left) == 99:
            raise RetryableError("no time left")

    shared, guardrails = Known(), FakeGuardrails()
    with pytest.raises(RetryableError):
        scan(lines, guardrails=guardrails, shared=shared, interrupt=interrupt)
    before = len(guardrails.requests)
    assert before
    report = scan(lines, guardrails=guardrails, shared=shared)
    assert found(report) == found(scan(lines))
    assert len(guardrails.requests) == len(lines)


def test_an_allowed_value_is_allowed_whoever_finds_it() -> None:
    document = json.loads(default_policy().canonical())
    document["allowed_value_digests"] = [value_digest("SECRETNAME")]
    policy = parse_policy(json.dumps(document))
    japanese = "ご注文の状況について教えてください。よろしくお願いいたします。 SECRETNAME"
    assert found(scan([f"{ENGLISH} SECRETNAME", japanese], policy=policy)) == []


def test_a_prompt_that_stands_in_a_million_places_takes_no_memory_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(once, "MOST_WAITING", 50)
    comprehend = FakeComprehend()
    report = scan([ENGLISH] * 500, comprehend)
    assert (report.records, len(comprehend.asked)) == (500, 1)


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
    assert checks_for(policy, screen, Cloud(refuse)) == Checks(screen)


def test_a_policy_that_needs_a_guardrail_the_deployment_lacks_is_a_permanent_error() -> None:
    document = json.loads(default_policy().canonical())
    document["services"]["prompt_attacks"] = "apply_guardrail"
    with pytest.raises(PermanentError, match="guardrail"):
        checks_for(parse_policy(json.dumps(document)), NoScreen(), Cloud(lambda _: None))


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
    report = scan_shard(file, Shard(0, 0, None), checks_for(policy, NoScreen(), Cloud(clients.__getitem__)), policy)
    assert (Category.FORMAT, "damaged_gzip") in report.totals
    assert report.totals[(Category.PROMPT_ATTACK, "JAILBREAK")] > 0
