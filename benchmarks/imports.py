"""What a cold start imports: each function's module, beside importing boto3 and creating one client.

    python benchmarks/imports.py [--json build/bench.json] [--rounds 5]

Each import is in a fresh process that sees the packages of the layers and nothing else, as in Lambda. Times are CPU
seconds, the least of several rounds that each measure every function: other work on the machine only ever adds to them.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from importlib.metadata import distribution
from pathlib import Path

from results import merge

ROOT = Path(__file__).resolve().parents[1]
BASE = "boto3 and one client"
TARGET = 1.5
ROW = "{:22} {:>10} {:>10} {:>22}"
# Prints the CPU seconds of a statement, and of that with the clients a function makes when it is first called.
MEASURE = """
import sys, time
begin = time.process_time()
exec(sys.argv[1])
imported = time.process_time()
for service in sys.argv[2:]:
    app.clients(service)
print(imported - begin, time.process_time() - begin)
"""


def vendor_layer(folder: Path) -> Path:
    """The packages `layers/vendor/requirements.txt` names, as this environment has them, and no others."""
    pinned = (ROOT / "layers/vendor/requirements.txt").read_text("utf-8")
    for name in re.findall(r"^([\w.-]+)==", pinned, re.MULTILINE):
        package = distribution(name)
        for top in {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}:
            if not (folder / top).exists():
                (folder / top).symlink_to(str(package.locate_file(top)))
    return folder


def environment(layers: str) -> dict[str, str]:
    """What Lambda sets that changes what is imported: X-Ray, for one, loads less there than on a laptop."""
    return {
        "PYTHONPATH": layers,
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "LAMBDA_TASK_ROOT": str(ROOT),
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "POWERTOOLS_SERVICE_NAME": "tunegate",
        "POWERTOOLS_METRICS_NAMESPACE": "Tunegate",
    }


def subjects() -> dict[str, list[str]]:
    """What each process is told to do: a statement, and the services whose clients it makes then."""
    found = {BASE: ["import boto3; boto3.client('s3')"]}
    for app in sorted(ROOT.glob("functions/*/app.py")):
        services = sorted(set(re.findall(r'\bclients\("([\w-]+)"\)', app.read_text("utf-8"))))
        found[app.parent.name] = [f"sys.path.insert(0, {str(app.parent)!r}); import app", *services]
    return found


def measure(arguments: list[str], layers: str) -> tuple[float, float]:
    """CPU seconds of the import, and until the clients stand."""
    command = [sys.executable, "-S", "-c", MEASURE, *arguments]
    done = subprocess.run(command, env=environment(layers), capture_output=True, text=True, check=True)  # noqa: S603
    imported, ready = done.stdout.split()[-2:]
    return float(imported), float(ready)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", type=Path, help="merge the figures into this file")
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in subjects()}
    with tempfile.TemporaryDirectory() as temporary:
        layers = f"{vendor_layer(Path(temporary))}:{ROOT / 'layers/tunegate'}"
        # The first round is not counted: it may still write compiled modules.
        for counted in [False] + [True] * chosen.rounds:
            for name, arguments in subjects().items():
                try:
                    taken = measure(arguments, layers)
                except subprocess.CalledProcessError as error:
                    print(f"{name} cannot be imported: {error.stderr.strip().splitlines()[-1]}", file=sys.stderr)
                    return 2
                if counted:
                    times[name].append(taken)
    floor = min(imported for imported, _ in times[BASE])
    ratios = {}
    print(ROW.format("function", "CPU ms", "ratio", "ratio with its clients"))
    for name, taken_times in times.items():
        imported, ready = (min(column) for column in zip(*taken_times, strict=True))
        ratios[name] = round(imported / floor, 2)
        print(ROW.format(name, f"{imported * 1000:.0f}", f"{ratios[name]:.2f}", f"{ready / floor:.2f}"))
    del ratios[BASE]
    merge(chosen.json, {"import_vs_boto3": ratios})
    slow = [name for name, ratio in ratios.items() if ratio > TARGET]
    print(f"over {TARGET}: {', '.join(slow) or 'none'}")
    return int(bool(slow))


if __name__ == "__main__":
    sys.exit(main())
