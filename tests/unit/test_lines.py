"""Every line is read exactly once, wherever the borders of shards fall."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from tunegate.scan.lines import Line, read_lines

PIECES = st.lists(st.sampled_from([b"\n", b"\r\n", b"a", b"{}", "é日".encode(), b" ", b"x" * 30]), max_size=60)


def in_chunks(data: bytes, start: int, size: int) -> Iterator[bytes]:
    for position in range(start, len(data), size):
        yield data[position : position + size]


def lines_of(data: bytes, start: int = 0, end: int | None = None, chunk: int = 7, limit: int = 1000) -> list[Line]:
    return list(read_lines(in_chunks(data, max(start - 1, 0), chunk), start=start, end=end, record_bytes=limit))


@given(PIECES, st.lists(st.integers(0, 400), max_size=6), st.integers(1, 50))
def test_shards_of_any_borders_read_what_one_reader_reads(pieces: list[bytes], cuts: list[int], chunk: int) -> None:
    data = b"".join(pieces)
    borders = [0, *sorted({cut for cut in cuts if 0 < cut < len(data)})]
    ends = [*borders[1:], None]
    shards = [lines_of(data, start, end, chunk) for start, end in zip(borders, ends, strict=True)]
    assert [line.data for shard in shards for line in shard] == [line.data for line in lines_of(data)]


@given(PIECES, st.integers(1, 50))
def test_lines_are_those_of_splitting_at_newlines(pieces: list[bytes], chunk: int) -> None:
    data = b"".join(pieces)
    expected = data.split(b"\n")
    if expected[-1] == b"":
        expected.pop()
    assert [line.data for line in lines_of(data, chunk=chunk)] == [line.removesuffix(b"\r") for line in expected]


def test_a_line_over_the_limit_is_told_without_its_data_and_the_next_is_read() -> None:
    assert lines_of(b"x" * 50 + b"\nshort\n", limit=20) == [Line(1, None), Line(2, b"short")]


def test_the_byte_order_mark_belongs_to_no_record() -> None:
    assert lines_of(b"\xef\xbb\xbf{}\n\xef\xbb\xbf{}") == [Line(1, b"{}"), Line(2, b"\xef\xbb\xbf{}")]
