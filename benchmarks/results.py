"""The file that the parts of the benchmark leave their figures in."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def merge(path: Path | None, figures: Mapping[str, Any]) -> None:
    """Put figures into a JSON file beside what is there; with no path, do nothing."""
    if path is None:
        return
    known = json.loads(path.read_text("utf-8")) if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**known, **figures}, indent=1) + "\n")
