"""What holds of every text, whatever is in it."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tunegate.scan.screen as package
from tunegate.model import Record, Text
from tunegate.scan.screen import Screen
from tunegate.scan.screen.linear import LinearModel
from tunegate.scan.screen.normalize import fold

SCREEN = Screen()
CARD = "4111111111111111"
NOISE = st.text(st.characters(exclude_categories=["Cs", "Nd"]), max_size=60)


def screened(*texts: str) -> list[tuple[str, int, int]]:
    record = Record(1, tuple(Text(f"/{at}", text) for at, text in enumerate(texts)))
    return [(one.type, one.place.begin, one.place.end) for one in SCREEN.screen(record)]


@given(NOISE, NOISE)
@settings(max_examples=150, deadline=None)
def test_a_card_between_any_words_is_found_at_its_own_offsets(before: str, after: str) -> None:
    text = f"{before} {CARD} {after}"
    assert ("CREDIT_DEBIT_NUMBER", len(before) + 1, len(before) + 1 + len(CARD)) in screened(text)


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_every_detection_lies_within_its_text_and_says_nothing_of_it(text: str) -> None:
    for detection in SCREEN.screen(Record(3, (Text("/a", text),))):
        assert 0 <= detection.place.begin < detection.place.end <= len(text)
        assert detection.place.line == 3
        assert 0 <= detection.score <= 1


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_the_way_back_from_the_folded_text_names_each_character_in_order(text: str) -> None:
    view = fold(text)
    spans = [view.span(at, at + 1) for at in range(len(view.text))]
    assert spans == sorted(spans)
    assert all(0 <= begin < end <= len(text) for begin, end in spans)


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_the_same_text_gives_the_same_answer_again(text: str) -> None:
    assert screened(text) == screened(text)


def model_texts() -> st.SearchStrategy[str]:
    model = json.loads((Path(package.__file__).parent / "data" / "jailbreak_model.json").read_text("utf-8"))
    return st.lists(st.sampled_from(sorted(model["weights"])), min_size=1, max_size=90).map(" ".join)


@given(model_texts())
@settings(max_examples=300, deadline=None)
def test_the_shortcut_never_skips_a_text_that_the_full_model_would_flag(text: str) -> None:
    model = LinearModel()
    gain = sum(gain for gram, gain in model.gains.items() if f" {gram} " in f" {text} ")
    if any(score >= model.threshold for score, _, _ in model.windows(text, -1e9)):
        assert model.possible(gain)


def test_no_pattern_can_run_away() -> None:
    begun = time.perf_counter()
    for text in ("a" * 50_000, "1 " * 25_000, "ignore " * 8_000, "=" * 50_000, "@." * 20_000, "-----BEGIN " * 4_000):
        screened(text)
    assert time.perf_counter() - begun < 60


@pytest.mark.parametrize("text", ["", " ", "\x00", "\ud800", "\ufeff", "\u0130" * 40])
def test_odd_texts_are_read_without_complaint(text: str) -> None:
    assert screened(text) == []
