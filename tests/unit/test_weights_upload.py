"""A model upload gets one verdict over all its files, and each file at fault is named with the reason."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tunegate.judge.weights import ImportLimits, judge_model
from tunegate.model import Verdict
from tunegate.policy import default_policy
from tunegate.scan.source import FileSource
from tunegate.scan.weights.upload import ModelFile, examine_file, examine_upload
from unit.weights_world import (
    CALLS_SYSTEM,
    CONFIG,
    MODEL,
    UPLOAD,
    WEIGHTS,
    Bytes,
    as_json,
    findings_of,
    judged,
    safetensors,
    tensor,
    torch_zip,
    zipped,
)

INDEX = "model.safetensors.index.json"
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


def sharded(**weight_map: str) -> dict[str, bytes | None]:
    """The model in two shards: tensors a and b in the first, c in the second."""
    placed = {"a": FIRST, "b": FIRST, "c": SECOND} | weight_map
    return {
        "model.safetensors": None,
        FIRST: WEIGHTS,
        SECOND: safetensors({"c": tensor(0, 8)}, bytes(8)),
        INDEX: as_json({"metadata": {"total_size": 40}, "weight_map": placed}),
    }


def test_a_whole_model_of_what_bedrock_imports_is_clean() -> None:
    decision = judged()
    assert (decision.verdict, decision.findings, decision.reason) == (Verdict.CLEAN, (), "")


def test_a_model_in_shards_that_its_index_names_is_clean() -> None:
    assert judged(sharded()).verdict == Verdict.CLEAN


ACCEPTANCE: dict[str, tuple[Mapping[str, bytes | None], str, str, str]] = {
    "torch zip that calls os.system": (
        {"pytorch_model.bin": torch_zip()},
        "pytorch_model.bin",
        "unsafe_model/pickle_call",
        "calls os.system",
    ),
    "the same renamed": (
        {"model.safetensors": torch_zip()},
        "model.safetensors",
        "unsafe_model/pickle_call",
        "calls os.system",
    ),
    "pickle in a tokenizer file": (
        {"tokenizer.json": CALLS_SYSTEM},
        "tokenizer.json",
        "unsafe_model/pickle_call",
        "calls os.system",
    ),
    "pickle in a tokenizer model": (
        {"tokenizer.model": CALLS_SYSTEM},
        "tokenizer.model",
        "unsafe_model/pickle_call",
        "calls os.system",
    ),
    "header length 10^9": (
        {"model.safetensors": safetensors({"a": tensor(0, 4)}, bytes(4), length=10**9)},
        "model.safetensors",
        "format/safetensors",
        "1000000000",
    ),
    "header beyond the file": (
        {"model.safetensors": safetensors({"a": tensor(0, 4)}, b"", length=5000)},
        "model.safetensors",
        "format/safetensors",
        "beyond the file",
    ),
    "overlapping offsets": (
        {"model.safetensors": safetensors({"a": tensor(0, 16), "b": tensor(8, 24)}, bytes(24))},
        "model.safetensors",
        "format/safetensors",
        "overlaps",
    ),
    "hole between tensors": (
        {"model.safetensors": safetensors({"a": tensor(0, 16), "b": tensor(20, 36)}, bytes(36))},
        "model.safetensors",
        "format/safetensors",
        "hole of 4 bytes",
    ),
    "truncated data": (
        {"model.safetensors": WEIGHTS[:-5]},
        "model.safetensors",
        "format/safetensors",
        "cut short by 5 bytes",
    ),
    "duplicate keys": (
        {
            "model.safetensors": safetensors(
                b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
                b'"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
                bytes(4),
            )
        },
        "model.safetensors",
        "format/safetensors",
        "twice",
    ),
    "index naming a missing shard": (
        {**sharded(), SECOND: None},
        INDEX,
        "format/index",
        SECOND,
    ),
    "auto_map in config": (
        {"config.json": as_json({**CONFIG, "auto_map": {"AutoModel": "modeling_evil.EvilModel"}})},
        "config.json",
        "unsafe_model/custom_code",
        "modeling_evil.EvilModel",
    ),
}


@pytest.mark.parametrize("case", ACCEPTANCE)
def test_a_hostile_or_broken_file_flags_the_upload_by_name_and_reason(case: str) -> None:
    changes, file, kind, reason = ACCEPTANCE[case]
    decision = judged(changes)
    assert decision.verdict == Verdict.FLAGGED
    assert f"{file}: {kind}" in decision.reason
    assert any((name, found) == (file, kind) and reason in detail for name, found, detail in findings_of(changes))


def test_a_5_gb_shard_costs_less_than_a_megabyte(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    size, count = 5 * 1024**3, 2_000
    each = size // count // 2 * 2
    header = {f"layers.{i}.weight": tensor(i * each, (i + 1) * each, "BF16") for i in range(count)}
    with path.open("wb") as file:
        file.write(safetensors(header))
        os.truncate(path, file.tell() + each * count)
    report = examine_file(ModelFile(path.name, FileSource(path)))
    assert report.size > 4.9 * 1024**3
    assert report.findings == []
    assert report.tensors is not None
    assert len(report.tensors) == count
    assert 0 < report.bytes_read < 1_000_000


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "README.md", "chat_template.jinja"])
def test_a_small_file_is_read_once_and_its_bytes_are_counted(name: str) -> None:
    source = Bytes(b" " * 200_000 + MODEL.get(name, b"x"))
    report = examine_file(ModelFile(name, source))
    assert report.bytes_read == sum(end - start for start, end in source.reads) == source.size


@pytest.mark.parametrize(
    ("changes", "file", "what"),
    [
        (sharded(c=FIRST), SECOND, "tensor c is here"),
        ({**sharded(), SECOND: None}, INDEX, SECOND),
        ({**sharded(), "extra.safetensors": WEIGHTS}, "extra.safetensors", "does not name this file"),
        (sharded(d=FIRST), INDEX, "tensor d is in no shard"),
        (sharded(b=SECOND), FIRST, "tensor b is here"),
        ({**sharded(), INDEX: None}, FIRST, "there is no"),
        ({**sharded(), INDEX: as_json({"weight_map": [1]})}, INDEX, "weight_map"),
        ({**sharded(), SECOND: WEIGHTS}, SECOND, "another shard too"),
    ],
)
def test_an_index_that_disagrees_with_the_shards_is_told(
    changes: Mapping[str, bytes | None], file: str, what: str
) -> None:
    found = findings_of(changes)
    assert any(name == file and kind == "format/index" and what in detail for name, kind, detail in found)
    assert judged(changes).verdict == Verdict.FLAGGED


def test_a_total_size_that_is_not_the_shards_is_told() -> None:
    placed = {"a": FIRST, "b": FIRST, "c": SECOND}
    changes = {**sharded(), INDEX: as_json({"metadata": {"total_size": 41}, "weight_map": placed})}
    assert (INDEX, "format/index_size", "it says 41 bytes of tensors where the shards hold 40") in findings_of(changes)


@pytest.mark.parametrize("missing", ["model.safetensors", "config.json", "tokenizer_config.json", "tokenizer.json"])
def test_a_file_that_bedrock_needs_is_missed(missing: str) -> None:
    decision = judged({missing: None})
    assert "format/missing_file" in decision.reason


@pytest.mark.parametrize("name", ["weights.gguf", "notes.pdf", "Config.json", "model.onnx", "args.yaml", "archive"])
def test_a_file_that_bedrock_does_not_import_is_named(name: str) -> None:
    assert f"{name}: format/unsupported_file" in judged({name: b"something\n"}).reason


def test_a_file_in_a_folder_and_a_file_of_code_are_named() -> None:
    reason = judged({"original/params.json": b"{}", "modeling_llama.py": b"import os\n"}).reason
    assert "original/params.json: format/nested_file" in reason
    assert "modeling_llama.py: unsafe_model/custom_code" in reason


def test_an_archive_under_the_name_of_a_text_is_opened() -> None:
    found = findings_of({"README.md": zipped({"x/data.pkl": CALLS_SYSTEM})})
    assert ("README.md", "unsafe_model/archive", "a zip archive") in found
    assert any(kind == "unsafe_model/pickle_call" and "x/data.pkl" in detail for _, kind, detail in found)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"architectures": ["BertModel"]}, "embedding_model"),
        ({"architectures": ["FalconForCausalLM"]}, "unsupported_architecture"),
        ({"architectures": []}, "unsupported_architecture"),
        ({"torch_dtype": "float64"}, "unsupported_precision"),
        ({"torch_dtype": "float8_e4m3fn"}, "unsupported_precision"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "quantized"),
        ({"max_position_embeddings": 1_048_576}, "context_too_long"),
        ({"text_config": {"max_position_embeddings": 262_144}}, "context_too_long"),
    ],
)
def test_what_an_import_job_would_refuse_after_hours_is_said_before(change: dict[str, object], kind: str) -> None:
    decision = judged({"config.json": as_json({**CONFIG, **change})})
    assert f"config.json: format/{kind}" in decision.reason


def test_the_policy_may_allow_more_architectures() -> None:
    limits = ImportLimits(architectures=frozenset({"FalconForCausalLM"}))
    config = as_json({**CONFIG, "architectures": ["FalconForCausalLM"]})
    assert judged({"config.json": config}, limits).verdict == Verdict.CLEAN


def test_weights_in_a_precision_that_bedrock_does_not_take_are_named() -> None:
    quantized = safetensors({"q": tensor(0, 8, "I8"), "w": tensor(8, 16)}, bytes(16))
    assert "model.safetensors: format/unsupported_precision" in judged({"model.safetensors": quantized}).reason


def test_the_positions_of_an_old_checkpoint_are_no_fault() -> None:
    weights = safetensors({"ids": tensor(0, 16, "I64"), "w": tensor(16, 32)}, bytes(32))
    assert judged({"model.safetensors": weights}).verdict == Verdict.CLEAN


def test_the_size_limit_is_lower_for_a_multimodal_model() -> None:
    limits = ImportLimits(text_bytes=10_000, multimodal_bytes=len(WEIGHTS))
    assert judged(limits=limits).verdict == Verdict.CLEAN
    vision = as_json({**CONFIG, "vision_config": {}})
    assert "format/model_too_large" in judged({"config.json": vision}, limits).reason


class _Short(Bytes):
    """A source that gives less than it says it has."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.size += 10


