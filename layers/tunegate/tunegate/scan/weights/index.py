"""The files of one upload against each other: every tensor is where the index says, and nowhere else."""

import re
from collections.abc import Mapping

from tunegate.scan.weights.findings import FileReport, shown, shown_path
from tunegate.scan.weights.kinds import INDEX_NAME

_NUMBERED = re.compile(r".*-(\d{5})-of-(\d{5})\.safetensors")


def examine_index(index: FileReport | None, shards: Mapping[str, FileReport]) -> None:
    """Compare `model.safetensors.index.json` (None where there is none) with the shards, by name within the prefix.

    Shards that could not be read are left out: they have findings of their own.
    """
    if index is None:
        _without_index(shards)
        return
    placed = _weight_map(index)
    if placed is None:
        return
    for file in sorted(set(placed.values()) - set(shards)):
        index.malformed("index", f"it names {shown_path(file, 'a file')}, which is not in the upload")
    for file in sorted(set(shards) - set(placed.values())):
        shards[file].malformed("index", f"{INDEX_NAME} does not name this file")
    _compare(index, placed, shards)


def _without_index(shards: Mapping[str, FileReport]) -> None:
    for name, shard in shards.items():
        if _NUMBERED.fullmatch(name) or len(shards) > 1:
            shard.malformed("index", f"it is one of several shards, and there is no {INDEX_NAME}")


def _weight_map(index: FileReport) -> dict[str, str] | None:
    document = index.document
    placed = document.get("weight_map") if isinstance(document, dict) else None
    if not isinstance(placed, dict) or not all(isinstance(file, str) for file in placed.values()):
        index.malformed("index", "it has no weight_map from tensors to files")
        return None
    return placed


def _compare(index: FileReport, placed: Mapping[str, str], shards: Mapping[str, FileReport]) -> None:
    held: dict[str, str] = {}
    total = 0
    for file, shard in shards.items():
        for tensor in shard.tensors or ():
            total += tensor.size
            if tensor.name in held:
                shard.malformed("index", f"{_label(tensor.name)} is in another shard too")
            held[tensor.name] = file
            if placed.get(tensor.name) != file:
                shard.malformed("index", f"{_label(tensor.name)} is here, and the index says otherwise")
    if any(shard.tensors is None for shard in shards.values()):
        return
    for name, file in placed.items():
        if file in shards and held.get(name) is None:
            index.malformed("index", f"{_label(name)} is in no shard")
    _total_size(index, total)


def _total_size(index: FileReport, total: int) -> None:
    metadata = index.document.get("metadata") if isinstance(index.document, dict) else None
    declared = metadata.get("total_size") if isinstance(metadata, dict) else None
    if declared is not None and declared != total:
        said = f"{declared:.0f}" if isinstance(declared, int | float) and abs(declared) < 2**63 else "something else"
        index.malformed("index_size", f"it says {said} bytes of tensors where the shards hold {total}")


def _label(name: str) -> str:
    return f"tensor {shown(name)}" if shown(name, "") else "a tensor"
