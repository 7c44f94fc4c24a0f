"""How fast the built-in screen reads, side by side with what a user would pick instead.

    python benchmarks/speed.py [--json build/bench.json]

Every figure is a ratio of processor times taken in one run: of `orjson.loads` per line (result dropped) to the screen
on the same lines, or of a peer to the screen on the same texts. What could not be measured is said, and the exit is 1.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from screen import corpora, peers, planted
from screen.timing import Memory, floor, peak_memory, scanned, timed

MEGABYTE = 1_000_000
PER_FILE = 300  # lines of one evals file: some hold a hundred thousand from one template
EACH = 30  # planted texts of each kind
SIZES = (MEGABYTE, 100 * MEGABYTE, 1_000 * MEGABYTE)
SYSTEM = "You are the assistant of a hardware store. Answer briefly, name prices in euros, and stay with the question. "
PRESIDIO_TYPES = {
    "EMAIL_ADDRESS": "EMAIL",
    "CREDIT_CARD": "CREDIT_DEBIT_NUMBER",
    "US_SSN": "SSN",
    "IP_ADDRESS": "IP_ADDRESS",
}
PRESIDIO_TYPES |= {"IBAN_CODE": "INTERNATIONAL_BANK_ACCOUNT_NUMBER", "PHONE_NUMBER": "PHONE"}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", type=Path, help="merge the figures into this file")
    chosen = options.parse_args()
    figures: dict[str, Any] = {}
    missing: list[str] = []
    for name, measure in PARTS.items():
        try:
            figures[name] = measure()
        except (ImportError, OSError, RuntimeError) as error:
            missing.append(name)
            print(f"{name}: could not be measured: {error}", file=sys.stderr)
        else:
            print(f"{name:18} {json.dumps(figures[name])}", flush=True)
    if chosen.json:
        merge(chosen.json, figures)
    return 1 if missing else 0


def merge(path: Path, figures: dict[str, Any]) -> None:
    known = json.loads(path.read_text()) if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known | figures, indent=1) + "\n")


def real() -> list[bytes]:
    return list(corpora.real_lines(PER_FILE))


def half_pii() -> list[bytes]:
    """Real instruction records, into every second of which a planted identifier is written."""
    texts = [item.text for item in planted.identifiers(EACH)]
    rows = [[text for _, text in sample.texts] for sample in corpora.instructions()]
    planted_in = [
        [first, f"{rest[0]} {texts[at % len(texts)]}"] if at % 2 else [first, *rest[:1]]
        for at, (first, *rest) in enumerate(rows)
    ]
    return [json.dumps({"prompt": row[0], "completion": row[-1]}).encode() for row in planted_in]


def repeated_prompt() -> list[bytes]:
    """Conversations of one turn that begin with the same instructions of 2.2 kB."""
    rows = [[text for _, text in sample.texts] for sample in corpora.instructions()]
    return [conversation(row[0], row[-1]) for row in rows]


def conversation(question: str, answer: str) -> bytes:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"system": SYSTEM * 20, "messages": turns}).encode()


def against_orjson() -> dict[str, float]:
    return {name: round(_ratio(lines()), 4) for name, lines in CORPORA.items()}


def _ratio(lines: list[bytes]) -> float:
    scanned(Memory(lines))  # patterns compile on first use
    return min(floor(lines) for _ in range(5)) / min(scanned(Memory(lines)) for _ in range(2))


CORPORA: dict[str, Callable[[], list[bytes]]] = {"real": real, "half_pii": half_pii, "repeated_prompt": repeated_prompt}


def against_presidio() -> dict[str, float]:
    """Presidio with its pattern recognizers only, and both recalls of the types that both know."""
    find = peers.presidio(PRESIDIO_TYPES)
    texts = [text for _, text in _kinds("email", "card", "iban", "ssn", "ipv4", "phone_us")]
    speed = timed(lambda: [find(text) for text in texts]) / timed(lambda: scanned(Memory.of(texts)))
    theirs = sum(bool(find(text)) for text in texts) / len(texts)
    return {"speed": round(speed, 1), "recall": _own_recall(texts), "their_recall": round(theirs, 4)}


def against_detect_secrets() -> dict[str, float]:
    """detect-secrets with all its plugins, line by line."""
    find = peers.detect_secrets()
    texts = [item.text for item in planted.credentials(EACH)]
    speed = timed(lambda: [find(text) for text in texts]) / timed(lambda: scanned(Memory.of(texts)))
    theirs = sum(find(text) for text in texts) / len(texts)
    return {"speed": round(speed, 1), "recall": _own_recall(texts), "their_recall": round(theirs, 4)}


def _kinds(*beginnings: str) -> list[tuple[str, str]]:
    return [(item.kind, item.text) for item in planted.identifiers(EACH) if item.kind.startswith(beginnings)]


def _own_recall(texts: list[str]) -> float:
    return round(sum(bool(peers.ours(text)) for text in texts) / len(texts), 4)


def memory_growth() -> float:
    """Peak resident memory of the worst of 100 MB, 1 GB and one line of 1 GB, as a ratio to that of 1 MB."""
    smallest, *larger = (peak_memory(str(size)) for size in SIZES)
    return round(max(*larger, peak_memory("line")) / smallest, 4)


def time_exponent() -> float:
    """Slope of a log-log fit of processor time over size."""
    lines = real()
    sizes = [len(lines) // 8, len(lines) // 4, len(lines) // 2, len(lines)]
    points = [
        (math.log(sum(map(len, part))), math.log(scanned(Memory(part))))
        for part in (lines[:: len(lines) // size] for size in sizes)
    ]
    mean_x, mean_y = (sum(values) / len(values) for values in zip(*points, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return float(round(sum((x - mean_x) * (y - mean_y) for x, y in points) / spread, 4))


PARTS: dict[str, Callable[[], Any]] = {
    "screen_vs_orjson": against_orjson,
    "vs_presidio": against_presidio,
    "vs_detect_secrets": against_detect_secrets,
    "memory_growth": memory_growth,
    "time_exponent": time_exponent,
}

if __name__ == "__main__":
    sys.exit(main())
