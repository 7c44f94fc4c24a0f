"""A pickle is read and never loaded: what it would import and call is told, however it is written or wrapped."""

import base64
import bz2
import collections
import gzip
import io
import lzma
import pickle
import pickletools
import random
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from tunegate.scan.weights.opcodes import TABLE
from tunegate.scan.weights.pickles import Global, read_pickle
from unit.weights_world import (
    CALLS_SYSTEM,
    CALLS_SYSTEM_0,
    CALLS_SYSTEM_4,
    HARMLESS,
    WEIGHTS,
    as_json,
    details_of,
    examined,
    safetensors,
    tensor,
    torch_zip,
    types_of,
    zipped,
)

SYSTEM = Global("os", "system")


def calls(data: bytes) -> list[Global]:
    return list(read_pickle(data).calls)


@pytest.mark.parametrize(
    "data",
    [
        CALLS_SYSTEM,
        CALLS_SYSTEM_0,
        CALLS_SYSTEM_4,
        b"(S'id'\nios\nsystem\n.",  # INST
        b"(cos\nsystem\nS'id'\no.",  # OBJ
        b"\x80\x02cos\nsystem\n)\x81.",  # NEWOBJ
        b"\x80\x04cos\nsystem\n)}\x92.",  # NEWOBJ_EX
        b"\x80\x02cos\nsystem\n}b.",  # BUILD on the global itself
        b"\x80\x02cos\nsystem\nq\x01h\x01)R.",  # through the memo
        b"\x80\x04\x8c\x06system\x94\x8c\x02os\x94h\x01h\x00\x93)R.",  # names through the memo, in the other order
        b"cos\nsystem\np7\n0g7\n)R.",
        b"\x80\x02cos\nsystem\n2)R.",  # DUP
        b"\x80\x02(N1cos\nsystem\n)R.",  # a mark dropped before
        CALLS_SYSTEM[:-1],  # no STOP
        CALLS_SYSTEM[:-1] + b"\xff\xff",  # no opcode after the call
        CALLS_SYSTEM[:-1] + b"h\x77.",  # a memo entry that is not there, after the call
    ],
)
def test_a_call_is_found_in_every_way_a_pickle_can_make_it(data: bytes) -> None:
    assert SYSTEM in calls(data)


def test_names_that_a_pickle_computes_are_told_as_such() -> None:
    assert [str(name) for name in calls(b"\x80\x04K*\x8c\x06system\x93)R.")] == ["<computed>.system"]


def test_extensions_are_names_of_the_loaders_registry() -> None:
    assert [str(name) for name in calls(b"\x80\x02\x82\x05)R.")] == ["copyreg.extension_5"]


@pytest.mark.parametrize("protocol", range(6))
def test_every_real_pickle_is_followed_to_its_stop(protocol: int) -> None:
    value = [collections.OrderedDict(a=1), {1.5, "x"}, b"\x00" * 300, "é" * 300, (1, (2, 3, 4, 5)), 2**70, None, True]
    value.append(value)  # recursive
    data = pickle.dumps(value, protocol)
    trace = read_pickle(data)
    assert (trace.fault, trace.sound, trace.end) == ("", True, len(data))
    assert trace.opcodes == sum(1 for _ in pickletools.genops(data))


def test_the_table_holds_every_opcode_of_the_standard_library() -> None:
    assert {chr(code): op.name for code, op in enumerate(TABLE) if op} == {o.code: o.name for o in pickletools.opcodes}


def test_a_program_that_lacks_operands_is_not_sound_and_calls_nothing() -> None:
    trace = read_pickle(b"cos\nsystem\nR.")
    assert not trace.sound
    assert not trace.calls
    assert SYSTEM in trace.imports


def test_reading_ends_at_the_bound() -> None:
    trace = read_pickle(b"\x80\x02" + b"2" * 1000, most_opcodes=100)
    assert trace.opcodes == 100
    assert trace.fault


