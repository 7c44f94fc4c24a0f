"""`config.json` and the other JSON files of a model: what they say of it, and where they ask for code to be run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tunegate.scan.weights.documents import encoded_strings, entries_of, strings_of
from tunegate.scan.weights.findings import FileReport, shown
from tunegate.scan.weights.templates import examine_template

_CODE_KEYS = frozenset(
    {
        "auto_map",
        "custom_pipelines",
        "custom_generate",
        "trust_remote_code",
        "code_revision",
        "remote_code",
        "_code",
        "_code_file",
        "_target_",
        "__reduce__",
        "py/object",
        "py/reduce",
    }
)
"""Keys by which libraries load code of the model's own, or make objects by name."""
_SWITCHES = frozenset({"trust_remote_code", "code_revision"})
_CODE_FILE = re.compile(r"[\w./-]{1,200}\.(?:py|pyc|so|dll)|[\w./-]{1,100}--[\w.]{1,100}\.[A-Z]\w{0,100}")
_DTYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "half": "F16", "float": "F32"}
_EMBEDDING_NAMES = ("Model", "ForSentenceEmbedding", "ForMaskedLM", "ForTextEncoding")
"""Endings of architectures without a head that writes text."""


@dataclass(frozen=True, slots=True)
class ConfigFacts:
    """What `config.json` says. None where it does not say, or not in the form that loaders take.

    `precision` is a safetensors dtype, or `torch_dtype` as written where it is no known one; `context` in tokens.
    """

    file: str
    architectures: tuple[str, ...]
    precision: str | None
    quantization: str | None
    context: int | None
    multimodal: bool
    embedding: bool


def config_facts(file: str, document: object) -> ConfigFacts | None:
    """The facts of a parsed `config.json`; None where it is no JSON object."""
    if not isinstance(document, dict):
        return None
    architectures = document.get("architectures")
    names = [name for name in architectures if isinstance(name, str)] if isinstance(architectures, list) else []
    levels = [
        document,
        *(document[key] for key in ("text_config", "llm_config") if isinstance(document.get(key), dict)),
    ]
    return ConfigFacts(
        file,
        tuple(names),
        next((name for level in levels if (name := _precision(level))), None),
        _quantization(levels),
        max((size for level in levels if (size := _context(level)) is not None), default=None),
        multimodal=any(isinstance(document.get(key), dict) for key in ("vision_config", "audio_config")),
        embedding=any(name.endswith(_EMBEDDING_NAMES) for name in names),
    )


def _precision(level: dict[str, object]) -> str | None:
    name = level.get("torch_dtype", level.get("dtype"))
    if not isinstance(name, str):
        return None if name is None else "unknown"
    bare = name.removeprefix("torch.")
    return _DTYPES.get(bare, bare)


def _quantization(levels: list[dict[str, object]]) -> str | None:
    for level in levels:
        for key in ("quantization_config", "quantization", "compression_config"):
            value = level.get(key)
            if value:
                method = value.get("quant_method") if isinstance(value, dict) else None
                return method if isinstance(method, str) else "unnamed"
    return None


def _context(level: dict[str, object]) -> int | None:
    """The longest of the lengths that architectures give under their own names."""
    keys = ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length", "seq_length")
    return max((value for key in keys if type(value := level.get(key)) is int), default=None)


def examine_settings(document: object, report: FileReport) -> None:
    """Find what a settings file asks to be run: code by name or by switch, and templates."""
    for key, value in entries_of(document):
        if key in _CODE_KEYS and value not in (None, False, "", [], {}):
            what = "is switched on" if key in _SWITCHES else "names code to be loaded with the model"
            report.unsafe("custom_code", f"{key} {what}{_classes(value)}")
    for key, text in strings_of(document):
        if _CODE_FILE.fullmatch(text):
            report.unsafe("custom_code", f"{shown(key, 'a string')} refers to a file of code")
    for key, text in _templates(document):
        examine_template(text, report, f" under {shown(key, 'a key')}" if key else "")


def payloads_of(document: object) -> Iterator[bytes]:
    """Every string of a document, keys too, as the bytes it may stand for."""
    yield from encoded_strings(key for key, _ in entries_of(document))
    yield from encoded_strings(text for _, text in strings_of(document))


def _classes(value: object) -> str:
    """The names that an `auto_map` gives, where they are names."""
    names = sorted({text for _, text in strings_of(value) if shown(text, "") and "." in text})
    return f" ({', '.join(names[:3])})" if names else ""


def _templates(document: object) -> Iterator[tuple[str, str]]:
    """Strings that some loader renders: those under a key that says template, and those written as one."""
    for key, text in strings_of(document):
        if "template" in key or ("{%" in text and "%}" in text) or ("{{" in text and "}}" in text):
            yield key, text
