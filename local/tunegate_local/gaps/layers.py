"""How layers reach a function's process."""

import io
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Any

from ministack.core.lambda_runtime import Worker
from ministack.services import lambda_svc


def layers_are_unpacked_once() -> None:
    """Ministack unpacks every layer for every new process: seconds of each cold start. On AWS a layer is mounted."""
    spawn = Worker._spawn
    unpacked: dict[str, Path] = {}
    lock = threading.Lock()

    def directory(layer: Any) -> Path:
        arn = layer if isinstance(layer, str) else layer["Arn"]
        with lock:
            if arn not in unpacked:
                unpacked[arn] = _unpack(lambda_svc._resolve_layer_zip(layer))
            return unpacked[arn]

    def spawn_with_layers(worker: Any) -> Any:
        own = worker.config
        paths = [str(directory(layer)) for layer in own.get("Layers", [])]
        worker.config = _with_paths(own, paths) if paths else own
        try:
            return spawn(worker)
        finally:
            worker.config = own

    Worker._spawn = spawn_with_layers


def _unpack(archive: bytes) -> Path:
    target = Path(tempfile.mkdtemp(prefix="layer-"))
    with zipfile.ZipFile(io.BytesIO(archive)) as contents:
        contents.extractall(target)
    return target


def _with_paths(config: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """The configuration by which the worker finds unpacked layers: where ministack's own process looks for them."""
    variables = (config.get("Environment") or {}).get("Variables") or {}
    found = {**variables, "_LAMBDA_LAYERS_DIRS": ":".join(paths)}
    return {**config, "Layers": [], "Environment": {"Variables": found}}
