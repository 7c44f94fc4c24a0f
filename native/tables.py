"""The screen's rules as the tables that the sieve reads."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import grams
from automata import OTHER, SYMBOLS, Automaton, Places, of_patterns, of_words
from layout import Tables
from reach import UNBOUNDED, most_words

from tunegate.scan.screen import hidden, identifiers, malware, secrets, turns
from tunegate.scan.screen.attacks import Attack, Attacks
from tunegate.scan.screen.engine import SEAM_MARGIN
from tunegate.scan.screen.normalize import fold, folded
from tunegate.scan.screen.patterns import BETWEEN
from tunegate.scan.screen.secrets import Secret, Secrets
from tunegate.scan.sieve.rules import digest

ROW, SIGN_ROW = 32, 64
"""Classes a row of a table has room for: the place of a state's row is found by a shift."""
PAGE = 256
IDENTITY, UNREAD, SPACE, SCRIPT = 0, 1, 1 << 14, 1 << 15
"""What is said of a character that is no ASCII: it stays, it cannot be told, it is a space, it is of another script.
Larger numbers below SPACE are of what stands for it when folded."""
NO_IDENTIFIER, WITH_DIGITS, WITHOUT_DIGITS = 0, 1, 2
"""Whether a word speaks of an identifier, which has digits or need have none."""
ANCHOR = re.compile(r"(?<![\\\[])[\^$]")
BEYOND = 3
"""Words by which the ends of a match may be further apart, as the sieve counts them: each end may stand within one."""


def write(folder: Path) -> None:
    """Write both files."""
    tables = Tables()
    tables.number("other", OTHER)
    tables.numbers("digest", "u8", digest())
    tables.number("reach", turns.REACH)
    tables.number("most_texts", turns.MAX_TEXTS)
    tables.number("carried_texts", turns.CARRIED)
    tables.number("seam_margin", SEAM_MARGIN)
    tables.numbers("between", "u8", BETWEEN)
    grams.write(tables)
    _signs(tables, separators=_words(tables))
    _folds(tables)
    tables.write(folder)


@dataclass(slots=True)
class Word:
    """What it tells that a word stands in a text: of which rules, as bits.

    `exact`: it has to stand there letter by letter, in lower case; otherwise as it is in the words view.
    """

    exact: bool = False
    keyword: int = 0
    companion: int = 0
    secret: int = 0
    ciphered: bool = False
    identifier: int = NO_IDENTIFIER
    malware: bool = False


def _words(tables: Tables) -> list[str]:
    """All words that rules look for, in one automaton but for those that have no letters, which are given back.

    It tells no digits and no separators apart, and so has few states; where they count, the text is compared.
    """
    attacks, secrets = Attacks().rules, Secrets().rules
    tables.number("attack_rules", len(attacks))
    tables.number("secret_rules", len(secrets))
    tables.bits("attack_alone", [_mask(attacks, lambda rule: not rule.companions)], len(attacks))
    # Where texts are joined by a space, a pattern that may end at the end of a text does not see that end.
    tables.bits(
        "attack_anchored", [_mask(attacks, lambda rule: bool(ANCHOR.search(rule.pattern.source)))], len(attacks)
    )
    tables.numbers("attack_reach", "u32", map(_reach, attacks))
    words = sorted(_all_words(attacks, secrets).items(), key=lambda item: _is_separator(item[0][0]))
    tables.bits("word_keyword", [word.keyword for _, word in words], len(attacks))
    tables.bits("word_companion", [word.companion for _, word in words], len(attacks))
    tables.bits("word_secret", [word.secret for _, word in words], len(secrets))
    tables.numbers("word_of_attack", "u8", [bool(word.keyword | word.companion) for _, word in words])
    tables.numbers("word_ciphered", "u8", [word.ciphered for _, word in words])
    tables.number("with_digits", WITH_DIGITS)
    tables.number("without_digits", WITHOUT_DIGITS)
    tables.numbers("word_identifier", "u8", [word.identifier for _, word in words])
    tables.numbers("word_malware", "u8", [word.malware for _, word in words])
    tables.numbers("word_exact", "u8", [word.exact for _, word in words])
    # Letters are told apart by the automaton; what has only letters and borders of words needs no second look.
    tables.numbers(
        "word_compared",
        "u8",
        [not re.fullmatch("[a-z]*" if word.exact else "[a-z ]*", text) for (text, _), word in words],
    )
    tables.lists("word_text", [text.encode() for (text, _), _ in words])
    merged = [_merged(symbol) for symbol in SYMBOLS]
    lettered = [text for (text, _), _ in words if not _is_separator(text)]
    tables.number("lettered_words", len(lettered))
    automaton = of_words([bytes(merged[byte] for byte in text.encode()) for text in lettered], merged)
    _automaton(tables, "word", automaton)
    tables.numbers("word_differs", "u32", _differing(automaton))
    return [text for (text, _), _ in words if _is_separator(text)]


