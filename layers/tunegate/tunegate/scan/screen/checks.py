"""Is this really a card, an IBAN, a phone? Checks that a pattern alone cannot make."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module

from tunegate.scan.screen import phones

# Issuer ranges: first digits as (low, high) of one length, with the lengths of number they issue.
CARD_RANGES: tuple[tuple[int, int, range], ...] = (
    (4, 4, range(13, 20)),  # Visa
    (51, 55, range(16, 17)),  # Mastercard
    (2221, 2720, range(16, 17)),  # Mastercard, 2-series
    (34, 34, range(15, 16)),  # American Express
    (37, 37, range(15, 16)),
    (300, 305, range(14, 20)),  # Diners Club
    (3095, 3095, range(14, 20)),
    (36, 36, range(14, 20)),
    (38, 39, range(14, 20)),
    (6011, 6011, range(16, 20)),  # Discover
    (644, 659, range(16, 20)),
    (35, 35, range(16, 20)),  # JCB
    (1800, 1800, range(15, 16)),
    (2131, 2131, range(15, 16)),
    (62, 62, range(16, 20)),  # UnionPay
    (2200, 2204, range(16, 20)),  # Mir
    (5018, 5038, range(12, 20)),  # Maestro
    (56, 58, range(12, 20)),
    (6304, 6304, range(12, 20)),
    (6759, 6763, range(12, 20)),
    (60, 60, range(16, 17)),  # RuPay, Hipercard and others
    (508, 508, range(16, 17)),
    (81, 82, range(16, 17)),
)
NINO_NEVER = ("BG", "GB", "NK", "KN", "TN", "NT")
VIN_VALUES = {
    **{str(d): d for d in range(10)},
    **dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "12345678123457923456789"), strict=True)),
}
VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
DIGITS = re.compile(r"\D")
PART_LENGTH = re.compile(r"(\d+)!")


@cache
def _valid(module: str) -> Callable[[str], bool]:
    """The `is_valid` of one module of python-stdnum, imported when first asked for."""
    valid: Callable[[str], bool] = import_module(f"stdnum.{module}").is_valid
    return valid


def _luhn(number: str) -> bool:
    return _valid("luhn")(number)


def digits(value: str) -> str:
    return DIGITS.sub("", value)


def card(value: str) -> bool:
    """Luhn, an issuer's range and length, one kind of separator, and not one digit over and over."""
    number = digits(value)
    if len({char for char in value if not char.isdigit()}) > 1 or len(set(number)) < 2:
        return False
    issued = any(
        low <= int(number[: len(str(low))]) <= high and len(number) in lengths for low, high, lengths in CARD_RANGES
    )
    return issued and _luhn(number)


def luhn_only(value: str) -> bool:
    """A card of whatever issuer: enough where the text says that it is one."""
    number = digits(value)
    return 12 <= len(number) <= 19 and len(set(number)) > 1 and _luhn(number)


def bank_code(value: str) -> int:
    """How many characters of `value` are an IBAN with its country's length and check digits; 0 where none are."""
    from stdnum import iban  # as with telephone numbers, only a text that holds one pays for the import

    positions = [at for at, char in enumerate(value) if char not in " -"]
    bare = "".join([value[at] for at in positions]).upper()
    length = _bank_code_length(bare[:2])
    if length and iban.is_valid(bare[:length], check_country=False):
        return positions[length - 1] + 1
    return 0


@cache
def _bank_code_length(country: str) -> int:
    """How long the country's IBANs are; 0 where it has none. The registry gives their parts, such as `4!a6!n8!n`."""
    from stdnum import iban

    known: Mapping[str, str] = iban._ibandb.info(country)[0][1]  # python-stdnum has no public name for its table
    return 4 + sum(map(int, PART_LENGTH.findall(known["bban"]))) if known else 0


def ssn(value: str) -> bool:
    number = digits(value)
    return not (number[:3] in ("000", "666") or number[0] == "9" or number[3:5] == "00" or number[5:] == "0000")


