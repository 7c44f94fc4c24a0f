"""What holds of every model file: a report, never an exception; bounded reads; no pass for what is not understood."""

import json
import random
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tunegate.judge.weights import judge_model
from tunegate.model import Verdict
from tunegate.policy import default_policy
from tunegate.scan.weights.opcodes import TABLE
from tunegate.scan.weights.payloads import INNOCUOUS
from tunegate.scan.weights.pickles import read_pickle
from tunegate.scan.weights.upload import FILE_BYTES, ModelFile, examine_file, examine_upload
from unit.weights_world import (
    CALLS_SYSTEM,
    CALLS_SYSTEM_0,
    CALLS_SYSTEM_4,
    MODEL,
    UPLOAD,
    WEIGHTS,
    Bytes,
    examined,
    safetensors,
    tensor,
    torch_zip,
    zipped,
)

NAMES = st.sampled_from([*MODEL, "tokenizer.model", "merges.txt", "x.bin", "model.safetensors.index.json", "a/b"])
SEEDS = st.sampled_from(
    [
        *MODEL.values(),
        torch_zip(),
        CALLS_SYSTEM,
        CALLS_SYSTEM_0,
        CALLS_SYSTEM_4,
        zipped({"a": WEIGHTS}),
        b"\x1f\x8b\x08",
    ]
)
OPCODES = st.sampled_from([bytes([code]) for code, op in enumerate(TABLE) if op])
PROGRAMS = st.lists(OPCODES | st.sampled_from([b"os\n", b"\x02", b"system\n", b"\0\0\0", b"1\n"]), max_size=40).map(
    b"".join
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file of some kind with a few bytes changed, cut, or put in."""
    data = bytearray(draw(SEEDS))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


ANY_BYTES = st.binary(max_size=300) | PROGRAMS | damaged()


@given(NAMES, ANY_BYTES)
@settings(max_examples=600, deadline=None)
def test_any_bytes_under_any_name_give_a_report(name: str, data: bytes) -> None:
    source = Bytes(data)
    report = examine_file(ModelFile(name, source))
    assert report.bytes_read == sum(min(end, source.size) - start for start, end in source.reads) <= FILE_BYTES
    assert all(0 <= start <= end <= source.size for start, end in source.reads)
    assert all(finding.file == name and len(finding.detail) < 2_000 for finding in report.findings)


@given(ANY_BYTES)
@settings(max_examples=300, deadline=None)
def test_a_name_that_is_not_imported_never_passes(data: bytes) -> None:
    upload = {**MODEL, "pytorch_model.bin": data}
    facts = examine_upload([ModelFile(name, Bytes(content)) for name, content in upload.items()])
    assert judge_model(UPLOAD, facts, default_policy()).verdict != Verdict.CLEAN


@given(st.sampled_from(["config.json", "tokenizer.json", "tokenizer_config.json"]), ANY_BYTES)
@settings(max_examples=300, deadline=None)
def test_a_file_that_is_not_what_its_name_says_never_passes(name: str, data: bytes) -> None:
    try:
        valid = isinstance(json.loads(data), dict)
    except (ValueError, RecursionError):
        valid = False
    if not valid:
        assert examined(name, data).findings


@given(PROGRAMS)
@settings(max_examples=600, deadline=None)
@example(b"((((iosystem\n\n.")
def test_a_reader_of_pickles_never_fails_and_always_ends(data: bytes) -> None:
    trace = read_pickle(data)
    assert trace.start <= trace.end <= len(data)
    assert set(trace.calls) <= set(trace.imports)


@given(ANY_BYTES, st.sampled_from([CALLS_SYSTEM, CALLS_SYSTEM_0, CALLS_SYSTEM_4]))
@settings(max_examples=300, deadline=None)
def test_a_pickle_that_calls_is_found_whatever_follows_it(tail: bytes, data: bytes) -> None:
    assert any(finding.type == "pickle_call" for finding in examined("model.bin", data + tail).findings)


@given(st.integers(0, 2**32), st.integers(1, 3_000), st.sampled_from(["F32", "BF16", "I64"]))
@settings(max_examples=300, deadline=None)
def test_weights_of_random_values_are_no_finding(seed: int, count: int, dtype: str) -> None:
    data = random.Random(seed).randbytes(8 * count)  # noqa: S311
    report = examined("model.safetensors", safetensors({"w": tensor(0, len(data), dtype)}, data))
    assert (report.findings, report.unread) == ([], "")


SLOW = [b"c", b"(", b"ca\nb\n", b"ia\nb\n)R", b"(i", b"\x80\x02}", b"\x8c\x02os", b"U", b"a\x93", b"2", b"Pa\n"]
SLOW += [b"PK\x05\x06", b"{", b'{"a":', b'["', b"{{", b"\x0a\x00", b"(S'a'\n", b"\x0a\x03\x0a\x01a"]


@pytest.mark.parametrize("piece", SLOW, ids=repr)
def test_no_repetition_makes_it_slow(piece: bytes) -> None:
    start = time.process_time()
    for name in ("x.bin", "tokenizer.model", "tokenizer.json", "chat_template.jinja"):
        examined(name, piece * (100_000 // len(piece)))
    examined("x.bin", b"\x80\x02]" + piece * (100_000 // len(piece)))
    assert time.process_time() - start < 30  # some seconds on a busy machine; minutes where a search is quadratic


def test_what_honest_pickles_name_can_do_no_harm() -> None:
    harmful = {"eval", "exec", "getattr", "setattr", "__import__", "open", "compile", "system", "apply", "map", "input"}
    assert not {one.name for one in INNOCUOUS} & harmful
