"""Facts and a scan under a policy give one verdict; what could not be told is held."""

from collections.abc import Sequence

import pytest

from tunegate.facts import Content, Encryption, ObjectFacts, Shard
from tunegate.judge.reasons import reason_of
from tunegate.judge.scan import judge_scan, missing_shards
from tunegate.judge.verdict import judge_text
from tunegate.model import Category, Detection, ObjectVersion, Place, Verdict
from tunegate.policy import default_policy
from tunegate.scan.report import MOST_ENTRIES, ShardReport, merge
from tunegate.service_answers import StepError
from tunegate.steps import InspectedFile, Inspection, ShardResult

KEY = "arn:aws:kms:us-east-1:111122223333:key/data"
UPLOAD = ObjectVersion("intake", "a.jsonl", "v1")
ENCRYPTED = Encryption("aws:kms", KEY)


def report(*detections: Detection, records: int = 1, lines: int = 1) -> ShardReport:
    built = ShardReport(lines=lines, records=records)
    for detection in detections:
        built.add(detection)
    return built


def verdict(*detections: Detection, encryption: Encryption | None = ENCRYPTED, content: Content = Content.JSONL) -> str:
    facts = ObjectFacts(10, content, gzipped=False, encryption=encryption)
    return judge_text(UPLOAD, facts, report(*detections), default_policy(), KEY).verdict


SSN = Detection(Category.PII, "SSN", Place(3, "/prompt", 4, 15))
OTHER_SSN = Detection(Category.PII, "SSN", Place(3, "/prompt", 40, 51))
NAME = Detection(Category.PII, "NAME", Place(3, "/prompt", 0, 4), 0.9, "comprehend")


def test_nothing_found_is_clean() -> None:
    assert verdict() == Verdict.CLEAN


def test_what_the_policy_flags_flags_and_what_it_reports_does_not() -> None:
    assert verdict(SSN) == Verdict.FLAGGED
    assert verdict(NAME) == Verdict.CLEAN


@pytest.mark.parametrize(
    "encryption",
    [
        None,
        Encryption(None, None),
        Encryption("AES256", None),
        Encryption("aws:kms", "arn:other"),
        Encryption("aws:kms", None),
    ],
)
def test_any_other_key_than_the_expected_one_flags(encryption: Encryption | None) -> None:
    assert verdict(encryption=encryption) == Verdict.FLAGGED


def test_what_nothing_here_can_read_is_held_never_clean() -> None:
    assert verdict(content=Content.UNREADABLE) == Verdict.HELD


def test_a_file_without_a_record_is_flagged() -> None:
    facts = ObjectFacts(0, Content.EMPTY, gzipped=False, encryption=ENCRYPTED)
    decision = judge_text(UPLOAD, facts, ShardReport(), default_policy(), KEY)
    assert [finding.type for finding in decision.findings] == ["no_records"]
    assert decision.verdict == Verdict.FLAGGED


def test_what_two_detectors_see_at_one_place_is_counted_once_and_says_both() -> None:
    comprehend = Detection(Category.PII, "SSN", Place(3, "/prompt", 3, 15), 0.9, "comprehend")
    whole = report(SSN, comprehend)
    [entry] = whole.entries.values()
    assert (entry.count, entry.detectors, whole.totals) == (1, {"screen", "comprehend"}, {(Category.PII, "SSN"): 1})


def test_what_a_service_says_of_a_record_confirms_what_the_screen_saw_in_its_text() -> None:
    seen = Detection(Category.PROMPT_ATTACK, "JAILBREAK", Place(3, "/prompt", 0, 40), 0.9)
    said = Detection(Category.PROMPT_ATTACK, "JAILBREAK", Place(3), 0.8, "guardrail_checks")
    whole = report(seen, said)
    assert [(subject.pointer, entry.count) for subject, entry in whole.entries.items()] == [("/prompt", 1)]
    assert [entry.detectors for entry in whole.entries.values()] == [{"screen", "guardrail_checks"}]
    assert [subject.pointer for subject in report(said).entries] == [""]
    elsewhere = Detection(Category.PROMPT_ATTACK, "JAILBREAK", Place(4), 0.8, "guardrail_checks")
    assert report(seen, elsewhere).totals == {(Category.PROMPT_ATTACK, "JAILBREAK"): 2}


