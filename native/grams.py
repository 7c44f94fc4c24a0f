"""The tables of grams.zig: the words of the linear model, found by their hashes."""

import string

from layout import Tables

from tunegate.scan.screen.linear import LinearModel

TOKEN_BYTES = string.ascii_letters + string.digits
HASH_BITS, PRIME, SEED, SMALL_PRIME = 64, 0x100000001B3, 0xCBF29CE484222325, 0x9E3779B1
"""Of the model's words: FNV-1a. Of its pairs: by multiplication."""


def write(tables: Tables) -> None:
    """The words and pairs of words that the model gives a positive weight, and how they are found by their hashes."""
    model = LinearModel()
    tables.number("least_gain", repr(model.least_gain))
    tables.numbers("gram_gain", "f64", model.gains.values())
    gram = {text: number for number, text in enumerate(model.gains, 1)}
    words = sorted({word for text in gram for word in text.split()})
    tables.numbers("token_gram", "u16", [0, *(gram.get(word, 0) for word in words)])
    tables.numbers(
        "token_byte", "u8", [ord(chr(byte).lower()) if chr(byte) in TOKEN_BYTES else 0 for byte in range(256)]
    )
    tables.number("token_seed", SEED)
    tables.number("token_prime", PRIME)
    _slots(tables, "token", "hash", "number", {_fnv(word): at for at, word in enumerate(words, 1)}, HASH_BITS, None)
    pairs = {(*text.split(),): number for text, number in gram.items() if " " in text}
    opens, closes = ({word: at for at, word in enumerate(dict.fromkeys(side), 1)} for side in zip(*pairs, strict=True))
    tables.numbers("token_opens", "u16", [0, *(opens.get(word, 0) for word in words)])
    tables.numbers("token_closes", "u16", [0, *(closes.get(word, 0) for word in words)])
    row_bytes = len(closes) // 8 + 1
    tables.number("pair_row_bytes", row_bytes)
    found = {(opens[first], closes[second]): number for (first, second), number in pairs.items()}
    rows = [sum(1 << second for first, second in found if first == at) for at in range(len(opens) + 1)]
    tables.numbers("pair_bits", "u8", b"".join(row.to_bytes(row_bytes, "little") for row in rows))
    tables.number("pair_prime", SMALL_PRIME)
    keys = {first << 16 | second: number for (first, second), number in found.items()}
    _slots(tables, "pair", "key", "gram", keys, 32, SMALL_PRIME)


def _fnv(word: str) -> int:
    """FNV-1a, of 64 bits."""
    found = SEED
    for byte in word.encode():
        found = (found ^ byte) * PRIME % (1 << HASH_BITS)
    return found


def _slots(
    tables: Tables, name: str, key: str, value: str, entries: dict[int, int], bits: int, prime: int | None
) -> None:
    """A table in which a key stands at its first bits, times `prime`, or the next free place; a quarter is full."""
    slot_bits = (4 * len(entries) - 1).bit_length()
    size = 1 << slot_bits
    keys, values = [0] * size, [0] * size
    for found, number in entries.items():
        at = (found * (prime or 1) % (1 << bits)) >> bits - slot_bits
        while keys[at]:
            at = (at + 1) % size
        keys[at], values[at] = found, number
    tables.number(f"{name}_slot_bits", slot_bits)
    tables.numbers(f"{name}_{key}", f"u{bits}", keys)
    tables.numbers(f"{name}_{value}", "u16", values)
