"""What else a user could pick, called the way its documentation says."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from screen import corpora
from tunegate.model import Detection, Record, Text
from tunegate.scan.screen import Screen

INSTALLED = corpora.CACHE.parent / "peers"
Peer = Callable[[Sequence[str]], list[bool]]
"""Whether a peer finds anything, for each text."""


@cache
def _screen() -> Screen:
    return Screen()


def ours(text: str) -> list[Detection]:
    return _screen().screen(Record(1, (Text("", text),)))


def presidio() -> Peer:
    """Presidio's predefined pattern recognizers of the types both know, without a language model or the network."""
    import tldextract.tldextract
    from presidio_analyzer import predefined_recognizers as known

    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    recognizers: list[Any] = [
        known.EmailRecognizer(),
        known.CreditCardRecognizer(),
        known.IbanRecognizer(),
        known.UsSsnRecognizer(),
        known.IpRecognizer(),
        known.PhoneRecognizer(),
    ]

    def find(text: str) -> bool:
        found = [one.analyze(text, one.supported_entities, None) for one in recognizers]
        return any(found)

    return lambda texts: [find(text) for text in texts]


def detect_secrets() -> Peer:
    """All plugins of detect-secrets, line by line."""
    _install("peers.txt")
    sys.path.append(str(INSTALLED))
    from detect_secrets.core.scan import scan_line  # type: ignore[import-not-found]
    from detect_secrets.settings import default_settings  # type: ignore[import-not-found]

    def one(text: str) -> bool:
        found = [list(scan_line(line)) for line in text.splitlines()]
        return any(found)

    def find(texts: Sequence[str]) -> list[bool]:
        with default_settings():
            return [one(text) for text in texts]

    return find


def _install(pins: str) -> None:
    """The pinned packages, into a folder of their own; a wrong hash ends the run."""
    if INSTALLED.exists():
        return
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    done = subprocess.run(  # noqa: S603 - our own arguments
        [*command, "--target", str(INSTALLED), "--requirement", str(corpora.HERE / pins)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{pins} cannot be installed: {(done.stderr.strip().splitlines() or ['pip failed'])[-1]}")
