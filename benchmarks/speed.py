"""How fast the built-in screen reads, side by side with what a user would pick instead.

    python benchmarks/speed.py [--json build/bench.json] [--only NAME]

Every figure is a ratio of processor times taken in one run: of `orjson.loads` per line (result dropped) to the screen
on the same lines, or of a peer to the screen on the same texts. What could not be measured is said, and the exit is 1.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results import merge
from screen import corpora, peers, planted
from screen.timing import Memory, floor, peak_memory, scanned, timed

MEGABYTE = 1_000_000
PER_FILE = 300  # lines of one evals file: some hold a hundred thousand from one template
EACH = 30  # planted texts of each kind
SIZES = (MEGABYTE, 100 * MEGABYTE, 1_000 * MEGABYTE)
SYSTEM = "You are the assistant of a hardware store. Answer briefly, name prices in euros, and stay with the question. "
KNOWN_TO_PRESIDIO = ("email", "card", "iban", "ssn", "ipv4", "phone_us")
PEER_CHARACTERS = 400_000  # of real text that a peer is timed on: some read 20 kB a second


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", type=Path, help="merge the figures into this file")
    options.add_argument("--only", choices=PARTS, action="append", help="measure only this, or these")
    chosen = options.parse_args()
    figures: dict[str, Any] = {}
    beside: dict[str, dict[str, float]] = {}
    missing: list[str] = []
    for name in chosen.only or PARTS:
        try:
            measured = PARTS[name]()
        except (ImportError, OSError, RuntimeError) as error:
            missing.append(name)
            print(f"{name}: could not be measured: {error}", file=sys.stderr)
            continue
        if isinstance(measured, Beside):
            beside[name], measured = measured.beside, measured.speed
        figures[name] = measured
        print(f"{name:18} {json.dumps(measured)} {json.dumps(beside[name]) if name in beside else ''}", flush=True)
    merge(chosen.json, {**figures, "beside": beside})
    return 1 if missing else 0


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


@dataclass(frozen=True, slots=True)
class Beside:
    """How many times as fast as a peer, and what else there is to say."""

    speed: float
    beside: dict[str, float]


def against_presidio() -> Beside:
    """Presidio with its pattern recognizers only, and both recalls of the types that both know."""
    texts = [item.text for item in planted.identifiers(EACH) if item.kind.startswith(KNOWN_TO_PRESIDIO)]
    return _beside(peers.presidio(), texts)


def against_detect_secrets() -> Beside:
    """detect-secrets with all its plugins, line by line."""
    return _beside(peers.detect_secrets(), [item.text for item in planted.credentials(EACH)])


def _beside(find: peers.Peer, texts: list[str]) -> Beside:
    """Times as fast as the peer on one file, real text with a planted one in a hundred; both recalls of the planted."""
    benign = _some_real()
    file = [text for at, text in enumerate(benign) for text in (text, *texts[at // 100 : at // 100 + (at % 100 == 0)])]
    begun = time.process_time()
    find(file)
    theirs = time.process_time() - begun
    mine = timed(lambda: scanned(Memory.of(file)))
    own = sum(bool(peers.ours(text)) for text in texts) / len(texts)
    found = find(texts)
    return Beside(
        round(theirs / mine, 1),
        {
            "recall": round(own, 4),
            "their_recall": round(sum(found) / len(texts), 4),
            "on_planted_alone": round(timed(lambda: find(texts)) / timed(lambda: scanned(Memory.of(texts))), 1),
        },
    )


def _some_real() -> list[str]:
    """Real texts from all over the corpus."""
    texts = [sample.joined for sample in corpora.instructions()]
    step = max(1, sum(map(len, texts)) // PEER_CHARACTERS)
    return texts[::step]


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
    slope: float = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    return round(slope, 4)


PARTS: dict[str, Callable[[], Any]] = {
    "screen_vs_orjson": against_orjson,
    "vs_presidio": against_presidio,
    "vs_detect_secrets": against_detect_secrets,
    "memory_growth": memory_growth,
    "time_exponent": time_exponent,
}

if __name__ == "__main__":
    sys.exit(main())
