"""What rubbish is made of: JSON of any kind, real documents with something else in a place, almost a file's bytes."""

import gzip
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

EVENTS = Path(__file__).parents[2] / "events"

# With lone surrogates and NUL, which JSON can write and UTF-8 and AWS cannot take.
TEXT = st.text(st.characters(exclude_categories=()), max_size=12)
ODD = st.sampled_from(
    ["\ud800", "\0", "a\nb", "../..", "%2e%2e/", "a+b", "\u202egpj", "🧨" * 3, "x" * 2_000, "arn:aws:bedrock:::/", "-0"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXT
    | ODD
    | st.sampled_from([10**30, 1e308, "NO_THREATS_FOUND", "COMPLETED", "models/x/"])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT | ODD, inner, max_size=3), max_leaves=6
)


def samples(*names: str) -> list[Any]:
    return [json.loads((EVENTS / f"{name}.json").read_text()) for name in names]


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    """Every place in a document, the whole first."""
    yield path
    if isinstance(document, dict):
        for key, value in document.items():
            yield from places(value, (*path, key))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from places(value, (*path, index))


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of the document with another value in one place, or, for Ellipsis, without it."""
    if not path:
        return None if value is ... else value
    copy = dict(document) if isinstance(document, dict) else list(document)
    if value is ... and len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = replaced(document[path[0]], path[1:], value)
    return copy


@st.composite
def almost(draw: st.DrawFn, documents: list[Any], values: st.SearchStrategy[Any] = JSON) -> Any:
    """A real document with rubbish in one to three of its places."""
    document = draw(st.sampled_from(documents))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(sorted(places(document), key=str)))
        document = replaced(document, path, draw(values | st.just(...)))
    return document


@st.composite
def damaged(draw: st.DrawFn, wholes: st.SearchStrategy[bytes]) -> bytes:
    """Bytes with a few of them changed, put in or cut off."""
    data = bytearray(draw(wholes))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


def written(document: Any) -> bytes:
    """A document as JSON, whatever is in it; a lone surrogate as its escape, or as bytes that are no UTF-8."""
    return json.dumps(document).encode()


_ASCII = (
    b'{"prompt": "|"completion": "|"}|{|[|]|}|": |", |\\|\\"|\\u0041|\\ud800|null|1e999|-0|NaN|s3://b/k|536-22-8127|, '
)
_BYTES = [b"\xff", b"\xef\xbb\xbf", b"\0", b"\n", b"\r\n", "é".encode(), "🧨".encode(), b"\xed\xa0\x80", b"1" * 30]
PIECES = st.sampled_from([*_ASCII.split(b"|"), *_BYTES])
LINES = st.lists(PIECES | st.binary(max_size=6), max_size=24).map(b"".join)
RECORDS = st.lists(JSON.map(written) | LINES, max_size=4).map(b"\n".join)


@st.composite
def training_files(draw: st.DrawFn) -> tuple[str, bytes]:
    """The name and bytes of something uploaded for training, perhaps packed, perhaps broken."""
    name = draw(st.sampled_from(["a.jsonl", "a.json", "a.txt", "a.md", "a", "a.jsonl.gz", "a.bin", "a.png"]))
    data = draw(RECORDS | st.binary(max_size=200))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2]))):
        data = gzip.compress(data, mtime=0)
    return name, draw(damaged(st.just(data))) if draw(st.booleans()) else data


KEY_TEXT = st.text(
    st.characters(codec="utf-8") | st.sampled_from("/+%?&=#\\\"'\0\n\r\t\u2028\u202e\ufeff🧨 "),
    min_size=1,
    max_size=60,
)
KEYS = (
    KEY_TEXT
    | st.builds(lambda text, times: text * times, KEY_TEXT, st.integers(1, 60))
    | st.sampled_from(
        ["../../etc/passwd", "a/../b", "%2F%2e%2e", "a+b c", "x" * 1_024, "é" * 512, "🧨" * 256, "//", "\0"]
    )
).filter(lambda key: len(key.encode()) <= 1_024)


def refused[T](call: Callable[[], T], *allowed: type[Exception]) -> T | None:
    """What a call gives; None where it refuses in a documented way. Any other exception is a failure."""
    try:
        return call()
    except allowed:
        return None
