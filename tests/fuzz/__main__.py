"""`make fuzz`: new rubbish for every target for a while, then the bombs at full size.

    python -m fuzz [--seconds 300] [--json build/fuzz.json]

Prints and writes how many inputs each target was given and how many it failed on; the exit code is 1 where it is any.
Inputs come from Hypothesis and, for targets that read bytes, from atheris too where it is installed, which follows the
code that an input reaches.
"""

import argparse
import json
import sys
import time
import traceback
from importlib.util import find_spec
from pathlib import Path
from random import SystemRandom

from hypothesis import HealthCheck, Phase, given, seed, settings

from fuzz import guided
from fuzz.bombs import BOMBS, MIB, fault_of, set_off
from fuzz.targets import TARGETS, Target

ROUND = 500
FULL = {"gzip of many members": 64, "gzip of empty lists": 64}
"""Sizes in MiB of the bombs that take long; the others have a gigabyte."""


class Tally(dict[str, dict[str, int]]):
    """Inputs and failures by target, told as they come."""

    def add(self, name: str, inputs: int, failure: str = "") -> None:
        entry = self.setdefault(name, {"inputs": 0, "failures": 0})
        entry["inputs"] += inputs
        entry["failures"] += bool(failure)
        if failure:
            print(f"\nFAILED {name}\n{failure}", file=sys.stderr)

    def tell(self, name: str) -> None:
        print(f"{name:24} {self[name]['inputs']:>9,} inputs {self[name]['failures']:>3} failures", flush=True)


def rubbish(tally: Tally, name: str, target: Target, seconds: float) -> None:
    """Give a target new inputs until its time is over or it fails."""
    end, given_to = time.monotonic() + seconds, 0

    def counted(value: object) -> None:
        nonlocal given_to
        given_to += 1
        target.check(value)

    once = settings(
        max_examples=ROUND,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    failure = ""
    while not failure and time.monotonic() < end:
        begun = SystemRandom().getrandbits(64)
        try:
            seed(begun)(once(given(target.inputs)(counted)))()
        except Exception:  # noqa: BLE001  (whatever a target raises is a failure of it)
            failure = f"{traceback.format_exc()}\nseed {begun}"
    tally.add(name, given_to, failure)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--seconds", type=float, default=300, help="for all targets together; the bombs come after")
    parser.add_argument("--json", type=Path, default=Path("build/fuzz.json"))
    parser.add_argument("--only", choices=list(TARGETS), help="one target, and no bombs")
    asked = parser.parse_args()
    chosen = {name: target for name, target in TARGETS.items() if asked.only in (None, name)}
    guide = find_spec("atheris") is not None
    if not guide:
        print("atheris is not installed for this platform: inputs come from Hypothesis only.")
    shares = sum(target.share for target in chosen.values())
    tally = Tally()
    for name, target in chosen.items():
        seconds = asked.seconds * target.share / shares
        guides = guide and name in guided.TARGETS
        rubbish(tally, name, target, seconds / 2 if guides else seconds)
        if guides:
            tally.add(name, *guided.run(name, seconds / 2))
        tally.tell(name)
    if asked.only is None:
        _bombs(tally)
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps({"targets": tally}, indent=2) + "\n")
    inputs, failures = (sum(entry[what] for entry in tally.values()) for what in ("inputs", "failures"))
    print(f"{inputs:,} inputs, {failures} failures; {asked.json}")
    return 1 if failures else 0


def _bombs(tally: Tally) -> None:
    for name in BOMBS:
        try:
            [cost] = set_off({name: FULL.get(name, 1_024) * MIB}).values()
            fault = fault_of(name, cost)
        except AssertionError as error:
            fault = str(error)
        tally.add(name, 1, fault)
        tally.tell(name)


if __name__ == "__main__":
    sys.exit(main())
