"""The manifest of a model upload: which files it has, so that it is known when all of them have come.

{"files": [{"name": "model.safetensors", "size": 4976698672}, {"name": "config.json", "size": 826}]}
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tunegate.scan.weights.documents import StrictJsonError, strict_json
from tunegate.scan.weights.findings import FileReport, shown_path

MANIFEST_BYTES = 1024**2


class ManifestError(Exception):
    """The manifest cannot be read; the message is fit to show."""


class ManifestFile(BaseModel):
    """One file: `name` relative to the upload's prefix, `size` in bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Annotated[str, Field(min_length=1, max_length=1024)]
    size: Annotated[int, Field(ge=0)]


class Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    files: Annotated[tuple[ManifestFile, ...], Field(min_length=1, max_length=10_000)]


def parse_manifest(data: bytes) -> Manifest:
    """Raises `ManifestError` for anything but such a document, without quoting it."""
    try:
        return Manifest.model_validate(strict_json(data))
    except StrictJsonError as error:
        raise ManifestError(str(error)) from None
    except ValidationError as error:
        places = sorted({".".join(str(step) for step in fault["loc"]) or "document" for fault in error.errors()})
        known = [place for place in places if shown_path(place, "")]
        raise ManifestError(f"not of the documented form at {', '.join(known[:5]) or 'an unknown field'}") from None


def examine_manifest(name: str, size: int, manifest: Manifest | ManifestError, sizes: Mapping[str, int]) -> FileReport:
    """What is wrong with a manifest, held against the sizes of the files that are there."""
    report = FileReport(name, size)
    if isinstance(manifest, ManifestError):
        report.malformed("manifest", str(manifest))
        return report
    for entry in manifest.files:
        if entry.name not in sizes:
            report.malformed("manifest", f"{shown_path(entry.name, 'a file')} is not there")
        elif sizes[entry.name] != entry.size:
            shown = shown_path(entry.name, "a file")
            report.malformed("manifest", f"{shown} has {sizes[entry.name]} bytes and should have {entry.size}")
    return report
