"""What the reference implementation of safetensors rejects, Tunegate rejects; what hides in it, Tunegate names."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, deserialize, safe_open
from safetensors.numpy import save_file

from tunegate.scan.weights.header import DTYPE_BITS, HEADER_BYTES, REFERENCE_HEADER_BYTES
from unit.weights_world import WEIGHTS, details_of, examined, safetensors, tensor, types_of

ONE = tensor(0, 4)


def reference_takes(data: bytes) -> bool:
    try:
        deserialize(data)
    except SafetensorError:
        return False
    return True


def is_taken(data: bytes) -> bool:
    return "format/safetensors" not in types_of(examined("model.safetensors", data))


VALID = {
    "one tensor": safetensors({"a": ONE}, bytes(4)),
    "two tensors": WEIGHTS,
    "in another order": safetensors({"b": tensor(16, 32), "a": tensor(0, 16)}, bytes(32)),
    "metadata": safetensors({"__metadata__": {"format": "pt"}, "a": ONE}, bytes(4)),
    "padded header": safetensors(json.dumps({"a": ONE}).encode() + b"    ", bytes(4)),
    "a scalar": safetensors({"a": tensor(0, 4, shape=[])}, bytes(4)),
    "an empty tensor": safetensors({"a": tensor(0, 0, shape=[0, 5]), "b": ONE}, bytes(4)),
    "float4": safetensors({"a": tensor(0, 4, "F4", [8])}, bytes(4)),
}
INVALID = {
    "nothing": b"",
    "seven bytes": bytes(7),
    "no header": bytes(8),
    "length 10^9": safetensors({"a": ONE}, bytes(4), length=10**9),
    "length over the limit": safetensors({"a": ONE}, bytes(4), length=REFERENCE_HEADER_BYTES + 1),
    "length of all ones": safetensors({"a": ONE}, bytes(4), length=2**64 - 1),
    "length beyond the file": safetensors({"a": ONE}, bytes(4), length=1000),
    "length too short": safetensors({"a": ONE}, bytes(4), length=10),
    "no JSON": safetensors(b"{not json}", bytes(4)),
    "bad UTF-8": safetensors(b'{"\xff":1}', bytes(4)),
    "a list": safetensors(b"[]"),
    "garbage after": safetensors(json.dumps({"a": ONE}).encode() + b"x", bytes(4)),
    "unknown dtype": safetensors({"a": tensor(0, 4, "F33", [1])}, bytes(4)),
    "dtype in small letters": safetensors({"a": tensor(0, 4, "f32", [1])}, bytes(4)),
    "no shape": safetensors({"a": {"dtype": "F32", "data_offsets": [0, 4]}}, bytes(4)),
    "negative size": safetensors({"a": tensor(0, 4, shape=[-1])}, bytes(4)),
    "fractional size": safetensors(b'{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}', bytes(4)),
    "boolean size": safetensors(b'{"a":{"dtype":"F32","shape":[true],"data_offsets":[0,4]}}', bytes(4)),
    "minus zero": safetensors(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[-0,4]}}', bytes(4)),
    "three offsets": safetensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 4]}}, bytes(4)),
    "offsets turned": safetensors({"a": {"dtype": "F32", "shape": [0], "data_offsets": [4, 0]}}, bytes(4)),
    "shape too large": safetensors({"a": tensor(0, 4, shape=[2])}, bytes(4)),
    "shape too small": safetensors({"a": tensor(0, 8, shape=[1])}, bytes(8)),
    "overflowing shape": safetensors({"a": tensor(0, 0, shape=[2**63, 2**63, 0])}),
    "size over 64 bits": safetensors({"a": tensor(0, 4, shape=[2**64 + 1])}, bytes(4)),
    "half a byte": safetensors({"a": tensor(0, 1, "F4", [1])}, bytes(1)),
    "overlap": safetensors({"a": tensor(0, 16), "b": tensor(8, 24)}, bytes(24)),
    "the same range twice": safetensors({"a": ONE, "b": ONE}, bytes(4)),
    "hole": safetensors({"a": tensor(0, 16), "b": tensor(20, 36)}, bytes(36)),
    "hole at the begin": safetensors({"a": tensor(4, 8)}, bytes(8)),
    "cut short": WEIGHTS[:-1],
    "one byte more": WEIGHTS + b"x",
    "metadata of numbers": safetensors({"__metadata__": {"a": 1}, "a": ONE}, bytes(4)),
    "metadata a list": safetensors({"__metadata__": [], "a": ONE}, bytes(4)),
    "lone surrogate": safetensors(b'{"\\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)),
    "control character": safetensors(b'{"a\x01":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)),
    "deep": safetensors(b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}"),
}
STRICTER = {
    "a space first": safetensors(b' {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)),
    "a tensor twice": safetensors(
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        bytes(4),
    ),
    "a field twice": safetensors(b'{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)),
    "a metadata key twice": safetensors(
        b'{"__metadata__":{"a":"1","a":"2"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)
    ),
    "a field of its own": safetensors({"a": {**ONE, "code": "x"}}, bytes(4)),
    "metadata without end": safetensors({"__metadata__": {"a": "x" * 2**21}, "a": ONE}, bytes(4)),
    "more dimensions than any tensor": safetensors({"a": tensor(0, 4, shape=[1] * 100)}, bytes(4)),
    "no tensor": safetensors({}),
}


@pytest.mark.parametrize("case", VALID)
def test_what_is_valid_is_taken(case: str) -> None:
    assert reference_takes(VALID[case])
    assert is_taken(VALID[case])


@pytest.mark.parametrize("case", INVALID)
def test_what_the_format_forbids_is_rejected(case: str) -> None:
    assert not reference_takes(INVALID[case])
    report = examined("model.safetensors", INVALID[case])
    assert "format/safetensors" in types_of(report) or not INVALID[case]
    assert report.findings


@pytest.mark.parametrize("case", STRICTER)
def test_what_the_reference_lets_pass_and_no_model_needs_is_rejected(case: str) -> None:
    assert not is_taken(STRICTER[case])


def test_every_dtype_of_the_reference_is_known_with_its_size() -> None:
    for dtype, bits in DTYPE_BITS.items():
        data = safetensors({"a": tensor(0, bits, dtype, [8])}, bytes(bits))
        assert reference_takes(data), dtype
        assert is_taken(data), dtype


def test_a_long_header_is_refused_without_reading_it() -> None:
    report = examined("model.safetensors", safetensors(b"{" + b" " * (HEADER_BYTES + 1)))
    assert "larger than any model needs" in details_of(report)


SIZES = st.integers(0, 9)
DTYPES = st.sampled_from([*DTYPE_BITS, "X"])
INFOS = st.fixed_dictionaries(
    {"dtype": DTYPES, "shape": st.lists(SIZES, max_size=3), "data_offsets": st.lists(st.integers(0, 40), max_size=3)}
)
HEADERS = st.dictionaries(st.sampled_from(["a", "b", "c", "__metadata__"]), INFOS | st.just({"k": "v"}), max_size=4)


@given(HEADERS, st.integers(0, 60), st.integers(-3, 3))
@settings(max_examples=300, deadline=None)
def test_whatever_the_reference_rejects_is_rejected(header: dict[str, object], size: int, shift: int) -> None:
    raw = json.dumps(header).encode()
    data = safetensors(raw, bytes(size), max(len(raw) + shift, 0))
    if is_taken(data):
        assert reference_takes(data)


TENSORS = st.lists(st.tuples(st.sampled_from(["F32", "BF16", "I64", "U8"]), st.integers(0, 6)), min_size=1, max_size=5)


@given(TENSORS, st.integers(-2, 2), st.integers(0, 400))
@settings(max_examples=300, deadline=None)
def test_a_file_is_taken_just_where_the_reference_takes_it(
    tensors: list[tuple[str, int]], more: int, flipped: int
) -> None:
    at, header = 0, {}
    for number, (dtype, count) in enumerate(tensors):
        end = at + count * DTYPE_BITS[dtype] // 8
        header[f"t{number}"] = {"dtype": dtype, "shape": [count], "data_offsets": [at, end]}
        at = end
    data = safetensors(header, bytes(max(at + more, 0)))
    assert is_taken(data) == reference_takes(data)
    broken = bytearray(data)
    broken[flipped % len(broken)] ^= 1 << flipped % 8
    if is_taken(bytes(broken)):
        assert reference_takes(bytes(broken))


def test_a_file_written_by_the_reference_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({f"layer.{n}": np.zeros((3, n + 1), np.float32) for n in range(50)}, path, {"format": "pt"})
    report = examined("model.safetensors", path.read_bytes())
    assert report.findings == []
    with safe_open(path, "np") as opened:
        assert {one.name for one in report.tensors or ()} == set(opened.keys())
