"""Telephone numbers: which runs of digits are one, by their form or because the text says so."""

import re
from functools import lru_cache

# Where a national number is tried, by how it begins: only numbers written in groups come this far.
TRUNK_REGIONS = ("GB", "FR", "DE", "JP", "IT", "AU", "NL", "BE", "CH", "AT", "KR", "SE", "IN", "BR", "ZA", "NZ", "IE")
NANP = re.compile(r"(?:(?:\+|00)?1[ .-]?)?(?:\(\d{3}\) ?-?|[1-9]\d{2}[ .-])\d{3}[ .-]\d{4}")
DATE = re.compile(r"(?:\d{4}[ ./-]\d{1,2}[ ./-]\d{1,2}|\d{1,2}[ ./-]\d{1,2}[ ./-]\d{4})")
GROUPS = re.compile(r"\d+")
EXTENSION = re.compile(r" ?(?:x|ext\.?|extension) ?\d{1,6}$")
ONE_SEPARATOR = re.compile(r"^\(?\d+\)?(?:([ .-])\d+(?:\1\d+)*| \d+(?:-\d+)+)?$")


def formed(value: str) -> bool:
    """True where the number's form alone shows a telephone number."""
    number = EXTENSION.sub("", value).strip()
    if number.startswith("+"):
        return _international(number)
    if NANP.fullmatch(number):
        return True
    if number.startswith(("00", "(00")):
        return _international("+" + number.lstrip("(0").strip())
    national = number.startswith(("0", "(0"))
    return national and _grouped(number) and not DATE.match(number) and _valid_somewhere(number)


def spoken(value: str) -> bool:
    """True where the number could be one, given that the text around it speaks of a telephone."""
    number = EXTENSION.sub("", value).strip()
    length = sum(map(len, GROUPS.findall(number)))
    return (
        7 <= length <= 15
        and not DATE.fullmatch(number)
        and "//" not in number
        and not re.fullmatch(r"\d{1,2}(?:[ /]\d{1,2})+", number)
    )


def _grouped(number: str) -> bool:
    groups = GROUPS.findall(number)
    return len(groups) > 1 and all(len(group) > 1 for group in groups[1:]) and bool(ONE_SEPARATOR.match(number))


@lru_cache(4096)
def _international(number: str) -> bool:
    """An E.164 number of a country that exists, of a length it uses. (Allotted or not: people write test numbers.)"""
    import phonenumbers  # takes longer to import than all the rest: only a text with such a number pays for it

    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(parsed)


@lru_cache(4096)
def _valid_somewhere(number: str) -> bool:
    import phonenumbers

    for region in TRUNK_REGIONS:
        try:
            parsed = phonenumbers.parse(number, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number_for_region(parsed, region):
            return True
    return False
