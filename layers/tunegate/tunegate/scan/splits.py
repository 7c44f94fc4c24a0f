"""How to find the few texts with sensitive data among many for the least money: group testing with prices.

`ContainsPiiEntities` says of a document whether anything is in it, for a fiftieth of what `DetectPiiEntities` takes to
say where. Both bill by the character, so a large pack is no cheaper to ask about than its parts, save for rounding and
requests; but each time something is found the parts are paid for again. What pack is best, and where a positive one is
best cut, follow from the prices and from the share of blocks that hold something: a small dynamic program.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import log2

from tunegate.prices import PRICES, Price
from tunegate.scan.packs import SEPARATOR

MOST_BLOCKS = 333
"""A document of 100,000 bytes holds no more blocks of 300 characters, the least that a request is billed for."""
REQUEST_DOLLARS = 0.00001
"""What a request is taken to cost besides its units: a tenth of a second of Lambda (a sixth of this), and its share of
a rate that AWS does not publish. It costs 2 % more money than counting units alone, and saves 30 % of the requests."""
_ASK, _LOCATE = PRICES["ContainsPiiEntities"], PRICES["DetectPiiEntities"]


@dataclass(frozen=True, slots=True)
class Splits:
    """`pack`: blocks to ask about at once. `cuts[k]`: of k blocks among which something is, ask of the first so many;
    0 means to locate in all of them, which is cheaper then."""

    pack: int
    cuts: tuple[int, ...]


def splits_for(share: float, characters: float) -> Splits:
    """The cheapest way where this share of blocks holds something and a block has so many characters on average."""
    # Rounded to steps of a fifth of their logarithm: the plan barely changes in between, and is kept.
    return _splits(_rounded(min(share, 0.99)), _rounded(characters))


def _rounded(value: float) -> float:
    return float(2 ** (round(5 * log2(value)) / 5))


@lru_cache(maxsize=256)
def _splits(share: float, characters: float) -> Splits:
    """Dynamic program over the number of blocks, each holding something with chance `share` on its own.

    found[k]: dollars to resolve k blocks among which something is known to be; fresh[k]: k of which nothing is known.
    Cuts are powers of two, as in Hwang's generalized binary splitting; others gain next to nothing.
    """
    most = max(1, min(MOST_BLOCKS, int(100_000 / (characters + len(SEPARATOR)))))
    clean = [(1 - share) ** k for k in range(most + 1)]
    found, fresh, cuts = [0.0], [0.0], [0]
    for k in range(1, most + 1):
        best, cut = _request(_LOCATE, k, characters), 0
        j = 1
        while j < k:
            left = (1 - clean[j]) / (1 - clean[k])
            price = _request(_ASK, j, characters) + left * (found[j] + fresh[k - j]) + (1 - left) * found[k - j]
            if price < best:
                best, cut = price, j
            j *= 2
        found.append(best)
        cuts.append(cut)
        fresh.append(_request(_ASK, k, characters) + (1 - clean[k]) * best)
    pack = min(range(1, most + 1), key=lambda k: fresh[k] / k)
    return Splits(pack, tuple(cuts))


def _request(price: Price, blocks: int, characters: float) -> float:
    # Lengths vary, so rounding up to whole units costs half of one on average.
    units = max(price.least, blocks * (characters + len(SEPARATOR)) / price.characters + 0.5)
    return units * price.dollars + REQUEST_DOLLARS