def _differing(automaton: Automaton) -> Iterator[int]:
    """For each state, as bits, the classes that lead elsewhere than from where one stands behind a space."""
    space = automaton.steps[0][automaton.classes[ord(" ")]]
    for row in automaton.steps:
        yield sum(
            1 << at for at, (to, usual) in enumerate(zip(row, automaton.steps[space], strict=True)) if to != usual
        )


def _is_separator(text: str) -> bool:
    """Whether a word has neither letters nor digits: the automaton of words cannot tell such apart."""
    return not re.search("[a-z0-9]", text)


def _merged(symbol: int) -> int:
    """One digit for all, a space for every character that is none of words, and no upper case."""
    char = chr(symbol).lower() if symbol < OTHER else " "
    return ord("0" if char.isdigit() else char if char.isalpha() else " ")


def _reach(rule: Attack) -> int:
    """How many words a keyword and a companion can be apart."""
    most = None if rule.apart else most_words(rule.pattern.source)
    return UNBOUNDED if most is None else most + BEYOND


def _all_words(attacks: Sequence[Attack], secrets: Sequence[Secret]) -> dict[tuple[str, bool], Word]:
    found: dict[tuple[str, bool], Word] = {}

    def add(text: str, *, exact: bool = False) -> Word:
        return found.setdefault((text, exact), Word(exact))

    for at, rule in enumerate(attacks):
        for text in () if rule.script else rule.keywords:
            add(text).keyword |= 1 << at
        for text in () if rule.script else rule.companions:
            add(text, exact=True).companion |= 1 << at
    for at, secret in enumerate(secrets):
        for text in () if secret.long else filter(str.isascii, secret.keywords):
            add(text, exact=True).secret |= 1 << at
    for text in hidden.CIPHERED:
        add(text).ciphered = True
    # One that is no ASCII is told by its characters (_of_scripts), or folded it has none.
    for text in filter(str.isascii, identifiers.WORDS):
        add(text, exact=True).identifier = WITH_DIGITS
    for text in (*(f" {word}" for word in identifiers.WORD_STARTS), *(f" {word} " for word in identifiers.WHOLE_WORDS)):
        add(text).identifier = WITH_DIGITS
    for text in (*identifiers.BANKS, *(f" {word} " for word in identifiers.WHOLE_BANKS)):
        add(text).identifier = WITHOUT_DIGITS
    add(malware.KEYWORD, exact=True).malware = True
    return found


def _mask[T](rules: Sequence[T], holds: Callable[[T], bool]) -> int:
    return sum(1 << at for at, rule in enumerate(rules) if holds(rule))


def _automaton(tables: Tables, name: str, automaton: Automaton) -> None:
    if max(automaton.classes) >= ROW or len(automaton.steps) >= 1 << 16:
        raise ValueError(f"the automaton of {name}s is too large")
    tables.numbers(f"{name}_classes", "u8", _of_every_byte(automaton.classes))
    tables.numbers(f"{name}_next", "u16", [step for row in automaton.steps for step in (*row, *[0] * (ROW - len(row)))])
    tables.number(f"{name}_quiet", automaton.quiet)
    tables.lists(f"{name}_outputs", automaton.outputs[automaton.quiet :])


def _of_every_byte(classes: Sequence[int]) -> list[int]:
    return [*classes, *[classes[OTHER]] * (256 - len(classes))]


