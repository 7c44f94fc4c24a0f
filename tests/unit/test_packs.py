"""Texts packed for a service come back to where they were."""

from hypothesis import given
from hypothesis import strategies as st

from tunegate.model import Text
from tunegate.scan.packs import Pack, Packer, split_text

TEXTS = st.lists(st.text(alphabet="ab 日é😀\n", max_size=120), max_size=20)


def packed(texts: list[str], limit: int) -> list[Pack]:
    packer = Packer(limit)
    packs = [pack for line, text in enumerate(texts, 1) for pack in packer.add(line, Text(f"/{line}", text))]
    return [*packs, *packer.flush()]


@given(TEXTS, st.integers(8, 200))
def test_no_pack_exceeds_the_limit_and_every_character_leads_back(texts: list[str], limit: int) -> None:
    for pack in packed(texts, limit):
        assert len(pack.text.encode()) <= limit
        for piece in pack.pieces:
            for at in range(piece.begin, piece.begin + piece.length):
                place = pack.place(at, at + 1)
                assert texts[place.line - 1][place.begin] == pack.text[at]


@given(TEXTS, st.integers(8, 200))
def test_every_text_that_says_something_is_packed_whole(texts: list[str], limit: int) -> None:
    covered: dict[int, set[int]] = {}
    for pack in packed(texts, limit):
        for piece in pack.pieces:
            covered.setdefault(piece.line, set()).update(range(piece.offset, piece.offset + piece.length))
    for line, text in enumerate(texts, 1):
        if text.strip():
            assert covered[line] == set(range(len(text)))


def test_a_cut_text_repeats_its_border_so_that_what_stands_there_is_seen_whole() -> None:
    text = "word " * 100 + "jane@example.org" + " word" * 100
    parts = [part for _, part in split_text(text, 600)]
    assert any("jane@example.org" in part for part in parts)
