"""Rubbish that follows the code: atheris keeps what reaches new branches, and goes on from there.

    python -m fuzz.guided TARGET SECONDS

Each target runs in a process of its own, for atheris ends the one it runs in.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).parents[1]
TARGETS = ("records", "pickles", "damaged archives", "macie results", "manifests")
"""Those that are given plain bytes."""
_RUNS = re.compile(r"^Done (\d+) runs", re.MULTILINE)


def run(name: str, seconds: float) -> tuple[int, str]:
    """How many inputs were tried, and what failed; empty where nothing did."""
    command = [sys.executable, "-m", "fuzz.guided", name, str(max(int(seconds), 1))]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False, errors="replace")
    said = done.stdout + done.stderr
    runs = _RUNS.search(said)
    if runs and done.returncode == 0:
        return int(runs[1]), ""
    return int(runs[1]) if runs else 0, said[-4_000:] or f"it ended with {done.returncode}"


def main() -> None:
    import atheris

    name, seconds = sys.argv[1:]
    with atheris.instrument_imports(include=["tunegate.scan.records", "tunegate.scan.weights", "tunegate.observe"]):
        from fuzz.targets import TARGETS as ALL

    with tempfile.TemporaryDirectory() as found:
        options = [f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=30", "-max_len=4096"]
        atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={found}/"], ALL[name].check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