def test_a_file_whose_bytes_cannot_all_be_read_holds_the_upload() -> None:
    files = [ModelFile(name, Bytes(data)) for name, data in MODEL.items() if name != "README.md"]
    facts = examine_upload([*files, ModelFile("README.md", _Short(b"# Readme\n"))])
    decision = judge_model(UPLOAD, facts, default_policy())
    assert decision.verdict == Verdict.HELD
    assert "README.md" in decision.reason


def test_an_upload_of_nothing_is_no_pass() -> None:
    assert judge_model(UPLOAD, examine_upload([]), default_policy()).verdict != Verdict.CLEAN


def test_no_content_is_in_what_is_told() -> None:
    secret = "4111111111111111 secret words"
    hostile = {
        "model.safetensors": safetensors({secret: {"dtype": secret, "shape": [], "data_offsets": [0, 0]}}),
        "config.json": as_json({**CONFIG, "auto_map": {"AutoModel": secret}, "torch_dtype": secret}),
        "pytorch_model.bin": b"cos\nsystem\n(S'" + secret.encode() + b"'\ntR.",
        "x.bin": b"\x80\x02c" + secret.encode() + b"\nname\n)R.",
        "chat_template.jinja": b"{{ x['__" + secret.encode() + b"__'] }}{{ y.z('" + secret.encode() + b"') }}",
    }
    assert not any("4111" in detail or "secret" in detail for _, _, detail in findings_of(hostile))
    assert "4111" not in judged(hostile).reason
