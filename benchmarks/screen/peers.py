"""What else a user could pick, called the way its documentation says."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from screen import corpora
from tunegate.model import Detection, Record, Text
from tunegate.scan.screen import Screen

INSTALLED = corpora.CACHE.parent / "peers"


@cache
def _screen() -> Screen:
    return Screen()


def ours(text: str) -> list[Detection]:
    return _screen().screen(Record(1, (Text("", text),)))


def presidio(types: Mapping[str, str]) -> Callable[[str], list[Any]]:
    """Presidio's predefined pattern recognizers of `types`, without a language model."""
    from presidio_analyzer import predefined_recognizers as known

    recognizers = [
        known.EmailRecognizer(),
        known.CreditCardRecognizer(),
        known.IbanRecognizer(),
        known.UsSsnRecognizer(),
        known.IpRecognizer(),
        known.PhoneRecognizer(),
    ]
    return lambda text: [hit for one in recognizers for hit in one.analyze(text, list(types), None)]  # type: ignore[arg-type]


def detect_secrets() -> Callable[[str], bool]:
    """All plugins of detect-secrets on one line."""
    _install("peers.txt")
    sys.path.append(str(INSTALLED))
    # Installed just now, and nowhere a checker looks.
    scan_line = import_module("detect_secrets.core.scan").scan_line
    default_settings = import_module("detect_secrets.settings").default_settings

    def find(text: str) -> bool:
        return any(list(scan_line(line)) for line in text.splitlines())

    settings = default_settings()
    settings.__enter__()
    return find


def _install(pins: str) -> None:
    """The pinned packages, into a folder of their own; a wrong hash ends the run."""
    if INSTALLED.exists():
        return
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*command, "--target", str(INSTALLED), "--requirement", str(corpora.HERE / pins)], check=True)  # noqa: S603