def _signs(tables: Tables, *, separators: Sequence[str]) -> None:
    """The forms that identifiers, long credentials and encodings have, and words without letters."""
    signs = {
        "identifier": identifiers.FORMS,
        "long": secrets.LONG_RUN,
        "encoded": f"{hidden.WRAPPED_BASE64}|{hidden.PERCENT_SIGN}",
        "across": "|".join((hidden.HEX_SIGN, hidden.ENTITY_SIGN, hidden.SPACED_SIGN)),
        "leet": hidden.LEET.source,
        "run": hidden.BASE64_RUN,
    }
    for number, name in enumerate(signs):
        tables.number(f"sign_{name}", number)
    tables.number("sign_separators", len(signs))
    tables.number("run_length", hidden.RUN_LENGTH)
    tables.numbers("leet", "u8", [hidden.LEET_TABLE.get(symbol, symbol) for symbol in range(256)])
    tables.number("shortest_hidden", hidden.SHORTEST)
    tables.number("shortest_identifier", identifiers.SHORTEST)
    _places(tables, of_patterns([*signs.values(), *map(re.escape, separators)]))


def _places(tables: Tables, places: Places) -> None:
    count, classes = len(places.reads), max(places.classes) + 1
    if classes > SIGN_ROW or max(filter(None, places.ends)) >= 16:
        raise ValueError("the signs are too many, or tell too many characters apart")

    def bits(numbers: Iterable[int]) -> int:
        return sum(1 << number for number in numbers)

    tables.number("sign_class_count", classes)
    tables.numbers("sign_classes", "u8", _of_every_byte(places.classes))
    tables.numbers("sign_in_word", "u8", [letter in places.words for letter in range(classes)])
    tables.bits("sign_starts", [bits(places.starts)], count)
    reading = [bits(at for at, read in enumerate(places.reads) if letter in read) for letter in range(classes)]
    tables.bits("sign_reading", reading, count)
    tables.bits("sign_after", [bits(after) for after in places.after], count)
    tables.bits("sign_borders", [bits(at for at, crossed in enumerate(places.crossed) if crossed)], count)
    tables.bits("sign_crossed", [bits(crossed) for crossed in places.crossed], count)
    tables.bits("sign_ends", [bits(at for at, end in enumerate(places.ends) if end is not None)], count)
    tables.numbers("sign_ended", "u8", [end or 0 for end in places.ends])


def _of_scripts() -> frozenset[str]:
    """The characters that words for other scripts are made of, as the rules for these read them."""
    words = (*Attacks().script_keywords, *identifiers.WORDS)
    return frozenset(char for word in words for char in word if not char.isascii())


def _folds(tables: Tables) -> None:
    """What each character is as a reader sees it (normalize.fold)."""
    scripts = _of_scripts()
    texts: dict[str, int] = {}
    pages: dict[tuple[int, ...], int] = {}
    order = []
    for first in range(0, 0x110000, PAGE):
        page = tuple(_folded(chr(point), texts, scripts) for point in range(first, first + PAGE))
        order.append(pages.setdefault(page, len(pages)))
    if len(texts) + UNREAD >= SPACE:
        raise ValueError("too many folds")
    for name, flag in (("identity", IDENTITY), ("unread", UNREAD), ("space", SPACE), ("script", SCRIPT)):
        tables.number(f"fold_{name}", flag)
    tables.numbers("fold_page", "u16", order)
    tables.numbers("fold", "u16", [value for page in pages for value in page])
    tables.lists("fold_text", [(), (), *(text.encode() for text in texts)])


def _folded(char: str, texts: dict[str, int], scripts: frozenset[str]) -> int:
    if char.isascii():
        return IDENTITY
    text, own = folded(char), fold(char, confusables=False).text.lower()
    flags = (SPACE if char.isspace() else 0) | (SCRIPT if not scripts.isdisjoint(own) else 0)
    if "\ud800" <= char <= "\udfff" or not all(one.isascii() or _stays_other(one) for one in text):
        return UNREAD | flags
    return flags | (IDENTITY if text == char else texts.setdefault(text, len(texts) + UNREAD + 1))


def _stays_other(char: str) -> bool:
    """Whether a character that is no ASCII has none in its lower case either."""
    return not any(low.isascii() for low in char.lower())
