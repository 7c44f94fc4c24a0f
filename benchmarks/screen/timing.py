"""Processor time and memory of a scan: of lines in memory, and of files of any size that are never written."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import orjson

from tunegate.facts import Content, Shard
from tunegate.policy import default_policy
from tunegate.scan.screen import Screen
from tunegate.scan.shard import TextFile, scan_shard
from tunegate.scan.source import CHUNK_BYTES, Source
from tunegate.scan.text import Checks

ENOUGH = 0.2  # seconds a measurement is repeated for, so that the clock's grain does not count


class Memory:
    """Lines as a file."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._data = b"\n".join(lines) + b"\n"
        self.size = len(self._data)

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Memory":
        return cls([orjson.dumps({"prompt": text, "completion": "ok"}) for text in texts])

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        for at in range(start, end, CHUNK_BYTES):
            yield self._data[at : min(at + CHUNK_BYTES, end)]


class Endless:
    """A file of `size` bytes: records numbered through, so that no two are the same, or one line."""

    def __init__(self, size: int, *, one_line: bool) -> None:
        self.size = size
        self._one_line = one_line

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        sent, number = start, 0
        while sent < end:
            piece = b"x" * CHUNK_BYTES if self._one_line else self._records(number)
            number += 1
            yield piece[: end - sent]
            sent += len(piece)

    def _records(self, number: int) -> bytes:
        line = orjson.dumps({"prompt": f"What is in box {number:06}?", "completion": "Oak boards. " * 1000}) + b"\n"
        return line * (CHUNK_BYTES // len(line) + 1)


@cache
def _screen() -> Screen:
    return Screen()


def scanned(source: Source, screen: Screen | None = None) -> float:
    """Seconds of processor time that the whole scan of a file takes, from bytes to report."""
    checks, policy = Checks(screen or _screen()), default_policy()
    checks_memory_is_new(checks)
    begun = time.process_time()
    scan_shard(
        TextFile(source, Content.JSONL, gzipped=False, trusted_buckets=frozenset()), Shard(0, 0, None), checks, policy
    )
    return time.process_time() - begun


def checks_memory_is_new(checks: Checks) -> None:
    """Forget the strings of the run before: a file is measured as if it were the first."""
    if isinstance(checks.screen, Screen):
        checks.screen.forget()


def floor(lines: Sequence[bytes]) -> float:
    """Seconds of processor time that parsing the lines takes, and nothing else."""
    loads = orjson.loads
    begun = time.process_time()
    for line in lines:
        loads(line)
    return time.process_time() - begun


def timed(work: Callable[[], object]) -> float:
    """Seconds of processor time of one run of `work`, warm."""
    work()
    runs, begun = 0, time.process_time()
    while time.process_time() - begun < ENOUGH:
        work()
        runs += 1
    return (time.process_time() - begun) / runs


def peak_memory(what: str) -> int:
    """Peak resident memory, in kB, of a process of its own that scans `what`: a number of bytes, or `line` (1 GB)."""
    done = subprocess.run([sys.executable, __file__, what], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return int(done.stdout)


if __name__ == "__main__":
    import resource

    one_line = sys.argv[1] == "line"
    scanned(Endless(10**9 if one_line else int(sys.argv[1]), one_line=one_line))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
