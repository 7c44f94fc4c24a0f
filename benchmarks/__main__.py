"""Every benchmark, one after another, in one table and one file.

    python benchmarks [--json build/bench.json] [--only PART]

Figures are ratios taken within one run. A floor that is not reached is said in the table. A part that could not be
measured is said too, its keys are left out, and the exit is 1.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import ge, le
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PART_SECONDS = 600
ROW = "{:34} {:>10} {:>9}  {:7} {}"


@dataclass(frozen=True, slots=True)
class Part:
    """A script that leaves `keys` in the file it is given; its own exit says only whether its floors were reached."""

    script: str
    keys: tuple[str, ...]


PARTS = (
    Part("detection.py", ("detection",)),
    Part("imports.py", ("import_vs_boto3",)),
    Part("model_files.py", ("vs_picklescan",)),
    Part("speed.py", ("screen_vs_orjson", "vs_presidio", "vs_detect_secrets", "memory_growth", "time_exponent")),
    Part("cost.py", ("cost_ratio",)),
    Part("latency.py", ("latency_vs_echo",)),
)
AT_LEAST = {
    "screen_vs_orjson.real": 0.10,
    "screen_vs_orjson.half_pii": 0.05,
    "screen_vs_orjson.repeated_prompt": 0.30,
    "vs_presidio": 100,
    "vs_detect_secrets": 50,
    "vs_picklescan": 1,
}
AT_MOST = {
    "memory_growth": 1.10,
    "time_exponent": 1.05,
    "cost_ratio.sparse_pii": 1 / 25,
    "cost_ratio.repeated_prompt": 1 / 50,
    "import_vs_boto3": 1.5,  # of each function
}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", type=Path, default=Path("build/bench.json"), help="write the figures to this file")
    options.add_argument("--only", choices=[part.script for part in PARTS], action="append", help="run only these")
    chosen = options.parse_args()
    figures: dict[str, Any] = {}
    beside: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for part in PARTS:
        if chosen.only and part.script not in chosen.only:
            continue
        found, trouble = run(part)
        figures |= {key: found[key] for key in part.keys if key in found}
        beside |= found.get("beside", {})
        missing |= {key: trouble for key in part.keys if key not in found}
    write(chosen.json, figures)
    show(figures, beside)
    for key, trouble in missing.items():
        print(f"{key}: could not be measured: {trouble}")
    return 1 if missing else 0


def run(part: Part) -> tuple[Mapping[str, Any], str]:
    """What a part measured, and its last words."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "figures.json"
        command = [sys.executable, str(HERE / part.script), "--json", str(out)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603
        try:
            said, complaints = process.communicate(timeout=PART_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # it takes down what it started
            process.communicate()
            return {}, f"took more than {PART_SECONDS} s"
        print(f"── {part.script} ({time.monotonic() - begun:.0f} s)\n{said}", flush=True)
        last = (complaints.strip().splitlines() or [f"ended with {process.returncode}"])[-1]
        return (json.loads(out.read_text("utf-8")) if out.exists() else {}), last


def write(path: Path, figures: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


def show(figures: Mapping[str, Any], beside: Mapping[str, Mapping[str, float]]) -> None:
    print(ROW.format("figure", "measured", "floor", "", "beside it"))
    for name, value in rows(figures):
        floor, reached = judged(name, value)
        said = ", ".join(f"{what.replace('_', ' ')} {number:g}" for what, number in beside.get(name, {}).items())
        print(ROW.format(name, f"{value:g}", floor, reached, said).rstrip())


def rows(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Each number with the path of keys that leads to it."""
    for key, value in figures.items():
        if isinstance(value, Mapping):
            yield from rows(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def judged(name: str, value: float) -> tuple[str, str]:
    """The floor of a figure in words, and whether it is reached; nothing where it has none."""
    for bounds, sign, holds in ((AT_LEAST, "≥", ge), (AT_MOST, "≤", le)):
        for key in (name, name.split(".")[0]):
            if key in bounds:
                return f"{sign} {bounds[key]:g}", "reached" if holds(value, bounds[key]) else "MISSED"
    return "", ""


if __name__ == "__main__":
    sys.exit(main())
