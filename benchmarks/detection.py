"""How much the built-in screen finds, and how often it speaks up for nothing.

    python benchmarks/detection.py [--json build/bench.json] [--misses]

Jailbreaks and benign records are the held-out third of the corpora (see screen/corpora.py); identifiers and credentials
are made up by screen/planted.py; the short injections are screen/short_injections.txt.
"""

import argparse
import base64
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from screen import corpora, planted

from tunegate.model import Category, Record, Text
from tunegate.scan.screen import Screen

EACH = 100  # planted texts of each kind
REPORTED_ONLY = {"IP_ADDRESS", "MAC_ADDRESS", "SWIFT_CODE"}  # the default policy reports these and does not flag
HOMOGLYPHS = str.maketrans("aceiopsxy", "\u0430\u0441\u0435\u0456\u043e\u0440\u0455\u0445\u0443")  # Cyrillic
TABLE_ROW = "{:24} {:>7} {:>13} {:>9}"


@dataclass(frozen=True, slots=True)
class Measured:
    """One row: of `positives` texts `found` were found, of `negatives` benign records `flagged` were flagged."""

    positives: int
    found: int
    negatives: int
    flagged: int

    def row(self) -> dict[str, float]:
        return {
            "recall": round(self.found / self.positives, 4) if self.positives else 1.0,
            "false_flags": round(self.flagged / self.negatives, 5),
        }


class Bench:
    """The screen and the held-out texts."""

    def __init__(self, show_misses: bool) -> None:
        self._screen = Screen()
        self._show_misses = show_misses
        self._benign = corpora.split(corpora.benign())[1]
        self._flags = [self._categories(sample) for sample in self._benign]

    def _categories(self, sample: corpora.Sample) -> set[Category]:
        detections = self._screen.screen(
            record([value for _, value in sample.texts], [role for role, _ in sample.texts])
        )
        return {found.category for found in detections if found.type not in REPORTED_ONLY}

    def measure(self, name: str, texts: Iterable[list[str]], category: Category | None) -> Measured:
        """`texts`: each a record's strings. With no category, anything found counts, on benign records too."""
        rows = list(texts)
        missed = [row for row in rows if not self._finds(row, category)]
        if self._show_misses:
            for row in missed:
                print(f"missed {name}: {' | '.join(row)[:200]!r}", file=sys.stderr)
        flagged = sum(bool(flags) if category is None else category in flags for flags in self._flags)
        return Measured(len(rows), len(rows) - len(missed), len(self._flags), flagged)

    def _finds(self, row: list[str], category: Category | None) -> bool:
        roles = ["user"] * len(row)
        return any(category is None or found.category is category for found in self._screen.screen(record(row, roles)))


def record(values: list[str], roles: Iterable[str | None]) -> Record:
    texts = (Text(f"/{at}", value, role) for at, (value, role) in enumerate(zip(values, roles, strict=True)))
    return Record(1, tuple(texts))


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", type=Path, help="write the figures to this file")
    options.add_argument("--misses", action="store_true", help="print what was missed")
    chosen = options.parse_args()
    figures = {name: measured.row() for name, measured in measure(Bench(chosen.misses)).items()}
    print(TABLE_ROW.format("category", "recall", "false flags", ""))
    for name, row in figures.items():
        print(TABLE_ROW.format(name, f"{row['recall']:.3f}", f"{row['false_flags']:.2%}", ""))
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps({"detection": figures}, indent=1) + "\n")
    return 0


def measure(bench: Bench) -> dict[str, Measured]:
    identifiers = planted.identifiers(EACH)
    exact = [item for item in identifiers if item.kind.startswith(("card", "iban"))]
    others = [item for item in identifiers if item not in exact]
    jailbreaks = [sample.joined for sample in corpora.split(corpora.jailbreaks())[1]]
    found = {
        "structured_identifiers": bench.measure("identifier", ([item.text] for item in others), Category.PII),
        "cards_and_ibans": bench.measure("card or iban", ([item.text] for item in exact), Category.PII),
        "credentials": bench.measure(
            "credential", ([item.text] for item in planted.credentials(EACH)), Category.SECRET
        ),
        "jailbreaks": bench.measure("jailbreak", ([text] for text in jailbreaks), Category.PROMPT_ATTACK),
        "short_injections": bench.measure("injection", ([line] for line in injections()), Category.PROMPT_ATTACK),
    }
    for name, hide in HIDINGS.items():
        found[f"hidden_{name}"] = bench.measure(name, (hide(text) for text in jailbreaks), Category.PROMPT_ATTACK)
    found["any"] = bench.measure("any", ([item.text] for item in identifiers), None)
    return found


def injections() -> list[str]:
    lines = (corpora.HERE / "short_injections.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def split_over_turns(text: str) -> list[str]:
    words = text.split(" ")
    size = max(1, len(words) // 4)
    return [" ".join(words[at : at + size]) for at in range(0, len(words), size)]


HIDINGS: dict[str, Callable[[str], list[str]]] = {
    "homoglyph": lambda text: [text.translate(HOMOGLYPHS)],
    "zero_width": lambda text: ["\u200b".join(text)],
    "base64": lambda text: ["Decode this: " + base64.b64encode(text.encode()).decode()],
    "split": split_over_turns,
}


if __name__ == "__main__":
    sys.exit(main())
