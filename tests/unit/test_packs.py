"""Texts packed for a service come back to where they were."""

from hypothesis import given
from hypothesis import strategies as st

from tunegate.scan.packs import SEPARATOR, Pack, split_text

TEXTS = st.lists(st.text(alphabet="ab 日é😀\n", min_size=1, max_size=120), min_size=1, max_size=20)


@given(TEXTS)
def test_every_character_of_a_document_leads_back_to_its_text(texts: list[str]) -> None:
    pack = Pack(texts)
    at = 0
    for index, text in enumerate(texts):
        assert pack.document.startswith(text, at)
        for offset in range(len(text)):
            assert pack.locate(at + offset, at + offset + 1) == (index, offset, offset + 1)
        at += len(text) + len(SEPARATOR)


def test_what_runs_over_a_texts_end_is_cut_there_and_what_lies_between_texts_is_nothing() -> None:
    pack = Pack(["Call Ann", "Smith"])
    assert pack.locate(5, len(pack.document)) == (0, 5, 8)
    at, begin, end = pack.locate(9, 10)
    assert (at, begin == end) == (0, True)


@given(st.text(alphabet="ab 日é😀\n", max_size=400), st.integers(8, 200))
def test_the_parts_of_a_text_fit_and_leave_nothing_out(text: str, limit: int) -> None:
    parts = list(split_text(text, limit))
    assert all(len(part.encode()) <= limit and text.startswith(part, offset) for offset, part in parts)
    covered = {at for offset, part in parts for at in range(offset, offset + len(part))}
    assert covered == (set(range(len(text))) if text.strip() else set())


def test_a_cut_text_repeats_its_border_so_that_what_stands_there_is_seen_whole() -> None:
    text = "word " * 100 + "jane@example.org" + " word" * 100
    parts = [part for _, part in split_text(text, 600)]
    assert any("jane@example.org" in part for part in parts)