def email(value: str) -> bool:
    """Not a remote of a version control system, nor a file name such as icon@2x.png."""
    local, _, domain = value.rpartition("@")
    return local.lower() != "git" and domain.rpartition(".")[2].lower() not in (
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "py",
        "js",
        "webp",
    )


def ipv4(value: str) -> bool:
    """An address of some machine: no loopback, netmask or multicast, and no section number like 1.2.3.4."""
    octets = [int(part) for part in value.split(".")]
    if any(len(part) > 1 and part[0] == "0" for part in value.split(".")):
        return False
    return octets[0] not in (0, 127) and octets[0] < 224 and max(octets) > 9


def ipv6(value: str) -> bool:
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return (
        not (address.is_loopback or address.is_unspecified)
        and value.count(":") > 2
        and any(char.isdigit() for char in value)
    )


def mac(value: str) -> bool:
    return len(set(value.replace("-", ":").replace(".", ":").lower().split(":"))) > 1


def nino(value: str) -> bool:
    return value[:2].upper() not in NINO_NEVER


def my_number(value: str) -> bool:
    """Japan's individual number: eleven digits and a check digit modulo 11 (Ministry of Internal Affairs, 2014)."""
    number = digits(value)
    weighted = sum(int(digit) * (n + 1 if n <= 6 else n - 5) for n, digit in enumerate(reversed(number[:11]), 1))
    rest = weighted % 11
    return len(set(number)) > 1 and int(number[11]) == (0 if rest <= 1 else 11 - rest)


def nric(value: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(value[1:8], (2, 7, 6, 5, 4, 3, 2), strict=True))
    total += {"T": 4, "G": 4, "M": 3}.get(value[0], 0)
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "M": "XWUTRQPNJLK"}.get(value[0], "XWUTRQPNMLK")
    at = total % 11
    return value[8] == (letters[10 - at] if value[0] == "M" else letters[at])


def tw_id(value: str) -> bool:
    letter = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(value[0]) + 10
    number = [letter // 10, letter % 10, *map(int, value[1:])]
    return (
        sum(digit * weight for digit, weight in zip(number, (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1), strict=True)) % 10 == 0
    )


def medicare(value: str) -> bool:
    number = digits(value)
    return (
        int(number[8])
        == sum(int(digit) * weight for digit, weight in zip(number[:8], (1, 3, 7, 9, 1, 3, 7, 9), strict=True)) % 10
    )


def npi(value: str) -> bool:
    return _luhn("80840" + value)


def dea(value: str) -> bool:
    d = [int(digit) for digit in value[2:]]
    return (d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10 == d[6]


def vin(value: str) -> bool:
    """The check digit of North American vehicles; nine digits in ten of other strings fail it."""
    if value.isdigit() or value.isalpha() or len(set(value)) < 6:
        return False
    rest = sum(VIN_VALUES[char] * weight for char, weight in zip(value, VIN_WEIGHTS, strict=True)) % 11
    return value[8] == ("X" if rest == 10 else str(rest))


def bank_account(value: str) -> bool:
    number = digits(value)
    return 6 <= len(number) <= 17 and len(set(number)) > 1


def has_digits(value: str) -> bool:
    return len(digits(value)) >= 5


NAMED: Mapping[str, Callable[[str], bool]] = {
    check.__name__: check
    for check in (
        card,
        luhn_only,
        ssn,
        email,
        ipv4,
        ipv6,
        mac,
        nino,
        my_number,
        nric,
        tw_id,
        medicare,
        npi,
        dea,
        vin,
        bank_account,
        has_digits,
    )
} | {"phone": phones.formed, "phone_spoken": phones.spoken}


def named(name: str) -> Callable[[str], bool]:
    """The check of that name in identifiers.toml."""
    if not name.startswith("stdnum:"):
        return NAMED[name]
    module = name.removeprefix("stdnum:")

    def check(value: str) -> bool:
        return len(set(digits(value))) > 1 and bool(_valid(module)(value))

    return check
