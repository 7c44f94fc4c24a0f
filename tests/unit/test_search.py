"""The search for texts that hold something: nothing is left out, and little is paid for."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.model import Category
from tunegate.prices import PRICES
from tunegate.scan.answers import Answer, Seen
from tunegate.scan.packs import SEPARATOR, Pack
from tunegate.scan.search import Search
from tunegate.scan.splits import splits_for

LIMIT = 2_000
MARKS = {"*": "NAME", "#": "PHONE"}


@dataclass
class Marks:
    """Finds the characters of `MARKS`."""

    asked: list[str] = field(default_factory=list)
    located: list[str] = field(default_factory=list)

    def types_in(self, document: str) -> frozenset[str]:
        assert len(document.encode()) <= LIMIT
        self.asked.append(document)
        return frozenset(kind for mark, kind in MARKS.items() if mark in document)

    def locate(self, pack: Pack) -> list[Answer]:
        self.located.append(pack.document)
        return [_marks(text) for text in pack.texts]

    @property
    def price(self) -> float:
        ask, locate = PRICES["ContainsPiiEntities"], PRICES["DetectPiiEntities"]
        return sum(ask.of(len(each)) for each in self.asked) + sum(locate.of(len(each)) for each in self.located)


def _marks(text: str) -> Answer:
    return tuple(
        Seen(Category.PII, MARKS[character], 0, at, at + 1, 1.0, "comprehend")
        for at, character in enumerate(text)
        if character in MARKS
    )


def search(texts: Sequence[str], oracle: Marks, share: float = 0.01) -> list[Answer]:
    """The answer for each text."""
    searching = Search(oracle, LIMIT, share, 100)
    answers: dict[bytes, Answer] = {}
    for number, text in enumerate(texts):
        answers.update(searching.add((number.to_bytes(4), text)))
    answers.update(searching.finish())
    assert len(answers) == len(texts)
    return [answers[number.to_bytes(4)] for number in range(len(texts))]


TEXTS = st.lists(st.text(alphabet="ab é*#", min_size=1, max_size=700), max_size=40)


@given(TEXTS, st.floats(0.0001, 0.99))
def test_every_text_gets_the_answer_it_would_have_got_alone(texts: list[str], share: float) -> None:
    assert search(texts, Marks(), share) == [_marks(text) for text in texts]


@given(TEXTS)
def test_every_text_is_asked_about(texts: list[str]) -> None:
    oracle = Marks()
    search(texts, oracle)
    asked = {text for document in oracle.asked for text in document.split(SEPARATOR)}
    assert asked == set(texts)


def test_a_pack_that_holds_something_ends_in_a_text_that_does_even_if_its_parts_deny_it() -> None:
    class Changing(Marks):
        """Sees a mark only among neighbours: the risk of asking a model."""

        def types_in(self, document: str) -> frozenset[str]:
            return super().types_in(document) if SEPARATOR in document else frozenset()

    texts = ["a" * 299 for _ in range(9)]
    texts[4] = "*" + texts[4]
    oracle = Changing()
    search(texts, oracle)
    assert oracle.located


def test_a_type_said_of_a_pack_and_not_of_its_first_part_is_looked_for_in_the_rest() -> None:
    texts = ["a" * 299 for _ in range(8)]
    texts[0], texts[7] = "*" + texts[0], "#" + texts[7]
    assert search(texts, Marks()) == [_marks(text) for text in texts]


def test_a_clean_pack_costs_one_cheap_request() -> None:
    oracle = Marks()
    search(["abc"] * 50, oracle)
    assert (len(oracle.asked), oracle.located) == (1, [])


@pytest.mark.parametrize(("every", "most"), [(100, 1 / 25), (1_000, 1 / 40), (10, 1 / 6), (1, 1.03)])
def test_the_price_against_locating_in_each_text(every: int, most: float) -> None:
    lengths = random.Random(1)  # noqa: S311  (the same lengths each time)
    texts = ["a" * lengths.randrange(300, 900) for _ in range(4_000)]
    for number in range(every // 2, len(texts), every):
        texts[number] += "*"
    oracle = Marks()
    search(texts, oracle)
    alone = sum(PRICES["DetectPiiEntities"].of(len(text)) for text in texts)
    assert oracle.price / alone <= most


def test_packs_grow_as_less_is_found_and_fit_a_document() -> None:
    packs = [splits_for(share, 500).pack for share in (0.3, 0.1, 0.01, 0.001, 0.00001)]
    assert packs == sorted(packs)
    assert packs[0] == 1