def _tar(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("data.pkl")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _encrypted_flag(data: bytes) -> bytes:
    """A zip whose directory says its member is encrypted, which it is not."""
    at = data.index(b"PK\x01\x02")
    return data[: at + 8] + b"\x01" + data[at + 9 :]


def _wrong_sum(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02")
    return data[: at + 16] + b"\0\0\0\0" + data[at + 20 :]


def _wrong_name(data: bytes) -> bytes:
    """The member's own header names another file than the directory."""
    return data.replace(b"data.pkl", b"data.txt", 1)


WRAPPINGS: dict[str, Callable[[bytes], bytes]] = {
    "zip": lambda data: zipped({"data.pkl": data}),
    "deflated zip": lambda data: zipped({"data.pkl": data}, zipfile.ZIP_DEFLATED),
    "bzip2 zip": lambda data: zipped({"data.pkl": data}, zipfile.ZIP_BZIP2),
    "torch": torch_zip,
    "zip in zip": lambda data: zipped({"inner.zip": zipped({"x": data})}),
    "zip that says encrypted": lambda data: _encrypted_flag(zipped({"data.pkl": data})),
    "zip with a wrong sum": lambda data: _wrong_sum(zipped({"data.pkl": data})),
    "zip with two names": lambda data: _wrong_name(zipped({"data.pkl": data})),
    "zip with bytes before it": lambda data: b"\0\0" + zipped({"data.pkl": data}),
    "tar": _tar,
    "gzip": gzip.compress,
    "tar.gz": lambda data: gzip.compress(_tar(data)),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "second stream": lambda data: HARMLESS + data,
    "after zeros": lambda data: bytes(1000) + data,
    "in a pickle's bytes": lambda data: pickle.dumps({"a": data + bytes(8)}),
    "in base64 in a pickle": lambda data: pickle.dumps({"a": base64.b64encode(data).decode()}),
    "in hex in a pickle": lambda data: pickle.dumps([data.hex()]),
}


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "x.ckpt", "model.safetensors", "tokenizer.model"])
@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("data", [CALLS_SYSTEM, CALLS_SYSTEM_0, CALLS_SYSTEM_4])
def test_what_a_wrapped_pickle_calls_is_named_whatever_the_file_is_called(
    name: str, wrapping: str, data: bytes
) -> None:
    report = examined(name, WRAPPINGS[wrapping](data))
    assert "unsafe_model/pickle_call" in types_of(report)
    assert "os.system" in details_of(report)


def test_an_honest_checkpoint_is_a_pickle_and_calls_nothing_harmful() -> None:
    pickled = pickle.dumps(collections.OrderedDict(weight=[0.5] * 10), 2)
    assert types_of(examined("pytorch_model.bin", torch_zip(pickled))) >= {"unsafe_model/pickle"}
    assert "unsafe_model/pickle_call" not in types_of(examined("pytorch_model.bin", torch_zip(pickled)))


HIDING_PLACES: dict[str, Callable[[bytes], bytes]] = {
    "metadata": lambda data: safetensors({"__metadata__": {"a": data.decode("latin-1")}, "w": tensor(0, 4)}, bytes(4)),
    "base64 in metadata": lambda data: safetensors(
        {"__metadata__": {"a": base64.b64encode(data).decode()}, "w": tensor(0, 4)}, bytes(4)
    ),
    "a tensor of bytes": lambda data: safetensors({"w": tensor(0, len(data), "U8")}, data),
    "inside a small file's tensor": lambda data: safetensors(
        {"w": tensor(0, 400, "F32")}, bytes(100) + data + bytes(300 - len(data))
    ),
    "a large file's tensor": lambda data: safetensors(
        {"a": tensor(0, 400_000, "F32"), "w": tensor(400_000, 400_000 + len(data), "I8")}, bytes(400_000) + data
    ),
    "a zip at the end": lambda data: _with_tail(zipped({"data.pkl": data})),
    "after the last tensor": lambda data: WEIGHTS + data,
    "a hole": lambda data: safetensors(
        {"a": tensor(0, 4), "b": tensor(4 + len(data), 8 + len(data))}, bytes(4) + data + bytes(4)
    ),
}


