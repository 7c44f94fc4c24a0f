"""Files made to use up memory or time, each judged in a process of its own, whose peak of memory is told.

python -m fuzz.bombs NAME SIZE
"""

import gzip
import io
import json
import os
import resource
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from fuzz.targets import verdict_of, verdict_on
from tunegate.facts import Content
from tunegate.scan.weights.reading import BytesSource
from tunegate.scan.weights.upload import ModelFile, examine_file

MIB = 1024 * 1024
TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Cost:
    """What judging a bomb took: `mib` is what memory grew by, `said` the verdict or the kinds of finding."""

    seconds: float
    mib: float
    said: str


@dataclass(frozen=True)
class Stream:
    """A file that exists nowhere: `size` bytes of one letter, no line ending among them."""

    size: int

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        piece = b"a" * MIB
        for begin in range(start, min(end, self.size), MIB):
            yield piece[: min(MIB, end - begin, self.size - begin)]


def _one_line(size: int) -> str:
    return verdict_of("a.jsonl", Stream(size), Content.JSONL, gzipped=False).verdict.value


def _gzip_of_one_line(size: int) -> str:
    return verdict_on("a.jsonl.gz", _packed(b"a" * MIB for _ in range(size // MIB))).verdict.value


def _gzip_of_empty_lists(size: int) -> str:
    line = b"[" + b",".join([b"[]"] * 300) + b"]\n"
    return verdict_on("a.jsonl.gz", _packed(line * 1_000 for _ in range(size // len(line) // 1_000))).verdict.value


def _gzip_of_many_members(size: int) -> str:
    # Each member is begun anew, so few of them take as long as much of one.
    return verdict_on("a.jsonl.gz", gzip.compress(b"ab", mtime=0) * (size // 128)).verdict.value


def _zip_of_zeros(size: int) -> str:
    data = _zipped(lambda member: [member.write(bytes(MIB)) for _ in range(size // MIB)])
    return _kinds(data)


def _zips_in_zips(size: int) -> str:
    data = _zipped(lambda member: [member.write(bytes(MIB)) for _ in range(size // MIB // 16)])
    inner = data
    for _ in range(6):
        data, inner = _zipped_members(inner, 16), data
    return _kinds(data)


BOMBS: dict[str, tuple[Callable[[int], str], str]] = {
    "one line": (_one_line, "flagged"),
    "gzip of one line": (_gzip_of_one_line, "flagged"),
    "gzip of empty lists": (_gzip_of_empty_lists, ""),
    "gzip of many members": (_gzip_of_many_members, ""),
    "zip of zeros": (_zip_of_zeros, "archive"),
    "zips in zips": (_zips_in_zips, "archive_bomb"),
}
"""What judges a bomb of a size in bytes once unpacked, and what must be said of it; empty where it may be honest."""
MOST_MIB = 320
"""What judging one may take beside the process itself: a third of what the function that scans has."""


def set_off(sizes: Mapping[str, int]) -> dict[str, Cost]:
    """What each bomb cost. Raises `AssertionError` for one that was not judged."""
    asked = [part for name, size in sizes.items() for part in (name, str(size))]
    command = [sys.executable, "-m", "fuzz.bombs", *asked]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
    costs = {name: Cost(**cost) for name, cost in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0, f"after {list(costs)}: {done.stderr[-2_000:]}"
    return costs


def fault_of(name: str, cost: Cost) -> str:
    """What is wrong with how a bomb was judged; empty where nothing is."""
    if BOMBS[name][1] not in cost.said:
        return f"it was said to be {cost.said}"
    return f"it took {cost.mib:.0f} MiB" if cost.mib > MOST_MIB else ""


def _packed(pieces: Iterator[bytes]) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return b"".join([*map(packer.compress, pieces), packer.flush()])


def _zipped(write: Callable[[io.BufferedIOBase], object]) -> bytes:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a", "w", force_zip64=True) as member,
    ):
        write(member)  # type: ignore[arg-type]
    return buffer.getvalue()


def _zipped_members(held: bytes, count: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(count):
            archive.writestr(f"{number}.zip", held)
    return buffer.getvalue()


def _kinds(data: bytes) -> str:
    report = examine_file(ModelFile("x.bin", BytesSource(data)))
    return " ".join(sorted({finding.type for finding in report.findings}))


def _alone(name: str, size: int) -> Cost:
    """Judge it in a fork, which begins with what is loaded and whose peak is its own."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        before, start = _resident(), time.monotonic()
        said = BOMBS[name][0](size)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        os.write(writes, json.dumps([time.monotonic() - start, peak - before, said]).encode())
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as told:
        text = told.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, f"{name} ended the process that judged it"
    return Cost(*json.loads(text))


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / MIB


def main() -> None:
    verdict_on("a.jsonl", b'{"prompt": "a", "completion": "b"}\n' * 10)
    for name, size in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
        print(json.dumps([name, asdict(_alone(name, int(size)))]), flush=True)


if __name__ == "__main__":
    main()
