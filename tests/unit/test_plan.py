"""What a file is told by, and how it is cut."""

import gzip
from itertools import pairwise

import pytest

from tunegate.facts import Content, Encryption
from tunegate.model import Category, Decision, Finding, ObjectVersion, Severity, Verdict
from tunegate.policy import default_policy
from tunegate.scan.plan import MOST_SHARDS, SAMPLE_BYTES, content_of, plan, sample_of
from tunegate.scan.source import NotGzipError, TooLargeError, gunzip
from tunegate.steps import InspectedFile, Inspection, Judgement, JudgeTask, ObjectRef, ShardResult


@pytest.mark.parametrize(
    ("name", "head", "content"),
    [
        ("a.jsonl", b'{"input": "x"}\n', Content.JSONL),
        ("a.jsonl.gz", b'{"input": "x"}\n', Content.JSONL),
        ("data", b'{"input": "x"}\n', Content.JSONL),
        ("data", b"just words\n", Content.TEXT),
        ("a.txt", b'{"input": "x"}\n', Content.TEXT),
        ("a.jsonl", b"\xef\xbb\xbf{}\n", Content.JSONL),
        ("a.jsonl", b'{"input": "\xff"}\n', Content.JSONL),
        ("a.jsonl", b" \r\n \n", Content.EMPTY),
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0", Content.UNREADABLE),
        ("a.jsonl", b"PK\x03\x04\x00\x00\x01\x02\x00\x00", Content.UNREADABLE),
        ("a.jsonl", b"\x80\x04\x95\x1a\x00\x00\x00\x00", Content.UNREADABLE),
        ("a.bin", ("é" * SAMPLE_BYTES).encode()[: SAMPLE_BYTES - 1], Content.TEXT),
    ],
)
def test_a_file_is_what_its_bytes_say(name: str, head: bytes, content: Content) -> None:
    assert content_of(name, head) is content


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 1000, 10**7])
def test_shards_cover_a_file_without_gap_or_overlap(size: int) -> None:
    shards = plan(size, gzipped=False, shard_bytes=100)
    assert shards[0].start == 0
    assert shards[-1].end is None
    assert all(one.end == other.start for one, other in pairwise(shards))
    assert len(shards) <= MOST_SHARDS


def test_a_gzip_stream_is_one_shard() -> None:
    assert len(plan(10**9, gzipped=True, shard_bytes=100)) == 1


def test_the_sample_of_a_gzip_file_is_its_text() -> None:
    text = b"x" * (3 * SAMPLE_BYTES)
    assert sample_of(gzip.compress(text)[:60_000]) == text[:SAMPLE_BYTES]


def test_gzip_members_follow_one_another() -> None:
    assert b"".join(gunzip(iter([gzip.compress(b"one") + gzip.compress(b"two")]), 100)) == b"onetwo"


@pytest.mark.parametrize("data", [gzip.compress(b"text")[:-3], b"\x1f\x8bnonsense", gzip.compress(b"one") + b"tail"])
def test_a_damaged_stream_is_an_error(data: bytes) -> None:
    with pytest.raises(NotGzipError):
        list(gunzip(iter([data]), 1000))


def test_a_bomb_stops_at_the_limit() -> None:
    with pytest.raises(TooLargeError):
        list(gunzip(iter([gzip.compress(b"\0" * 10**7)]), 10**6))


def test_the_largest_file_fits_what_step_functions_passes_between_steps() -> None:
    """256 KiB of state (Step Functions, service quotas), with every shard, every result and a full judgement in it."""
    policy = default_policy()
    encryption = Encryption("aws:kms", "arn:aws:kms:us-east-1:111122223333:key/0dc5079d-7542-477a-93b9-14c91008c7f8")
    file = InspectedFile(
        size=policy.limits.object_bytes,
        content=Content.JSONL,
        gzipped=False,
        encryption=encryption,
        policy_digest="d" * 64,
    )
    shards = plan(policy.limits.object_bytes, gzipped=False, shard_bytes=policy.limits.shard_bytes)
    finding = Finding(
        Category.PII, "T" * 40, Severity.HIGH, True, 10**9, "/p" * 60, 10, 0.5, ("screen", "comprehend"), ((1, 2),) * 10
    )
    decision = Decision(ObjectVersion("b", "k", "v"), Verdict.FLAGGED, "d" * 64, (finding,) * 500, "r" * 500)
    task = JudgeTask(
        object=ObjectRef(bucket="b" * 63, key="k" * 1024, version_id="v" * 40),
        order="0" * 32,
        scan_id="s" * 80,
        inspection=Inspection(file=file, shards=shards),
        results=tuple(ShardResult(index=shard.index) for shard in shards),
    )
    state = task.model_dump_json() + Judgement.of(decision, "findings/" + "s" * 80).model_dump_json()
    assert len(state.encode()) < 256 * 1024
