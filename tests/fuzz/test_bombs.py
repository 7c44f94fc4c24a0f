"""What is made to use up memory, time or the stack: judged within bounds, and never passed."""

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from fuzz.bombs import BOMBS, MIB, Cost, fault_of, set_off
from fuzz.rubbish import refused, samples
from fuzz.targets import carries_a_key, verdict_on
from tunegate.errors import PermanentError
from tunegate.observe.dead_letters import call_of
from tunegate.observe.events import message_in, object_created
from tunegate.observe.job_events import hint_in
from tunegate.observe.macie import _records
from tunegate.observe.malware import scan_result
from tunegate.policy import PolicyError, parse_policy
from tunegate.scan.weights.manifest import ManifestError, parse_manifest
from unit.weights_world import examined, safetensors

NESTED = 1_000_000
SMALL = {"gzip of empty lists": 8, "zips in zips": 16, "gzip of many members": 16}
"""Sizes in MiB, where 64 would take long. `make fuzz` sets off those of a gigabyte."""


@pytest.fixture(scope="module")
def costs() -> dict[str, Cost]:
    return set_off({name: SMALL.get(name, 64) * MIB for name in BOMBS})


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_judged_within_bounds(name: str, costs: dict[str, Cost]) -> None:
    assert fault_of(name, costs[name]) == ""
    assert costs[name].seconds < 60


@pytest.mark.parametrize("opened", [b"[", b'{"a":', b'[{"a":[', b'{"messages":[{"content":['])
@pytest.mark.parametrize("closed", [False, True])
def test_a_million_brackets_are_no_record(opened: bytes, closed: bool) -> None:
    ends = {b"[": b"]", b'{"a":': b"}", b'[{"a":[': b"]}]", b'{"messages":[{"content":[': b"]}]}"}
    times = NESTED // sum(opened.count(bracket) for bracket in (b"[", b"{"))
    line = opened * times + (b"1" + ends[opened] * times if closed else b"")
    start = time.process_time()
    assert verdict_on("a.jsonl", line).verdict == "flagged"
    assert time.process_time() - start < 30


READERS: dict[str, tuple[Callable[[bytes], Any], type[Exception]]] = {
    "a message": (message_in, PermanentError),
    "a dead letter": (lambda data: call_of({"Body": data.decode()}), PermanentError),
    "Macie's results": (lambda data: list(_records(gzip.compress(data, 1))), PermanentError),
    "a policy": (parse_policy, PolicyError),
    "a manifest": (parse_manifest, ManifestError),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("opened", [b"[", b'{"a":', b"\xed\xa0\x80", b"\0", b'"\\ud800'])
def test_what_is_too_deep_or_no_text_is_refused_in_words(reader: str, opened: bytes) -> None:
    read, refusal = READERS[reader]
    with pytest.raises((refusal, UnicodeDecodeError) if opened[0] > 0x7F and reader == "a dead letter" else refusal):
        read(opened * NESTED)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors", "x.bin"])
def test_a_million_brackets_are_no_part_of_a_model(name: str) -> None:
    for data in (b"[" * NESTED, b'{"a":' * NESTED, safetensors(b'{"a":' * NESTED)):
        report = examined(name, data)
        assert report.findings or report.unread or name == "chat_template.jinja"


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (b'{"prompt": "\\ud800", "completion": "a"}', "flagged"),
        (b'{"prompt": "\xed\xa0\x80", "completion": "a"}', "flagged"),
        (b'{"prompt": "a\xff", "completion": "a"}', "flagged"),
    ],
)
def test_what_no_reader_takes_is_never_clean(line: bytes, verdict: str) -> None:
    good = b'{"prompt": "What is it?", "completion": "A line."}\n'
    assert verdict_on("a.jsonl", good).verdict == "clean"
    assert verdict_on("a.jsonl", good + line).verdict == verdict


def test_nul_bytes_between_records_are_found() -> None:
    good = b'{"prompt": "What is it?", "completion": "A line."}\n'
    assert verdict_on("a.jsonl", good + b"\0" * 100 + b"\n" + good).verdict != "clean"
    assert verdict_on("a.bin", b"\0" * 1_000).verdict == "held"


@pytest.mark.parametrize(
    "character", [chr(code) for code in range(256)] + ["\u2028", "\u202e", "\ufeff", "\uffff", "🧨"]
)
def test_each_character_of_a_key_goes_all_the_way(character: str) -> None:
    carries_a_key(character)
    carries_a_key(f"a{character}b/{character}")


@pytest.mark.parametrize(
    "key", ["../../etc/passwd", "./a", "a//b", "/", "%2e%2e%2f", "a+b", "a%2Bb", "x" * 1_024, "é" * 512, "🧨" * 256]
)
def test_each_odd_key_goes_all_the_way(key: str) -> None:
    carries_a_key(key)


@pytest.mark.parametrize("key", ["", "x" * 1_025, "é" * 513, "\ud800", 3, None, ["a"], {"a": 1}, True])
def test_what_cannot_be_a_key_is_refused(key: Any) -> None:
    event = {"detail": {"bucket": {"name": "b"}, "object": {"key": key, "version-id": "v", "sequencer": "1"}}}
    with pytest.raises(PermanentError):
        object_created(event)


@pytest.mark.parametrize("event", [None, 1, "ab", [], [["detail", {}]], {"detail": [{}]}, {"detail": {"object": "x"}}])
def test_what_is_no_object_is_no_event(event: Any) -> None:
    for read in (object_created, hint_in, scan_result):
        with pytest.raises(PermanentError):
            read(event)


def test_a_status_too_long_to_keep_is_cut_and_passes_nothing() -> None:
    [event] = samples("guardduty_scan_result")
    event["detail"]["scanResultDetails"]["scanResultStatus"] = "NO_THREATS_FOUND" + " " * 10_000
    assert scan_result(event)[1].status != "NO_THREATS_FOUND"


@pytest.mark.parametrize("start", ["1e999", "-1e999", "NaN", '"1"', "null", "[1]"])
def test_numbers_of_macies_that_are_none_are_refused(start: str) -> None:
    lines = f'[{{"type": "NAME", "count": 1, "occurrences": {{"lineRanges": [{{"start": {start}}}]}}}}]'
    result = f'{{"status": {{"code": "COMPLETE"}}, "sensitiveData": [{{"category": "X", "detections": {lines}}}]}}'
    record = f'{{"resourcesAffected": {{"s3Object": {{"key": "k"}}}}, "classificationDetails": {{"result": {result}}}}}'
    body = gzip.compress(record.encode())
    read = refused(lambda: list(_records(body)), PermanentError)
    assert read is None or start == '"1"'


@pytest.mark.parametrize("cut", [0, 5, 12, -8, -1])
def test_macies_results_that_stop_short_or_are_damaged_are_refused(cut: int) -> None:
    body = gzip.compress(b'{"resourcesAffected": {}}' * 20)
    for broken in (body[:cut], body[:12] + b"\xff" * 40):
        with pytest.raises(PermanentError):
            list(_records(broken))


def test_the_longest_key_of_quotes_fits_the_alert_and_the_row() -> None:
    for key in ("'" * 1_024, "\n" * 1_024, "\u202e" * 341):
        carries_a_key(key)
        assert len(json.dumps(key)) < 64 * 1024
