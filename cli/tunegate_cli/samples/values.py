"""Sensitive values that belong to nobody: made from a seed, valid by their own check digits.

They are put together when the samples are made, so that no file of this repository holds one, and a scanner of
repositories finds nothing here.
"""

import base64
import hashlib
from itertools import cycle

BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_LETTERS_AS_NUMBERS = {chr(ord("A") + i): str(10 + i) for i in range(26)}


def number(seed: str, low: int, high: int) -> int:
    """A whole number in [low, high], the same for the same seed on every machine."""
    return low + int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]) % (high - low + 1)


def characters(seed: str, alphabet: str, length: int) -> str:
    return "".join(alphabet[number(f"{seed}/{i}", 0, len(alphabet) - 1)] for i in range(length))


def digits(seed: str, length: int) -> str:
    return characters(seed, "0123456789", length)


def ssn(seed: str) -> str:
    """A US social security number in a range that is issued: area not 000, 666 or 900 and above."""
    return f"{number(seed + 'a', 100, 665):03}-{number(seed + 'g', 1, 99):02}-{number(seed + 's', 1, 9999):04}"


def card(seed: str, begins: str, length: int = 16) -> str:
    """A payment card number with Luhn's check digit, in groups of four."""
    body = begins + digits(seed, length - len(begins) - 1)
    doubled = [int(d) * (2 - i % 2) for i, d in enumerate(reversed(body))]
    total = sum(value - 9 if value > 9 else value for value in doubled)
    whole = body + str(-total % 10)
    return " ".join(whole[i : i + 4] for i in range(0, length, 4))


def iban(seed: str, country: str) -> str:
    """An IBAN with its check digits (ISO 13616: mod 97 of the rearranged number is 1)."""
    account = {"GB": "NWBK" + digits(seed, 14), "DE": digits(seed, 18), "ES": _spanish_account(seed)}[country]
    rearranged = "".join(_LETTERS_AS_NUMBERS.get(c, c) for c in account + country + "00")
    whole = f"{country}{98 - int(rearranged) % 97:02}{account}"
    return " ".join(whole[i : i + 4] for i in range(0, len(whole), 4))


def _spanish_account(seed: str) -> str:
    bank, account = digits(seed + "b", 8), digits(seed + "a", 10)
    return bank + _spanish_check("00" + bank) + _spanish_check(account) + account


def _spanish_check(ten: str) -> str:
    remainder = 11 - sum(int(d) * 2**i % 11 for i, d in enumerate(ten)) % 11
    return {10: "1", 11: "0"}.get(remainder, str(remainder))


def dni(seed: str) -> str:
    """A Spanish national identity number with its letter."""
    whole = number(seed, 10_000_000, 99_999_999)
    return f"{whole}{_DNI_LETTERS[whole % 23]}"


def my_number(seed: str) -> str:
    """A Japanese individual number: eleven digits and a check digit (Ordinance 85 of 2014, article 5)."""
    body = digits(seed, 11)
    weights = (n + 1 if n <= 6 else n - 5 for n in range(1, 12))
    remainder = sum(int(d) * w for d, w in zip(reversed(body), weights, strict=True)) % 11
    return body + str(0 if remainder <= 1 else 11 - remainder)


def aws_key_pair(seed: str) -> tuple[str, str]:
    """An access key id and a secret access key, in the form of AWS's own."""
    return "AK" + "IA" + characters(seed, BASE32, 16), characters(seed + "/secret", ALPHANUMERIC + "/+", 40)


def github_token(seed: str) -> str:
    return "gh" + "p_" + characters(seed, ALPHANUMERIC, 36)


def private_key(seed: str) -> str:
    """A PEM block that looks like an RSA key and is none."""
    kind = " ".join(("RSA", "PRIVATE", "KEY"))
    body = base64.b64encode(b"".join(hashlib.sha512(f"{seed}/{i}".encode()).digest() for i in range(6))).decode()
    lines = "\n".join(body[i : i + 64] for i in range(0, len(body), 64))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----"


LOOKALIKES = str.maketrans("aceopxyiAEOPCTHKMB", "асеорхуіАЕОРСТНКМВ")  # noqa: RUF001  (Cyrillic, and meant to be)
ZERO_WIDTH = ("\u200b", "\u200c", "\u2060")


def in_lookalikes(text: str) -> str:
    """Latin letters replaced by Cyrillic ones that look the same."""
    return text.translate(LOOKALIKES)


def with_zero_width(text: str) -> str:
    """An invisible character after each letter."""
    return "".join(c + mark if c.isalpha() else c for c, mark in zip(text, cycle(ZERO_WIDTH), strict=False))
