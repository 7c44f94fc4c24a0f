"""Folded text is read in several steps, and each of them folds it: a second fold must change nothing."""

import sys

from tunegate.scan.screen.normalize import fold


def test_folding_what_is_folded_changes_nothing() -> None:
    for confusables in (True, False):
        for point in range(sys.maxunicode + 1):
            once = fold(f"a{chr(point)}b", confusables=confusables).text
            assert fold(once, confusables=confusables).text == once, hex(point)


def test_a_span_leads_back_to_the_characters_that_were_written() -> None:
    view = fold("x\u00a8y\u200bz\ufb01!")
    assert view.text == "x yzfi!"
    assert view.span(1, 2) == (1, 2)
    assert view.span(4, 6) == (5, 6)
