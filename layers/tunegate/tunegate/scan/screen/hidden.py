"""Text that hides in text: encodings and spellings that a model reads and a plain search does not."""

import base64
import binascii
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from tunegate.scan.screen.patterns import Pattern, compile_all

BASE64 = Pattern(r"[A-Za-z0-9+/_-]{16,}(?:\r?\n[A-Za-z0-9+/_-]{4,})*={0,2}")
HEX = Pattern(r"(?:0x)?(?:[0-9A-Fa-f]{2}[ :]?){16,}|(?:\\x[0-9A-Fa-f]{2}){8,}")
PERCENT = Pattern(r"(?:%[0-9A-Fa-f]{2}[^\s%]{0,8}){6,}")
ENTITY = Pattern(r"(?:&#(?:x[0-9A-Fa-f]{2,4}|\d{2,5});[^\n&]{0,8}){6,}")
SPACED = Pattern(r"\b[A-Za-z0-9](?:[ .\-_*|/+~]{1,3}[A-Za-z0-9]\b){9,}")
LEET = Pattern(r"(?i)[a-z][013457@$!|]{1,2}[a-z]")
LEET_TABLE = str.maketrans("013457@$!|", "oieastasil")
_LEET_BYTES = bytes(LEET_TABLE.get(byte, byte) for byte in range(256))
GAP = re.compile(r"[ .\-_*|/+~]{2,}")
SEPARATORS = str.maketrans("", "", " .-_*|/+~")
# Letters run together are cut at the words that attacks are made of; the rest of the phrase does not matter.
RUN_TOGETHER = Pattern(
    r"(?i)(ignore|disregard|forget|override|bypass|reveal|repeat|print|output|show|tell|give|pretend|respond|everything|anything|"
    r"previous|prior|above|earlier|instructions?|prompts?|system|rules|guidelines|commands|restrictions|filters|policies|"
    r"developer|jailbreak|mode|without|you|your|are|now|all|any|the|and|new|me|do|act|as|dan|no|what|is|how|to|make|of|in)",
    captures=True,
)
SHARE_PRINTABLE = 0.9
# Words that only make sense once the letters are turned round or moved thirteen places.
ROT13_WORDS = ("vafgehpgvba", "cebzcg", "vtaber", "wnvyoernx", "cnffjbeq")
REVERSED_WORDS = ("snoitcurtsni", "tpmorp", "erongi", "kaerbliaj", "drowssap")
CIPHERED = ROT13_WORDS + REVERSED_WORDS


@dataclass(frozen=True, slots=True)
class Piece:
    """What was hidden, and where in the text it hides. `attacks_only`: too loose a reading to look for numbers in."""

    text: str
    begin: int
    end: int
    attacks_only: bool = False


def pieces(text: str, lowered: str) -> Iterator[Piece]:
    """Everything hidden in `text` (folded); `lowered` is the same in lower case."""
    # All of them: a limit would be a number of decoys to put before an attack.
    for kind in SIGNS.Match(text) or ():
        yield from READERS[kind](text)
    yield from deciphered(text, lowered)


def _base64(text: str) -> Iterator[Piece]:
    for begin, end in BASE64.spans(text):
        decoded = from_base64(text[begin:end])
        if decoded:
            yield Piece(decoded, begin, end)


def _hex(text: str) -> Iterator[Piece]:
    for begin, end in HEX.spans(text):
        decoded = _printable(_from_hex(text[begin:end]))
        if decoded:
            yield Piece(decoded, begin, end)


def _percent(text: str) -> Iterator[Piece]:
    for begin, end in PERCENT.spans(text):
        yield Piece(unquote(text[begin:end]), begin, end, attacks_only=True)


def _entities(text: str) -> Iterator[Piece]:
    import html  # its table of names is large, and few texts have entities

    for begin, end in ENTITY.spans(text):
        yield Piece(html.unescape(text[begin:end]), begin, end)


def _spaced(text: str) -> Iterator[Piece]:
    for begin, end in SPACED.spans(text):
        words = [word.translate(SEPARATORS) for word in GAP.split(text[begin:end])]
        if len(words) == 1:
            words = [RUN_TOGETHER.sub(r" \1 ", words[0])]
        yield Piece(" ".join(" ".join(words).split()), begin, end, attacks_only=True)