def _with_tail(data: bytes) -> bytes:
    data = bytes(-len(data) % 4) + data
    return safetensors({"w": tensor(0, len(data))}, data)


@pytest.mark.parametrize("place", HIDING_PLACES)
@pytest.mark.parametrize("data", [CALLS_SYSTEM, CALLS_SYSTEM_0, CALLS_SYSTEM_4])
def test_a_pickle_hidden_in_safetensors_is_found(place: str, data: bytes) -> None:
    report = examined("model.safetensors", HIDING_PLACES[place](data))
    assert "unsafe_model/pickle_call" in types_of(report)
    assert "os.system" in details_of(report)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json"])
def test_a_pickle_in_a_json_string_is_found(name: str) -> None:
    held = {"a": ["x", {"b": base64.b64encode(CALLS_SYSTEM_4).decode()}]}
    assert "os.system" in details_of(examined(name, as_json(held)))
    assert "os.system" in details_of(examined(name, as_json({CALLS_SYSTEM_0.decode(): 1})))


def test_a_pickle_between_the_lines_of_a_text_is_found() -> None:
    assert "os.system" in details_of(examined("merges.txt", b"#version: 0.2\na b\n" + CALLS_SYSTEM_0 + b"\nc d\n"))


def test_words_on_lines_are_no_pickles() -> None:
    some = b"cat ic coin items class import os system R tR b0 c call times cancer Nb bR Ready tables ) ( ]".split()
    chosen = random.Random(7)  # noqa: S311
    words = b"\n".join(chosen.choices(some, k=30_000))
    report = examined("vocab.txt", words + b"\n")
    assert (report.findings, report.unread) == ([], "")


def test_a_bomb_is_told_and_costs_little() -> None:
    bomb = gzip.compress(bytes(200 * 1024**2), 9)
    assert "unsafe_model/archive_bomb" in types_of(examined("x.gz", bomb))
    nested = zipped({"a": b"x"})
    for _ in range(10):
        nested = zipped({"a.zip": nested})
    assert "unsafe_model/archive_bomb" in types_of(examined("x.zip", nested))
    crowd = zipped({str(number): b"" for number in range(3_000)})
    assert "unsafe_model/archive_bomb" in types_of(examined("x.zip", crowd))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"7z\xbc\xaf\x27\x1c" + bytes(40), "archive"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(40), "archive"),
        (b"PK\x03\x04" + bytes(40), "archive"),
        (b"\x7fELF\x02\x01\x01" + bytes(100), "executable"),
        (b"#!/bin/sh\nid\n", "executable"),
    ],
)
def test_what_cannot_be_opened_is_still_told(data: bytes, kind: str) -> None:
    for name in ("pytorch_model.bin", "README.md", "model.safetensors"):
        assert f"unsafe_model/{kind}" in types_of(examined(name, data))


def test_the_eicar_file_is_malware_wherever_it_is() -> None:
    eicar = ("X5O!P%@AP[4\\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*").encode()
    padded = eicar + bytes(-len(eicar) % 4)
    for name, data in {
        "README.md": eicar,
        "x.com": eicar,
        "x.zip": zipped({"a.txt": eicar}),
        "model.safetensors": safetensors({"w": tensor(0, len(padded))}, padded),
        "config.json": as_json({"a": eicar.decode()}),
    }.items():
        assert "malware/EICAR_TEST_FILE" in types_of(examined(name, data)), name


def test_a_pickle_cut_off_behind_an_import_is_one() -> None:
    assert "unsafe_model/pickle_call" in types_of(examined("x.bin", b"\x80\x02cos\nsystem\n"))
