"""Scan every file of a folder with one public scanner: `python scan_with.py NAME FOLDER` prints file → answer as JSON.

Runs in a process of its own, with the scanner's folder on PYTHONPATH. An answer is `caught`, `missed` or `error`.
"""

import contextlib
import importlib
import io
import json
import logging
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _picklescan() -> Callable[[Path], str]:
    scanner: Any = importlib.import_module("picklescan.scanner")

    def scan(path: Path) -> str:
        result = scanner.scan_file_path(str(path))
        return "caught" if result.issues_count else "error" if result.scan_err else "missed"

    return scan


def _modelscan() -> Callable[[Path], str]:
    module: Any = importlib.import_module("modelscan.modelscan")

    def scan(path: Path) -> str:
        scanner = module.ModelScan()
        scanner.scan(path)
        return "caught" if scanner.issues.all_issues else "error" if scanner.errors else "missed"

    return scan


def _fickling() -> Callable[[Path], str]:
    loader: Any = importlib.import_module("fickling.loader")

    def scan(path: Path) -> str:
        if zipfile.is_zipfile(path):
            results = list(loader.scan_zip_archive(str(path), graceful=True).values())
        else:
            results = [loader.scan_file(str(path), graceful=True)]
        if any(result.errors for result in results):
            # With an error it says "suspicious" of anything at all, also of a PNG.
            return "caught" if any(result.results and not result.is_safe for result in results) else "error"
        return "caught" if any(not result.is_safe for result in results) else "missed"

    return scan


SCANNERS = {"picklescan": _picklescan, "modelscan": _modelscan, "fickling": _fickling}


def main() -> int:
    name, folder = sys.argv[1], Path(sys.argv[2])
    logging.disable(logging.CRITICAL)
    scan = SCANNERS[name]()
    answers = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            try:
                answers[str(path.relative_to(folder))] = scan(path)
            except Exception:  # noqa: BLE001 - whatever a scanner raises is its answer for this file
                answers[str(path.relative_to(folder))] = "error"
    print(json.dumps(answers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