def _leet(text: str) -> Iterator[Piece]:
    found = list(LEET.spans(text))
    if len(found) > 1:
        yield Piece(_as_letters(text), found[0][0], found[-1][1], attacks_only=True)


def _as_letters(text: str) -> str:
    """Figures read as the letters they look like; bytes are translated far faster than characters."""
    return text.encode().translate(_LEET_BYTES).decode()


def deciphered(text: str, lowered: str) -> Iterator[Piece]:
    if any(word in lowered for word in ROT13_WORDS):
        yield Piece(codecs.encode(text, "rot13"), 0, len(text), attacks_only=True)
    if any(word in lowered for word in REVERSED_WORDS):
        yield Piece(text[::-1], 0, len(text), attacks_only=True)


def from_base64(encoded: str) -> str | None:
    """The text that base64 (standard or URL-safe, padded or not, wrapped or not) stands for, if it is text."""
    if encoded.lower() == encoded or encoded.upper() == encoded or not _begins_as_text(encoded):
        return None
    bare = re.sub(r"[\r\n=]", "", encoded).replace("-", "+").replace("_", "/")
    bare = bare[: len(bare) - (len(bare) % 4 == 1)]
    try:
        return _printable(base64.b64decode(bare + "=" * (-len(bare) % 4)))
    except binascii.Error:
        return None


_STANDARD = bytes.maketrans(b"-_", b"+/")


def _begins_as_text(encoded: str) -> bool:
    """Whether the first characters of base64 could stand for text: of most that looks like base64 they do not."""
    begin = binascii.a2b_base64(encoded[:RUN_LENGTH].encode().translate(_STANDARD))
    try:
        begin.decode("utf-8")
    except UnicodeDecodeError as error:
        # The last character may be cut off. UTF-16 that counts as text is ASCII, and so is valid UTF-8.
        return error.reason == "unexpected end of data"
    return True


def _from_hex(encoded: str) -> bytes:
    bare = re.sub(r"0x|\\x|[ :]", "", encoded)
    return bytes.fromhex(bare[: len(bare) // 2 * 2])


def _printable(content: bytes) -> str | None:
    """`content` as text, UTF-8 or UTF-16, where nearly all of it can be read."""
    for coding in ("utf-8", "utf-16-le"):
        try:
            text = content.decode(coding)
        except UnicodeDecodeError:
            continue
        if len(text) < 6 or (coding != "utf-8" and not text.isascii()):
            continue
        readable = sum(char.isprintable() or char in "\r\n\t" for char in text)
        if readable >= SHARE_PRINTABLE * len(text):
            return text
    return None


SHORTEST = 6
"""Characters of a text in which something hides: two of LEET, or a word of CIPHERED."""
# What each reader needs to find anything.
RUN_LENGTH = 16
BASE64_RUN = f"[A-Za-z0-9+/_-]{{{RUN_LENGTH}}}"
# With a capital among them: what is all of one case is no base64 (see from_base64).
_CAPITAL_RUN = "|".join(
    f"[a-z0-9+/_-]{{{at}}}[A-Z][A-Za-z0-9+/_-]{{{RUN_LENGTH - 1 - at}}}" for at in range(RUN_LENGTH)
)
WRAPPED_BASE64 = rf"[a-z0-9+/_-]{{{RUN_LENGTH}}}\r?\n[A-Za-z0-9+/_-]{{4}}"  # or the capital stands in a later line
_BASE64 = f"{_CAPITAL_RUN}|{WRAPPED_BASE64}"
HEX_SIGN = r"(?:[0-9A-Fa-f]{2}[ :]?){16}|(?:\\x[0-9A-Fa-f]{2}){8}"
PERCENT_SIGN = r"(?:%[0-9A-Fa-f]{2}[^\s%]{0,8}){6}"
ENTITY_SIGN = r"(?:&#(?:x[0-9A-Fa-f]{2,4}|\d{2,5});[^\n&]{0,8}){6}"
SPACED_SIGN = r"\b[A-Za-z0-9](?:[ .\-_*|/+~]{1,3}[A-Za-z0-9]\b){9}"
SIGNS = compile_all(
    (_BASE64, HEX_SIGN, PERCENT_SIGN, ENTITY_SIGN, SPACED_SIGN, f"{LEET.source}(?s:.)*{LEET.source}"),
)
READERS = (_base64, _hex, _percent, _entities, _spaced, _leet)
