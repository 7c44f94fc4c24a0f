"""The pre-flight: the same reading, screen and judgement as in the cloud, on a local file, with no service behind it.

Names and addresses cannot be found offline at useful precision; they are left to Comprehend after the upload.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from tunegate.facts import ObjectFacts, Shard
from tunegate.judge.verdict import held, judge_text
from tunegate.model import Decision, ObjectVersion
from tunegate.policy import Policy, default_policy
from tunegate.scan.plan import SAMPLE_BYTES, content_of, is_gzip, sample_of
from tunegate.scan.report import merge
from tunegate.scan.screen import Screen
from tunegate.scan.shard import TextFile, scan_shard
from tunegate.scan.source import FileSource
from tunegate.scan.text import Checks

Progress = Callable[[int], None]
"""Told how many bytes of the file, as stored, were read since the last call."""


class UnreadableError(Exception):
    """A file that could not be read from this machine's disk."""


def scan_file(
    path: Path,
    policy: Policy | None = None,
    trusted_buckets: frozenset[str] | None = None,
    progress: Progress | None = None,
) -> Decision:
    """Judge one local file. `trusted_buckets` are those its records may refer to; None means they are not known.

    Raises `UnreadableError` where the file system does not give the file.
    """
    policy = policy or default_policy()
    try:
        return _scan(path, policy, trusted_buckets, progress)
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror or type(error).__name__}") from None


def _scan(path: Path, policy: Policy, trusted_buckets: frozenset[str] | None, progress: Progress | None) -> Decision:
    subject = ObjectVersion("", str(path), "")
    source = FileSource(path, progress)
    if source.size > policy.limits.object_bytes:
        return held(subject, "it is larger than the policy's limit", policy.digest)
    first = b"".join(FileSource(path).chunks(0, min(SAMPLE_BYTES, source.size)))
    gzipped = is_gzip(first)
    facts = ObjectFacts(source.size, content_of(path.name, sample_of(first)), gzipped, encryption=None)
    file = TextFile(source, facts.content, gzipped, trusted_buckets)
    report = merge([scan_shard(file, Shard(0, 0, None), Checks(_screen()), policy)])
    return judge_text(subject, facts, report, policy, expected_key=None)


@cache
def _screen() -> Screen:
    return Screen()