def test_detections_of_one_type_at_one_place_are_one_finding_with_a_count() -> None:
    decision = judge_text(
        UPLOAD, ObjectFacts(1, Content.JSONL, False, ENCRYPTED), report(SSN, OTHER_SSN), default_policy(), KEY
    )
    assert [(f.type, f.line, f.pointer, f.count) for f in decision.findings] == [("SSN", 3, "/prompt", 2)]
    assert decision.reason == "pii/SSN (2)"


def test_a_file_full_of_harmless_reports_is_still_flagged_by_the_one_that_matters() -> None:
    names = [Detection(Category.PII, "NAME", Place(line), 0.9) for line in range(1, MOST_ENTRIES + 50)]
    late = Detection(Category.SECRET, "private_key", Place(MOST_ENTRIES + 60))
    assert verdict(*names, late) == Verdict.FLAGGED


def test_shards_add_up_with_lines_counted_through_the_file() -> None:
    first, second = report(SSN, lines=10), report(SSN, lines=5)
    whole = merge([ShardReport.from_json(first.to_json()), ShardReport.from_json(second.to_json())])
    assert sorted(subject.line for subject in whole.entries) == [3, 13]
    assert (whole.lines, whole.totals) == (15, {(Category.PII, "SSN"): 2})


def test_a_second_shape_in_a_file_is_reported_where_it_begins_even_in_another_shard() -> None:
    first, second = report(lines=10), report(lines=5)
    first.saw_shape("input", 1)
    second.saw_shape("messages", 2)
    whole = merge([first, second])
    assert [(subject.type, subject.line) for subject in whole.entries] == [("mixed_shapes", 12)]


def inspection(shards: int) -> Inspection:
    file = InspectedFile(size=1, content=Content.JSONL, gzipped=False, encryption=ENCRYPTED, policy_digest="d")
    return Inspection(file=file, shards=tuple(Shard(index, index, index + 1) for index in range(shards)))


@pytest.mark.parametrize("results", [[], [0], [0, 0], [0, 2], [0, 1, 2]])
def test_a_scan_that_misses_a_shard_or_has_one_twice_is_not_whole(results: Sequence[int]) -> None:
    assert missing_shards(inspection(2), [ShardResult(index=index) for index in results])


def test_a_whole_scan_misses_nothing_and_is_judged_by_all_its_shards() -> None:
    assert missing_shards(inspection(2), [ShardResult(index=1), ShardResult(index=0)]) == ""
    decision = judge_scan(UPLOAD, inspection(2), iter([report(lines=4), report(SSN)]), default_policy(), KEY)
    assert [(finding.type, finding.line) for finding in decision.findings] == [("SSN", 7)]


def test_a_file_of_many_full_shards_lists_a_bounded_number_of_places_and_counts_them_all() -> None:
    full = [report(*[Detection(Category.PII, "NAME", Place(line)) for line in range(1, MOST_ENTRIES + 1)])] * 3
    whole = merge([*full, report(SSN)])
    assert len(whole.entries) == MOST_ENTRIES + 1
    assert whole.totals == {(Category.PII, "NAME"): 3 * MOST_ENTRIES, (Category.PII, "SSN"): 1}


def test_the_reason_repeats_our_own_words_and_nobody_elses() -> None:
    ours = '{"errorMessage": "Reading the object: GetObject answered AccessDenied", "errorType": "PermanentError"}'
    theirs = '{"errorMessage": "could not parse my-secret-value", "errorType": "ValueError"}'
    failed = ShardResult(index=0, error=StepError(Error="PermanentError", Cause=ours))
    assert missing_shards(inspection(1), [failed]) == "Reading the object: GetObject answered AccessDenied"
    assert "my-secret-value" not in reason_of("ValueError", theirs)
    assert reason_of("States.Timeout", "") == "a step of the scan took longer than it may"
