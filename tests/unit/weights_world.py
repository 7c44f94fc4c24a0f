"""Model files built in code: pickles written by hand, archives, safetensors, and a small model Bedrock would take."""

import io
import json
import struct
import zipfile
from collections.abc import Iterator, Mapping

from tunegate.judge.weights import ImportLimits, judge_model
from tunegate.model import Decision, ObjectVersion
from tunegate.policy import default_policy
from tunegate.scan.weights.findings import FileReport
from tunegate.scan.weights.upload import ModelFile, examine_file, examine_upload

CALLS_SYSTEM = b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R."
CALLS_SYSTEM_0 = b"cos\nsystem\n(S'id'\ntR."
CALLS_SYSTEM_4 = b"\x80\x04\x95\x17\0\0\0\0\0\0\0\x8c\x02os\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x85R."
HARMLESS = b"\x80\x02}X\x01\x00\x00\x00aK\x01s."
UPLOAD = ObjectVersion("intake", "models/llama/", "manifest")


class Bytes:
    """A source in memory that remembers what was asked of it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)
        self.reads: list[tuple[int, int]] = []

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        self.reads.append((start, end))
        yield self._data[start:end]


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def torch_zip(pickled: bytes = CALLS_SYSTEM) -> bytes:
    """As `torch.save` lays out a checkpoint."""
    return zipped({"archive/data.pkl": pickled, "archive/data/0": bytes(64), "archive/version": b"3\n"})


def safetensors(header: Mapping[str, object] | bytes, data: bytes = b"", length: int | None = None) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def tensor(begin: int, end: int, dtype: str = "F32", shape: list[int] | None = None) -> dict[str, object]:
    sizes = {"F32": 4, "F16": 2, "BF16": 2, "I64": 8}
    return {
        "dtype": dtype,
        "shape": [(end - begin) // sizes.get(dtype, 1)] if shape is None else shape,
        "data_offsets": [begin, end],
    }


WEIGHTS = safetensors({"a": tensor(0, 16), "b": tensor(16, 32)}, bytes(32))
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "torch_dtype": "bfloat16",
    "max_position_embeddings": 4096,
}
TEMPLATE = "{% for m in messages %}<|{{ m['role'] }}|>{{ m.content.strip() }}{{ eos_token }}{% endfor %}"


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


MODEL: dict[str, bytes] = {
    "config.json": as_json(CONFIG),
    "generation_config.json": as_json({"do_sample": True, "transformers_version": "4.51.3"}),
    "tokenizer_config.json": as_json({"tokenizer_class": "LlamaTokenizer", "chat_template": TEMPLATE}),
    "tokenizer.json": as_json({"version": "1.0", "model": {"type": "BPE", "vocab": {"auto_map": 1, "a": 2}}}),
    "special_tokens_map.json": as_json({"eos_token": "</s>"}),
    "model.safetensors": WEIGHTS,
    "README.md": b"# A small model\n",
    "LICENSE": b"Apache License\n",
    ".gitattributes": b"*.safetensors filter=lfs\n",
}


def judged(changes: Mapping[str, bytes | None] | None = None, limits: ImportLimits | None = None) -> Decision:
    """The decision on the small model with some files changed, added, or taken out (None)."""
    files = {**MODEL, **(changes or {})}
    upload = [ModelFile(name, Bytes(data)) for name, data in files.items() if data is not None]
    return judge_model(UPLOAD, examine_upload(upload), default_policy(), limits)


def examined(name: str, data: bytes) -> FileReport:
    return examine_file(ModelFile(name, Bytes(data)))


def types_of(report: FileReport) -> set[str]:
    return {f"{finding.category}/{finding.type}" for finding in report.findings}


def details_of(report: FileReport) -> str:
    return "\n".join(finding.detail for finding in report.findings)


def findings_of(changes: Mapping[str, bytes | None]) -> list[tuple[str, str, str]]:
    """(file, category/type, detail) of every file of the changed model, the index's included."""
    files = {**MODEL, **changes}
    facts = examine_upload([ModelFile(name, Bytes(data)) for name, data in files.items() if data is not None])
    return [
        (finding.file, f"{finding.category}/{finding.type}", finding.detail)
        for report in facts.files
        for finding in report.findings
    ]
