"""A rule is asked only of what is around its words: no match of it may reach further than its pattern is said to."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reach import most_words

from tunegate.scan.screen.attacks import Attack, Attacks

WORD = re.compile(r"\w+", re.ASCII)
BOUNDED = [rule for rule in Attacks().rules if not rule.script and most_words(rule.pattern.source) is not None]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", 0),
        (r"\W+", 0),
        (r"ignore", 1),
        (r"\w+", 1),
        (r"\bignore all\b", 2),
        (r"a|b c|d", 2),
        (r"(?:[^\w]+\w+){0,4}x", 4),
        (r"(?:[^\w]+\w+){0,4} x", 5),
        (r"a.{0,4}b", 3),
        (r"(?:\w+ )*x", None),
        (r"(?:ab)+", 1),
        (r"(?:a ){3,}", None),
        (r"x.*", None),
    ],
)
def test_the_most_words_of_a_match(pattern: str, words: int | None) -> None:
    assert most_words(pattern) == words


@given(st.sampled_from(BOUNDED), st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_match_of_a_rule_holds_more_words_than_its_pattern_allows(rule: Attack, data: st.DataObject) -> None:
    match = data.draw(st.from_regex(rule.pattern.source, fullmatch=True, alphabet=st.characters(codec="ascii")))
    most = most_words(rule.pattern.source)
    assert most is not None
    assert len(WORD.findall(match)) <= most


def test_most_rules_have_a_limit() -> None:
    assert len(BOUNDED) > 60
