"""Builds the sieve for each processor that Lambda has, and for this machine: `python native/build.py`."""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
LAYER = HERE.parent / "layers" / "tunegate"
BUILD = HERE.parent / "build" / "sieve"


def main() -> None:
    sys.path.insert(0, str(LAYER))
    import tables

    from tunegate.scan.sieve.library import path_for, this_machine

    BUILD.mkdir(parents=True, exist_ok=True)
    tables.write(BUILD)
    for source in HERE.glob("*.zig"):
        shutil.copy(source, BUILD)
    for system, machine in dict.fromkeys((("linux", "x86_64"), ("linux", "aarch64"), this_machine())):
        compile_for(system, machine, path_for(system, machine))


def compile_for(system: str, machine: str, to: Path) -> None:
    """Checked arithmetic and bounds stay in: a fault in it ends the process, and never reads past an end."""
    baseline = {"x86_64": "x86_64_v2"}.get(machine, "baseline")
    command = [sys.executable, "-m", "ziglang", "build-lib", "root.zig", "-dynamic", "-O", "ReleaseSafe", "-fstrip"]
    target = ["-target", f"{machine}-{system}", f"-mcpu={baseline}", f"-femit-bin={to.name}"]
    subprocess.run([*command, *target], cwd=BUILD, check=True)
    # Replaced, not written over: whoever has the old one open goes on with it.
    shutil.copy(BUILD / to.name, to.with_suffix(".new"))
    to.with_suffix(".new").replace(to)


if __name__ == "__main__":
    main()
