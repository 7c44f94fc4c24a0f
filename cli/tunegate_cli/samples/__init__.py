"""Training files to try the gate with, made by script: `python -m tunegate_cli.samples build/samples`."""

import json
from pathlib import Path

from tunegate_cli.samples.catalogue import samples
from tunegate_cli.samples.sample import Expected, Sample

__all__ = ["MANIFEST", "Expected", "Sample", "samples", "write_samples"]

MANIFEST = "manifest.json"
"""Beside the files. It lists the planted values, so it never leaves the directory the samples are made in."""


def write_samples(directory: Path, approved_bucket: str) -> list[Sample]:
    """Write every sample below `directory`, and the manifest that says what should become of each."""
    made = samples(approved_bucket)
    for sample in made:
        path = directory / "files" / sample.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sample.content)
    manifest = {"samples": [sample.to_json() for sample in made]}
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return made
