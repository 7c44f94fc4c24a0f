"""The search for the texts that hold something, among many that hold nothing, with as few paid characters as can be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tunegate.scan.answers import Answer
from tunegate.scan.packs import SEPARATOR, Pack, utf8_length
from tunegate.scan.splits import splits_for

LEAST_CHARACTERS = 300
"""A request bills at least three units of 100: shorter texts that fit one request are never told apart by asking."""
MOST_REMEMBERED = 1_000
"""Blocks after which what was seen first counts half, so that the estimate follows the file."""

type Item = tuple[bytes, str]
"""A text and the key its answer goes by."""
type Answered = tuple[bytes, Answer]


class Oracle(Protocol):
    """Who is asked. Both may be wrong in the way of models: see `Search`."""

    def types_in(self, document: str) -> frozenset[str]:
        """The types of what is anywhere in a document: the cheap question."""
        ...

    def locate(self, pack: Pack) -> list[Answer]:
        """What is in each text of a pack: the dear question."""
        ...


@dataclass(slots=True)
class Block:
    """The smallest thing to ask about: one text, or several short ones that together bill no more than one."""

    items: list[Item] = field(default_factory=list)
    characters: int = 0
    size: int = 0

    def add(self, item: Item) -> None:
        self.items.append(item)
        self.characters += len(item[1]) + len(SEPARATOR)
        self.size += utf8_length(item[1]) + len(SEPARATOR)

    def takes(self, text: str) -> bool:
        return not self.items or self.characters + len(text) <= LEAST_CHARACTERS


class Search:
    """Packs texts, asks about the packs, and cuts those that hold something until locating is worth its price.

    Every text is part of at least one document the oracle answers for. A pack that holds nothing clears its texts.
    Where something is in a pack and not in its first part, it must be in the rest, which is then not asked about but
    searched as one that holds something: so a pack that holds something always ends with a text being located,
    whatever the oracle says of the parts. The same is true of each type that the pack is said to hold.

    `share` is the share of blocks expected to hold something, which `weight` blocks' worth of evidence overrules.
    `limit` is a document's most UTF-8 bytes.
    """

    def __init__(self, oracle: Oracle, limit: int, share: float, weight: float) -> None:
        self._oracle = oracle
        self._limit = limit
        self._hits, self._seen = share * weight, weight
        self._characters = 0.0
        self._blocks: list[Block] = []
        self._size = 0

    def add(self, item: Item) -> Iterator[Answered]:
        size = utf8_length(item[1]) + len(SEPARATOR)
        if self._size + size > self._limit:
            yield from self.finish()
        if not self._blocks or not self._blocks[-1].takes(item[1]):
            # The last block is complete only now, so a pack is sent when the next one begins.
            if len(self._blocks) >= self._pack():
                yield from self.finish()
            self._blocks.append(Block())
        self._blocks[-1].add(item)
        self._size += size

    def finish(self) -> Iterator[Answered]:
        blocks, self._blocks, self._size = self._blocks, [], 0
        if blocks:
            self._learn(len(blocks), sum(block.characters for block in blocks))
            yield from self._ask(blocks)

    def _pack(self) -> int:
        return splits_for(self._hits / self._seen, self._mean()).pack

    def _mean(self) -> float:
        mean = self._characters or sum(block.characters for block in self._blocks) / max(len(self._blocks), 1)
        return max(mean, LEAST_CHARACTERS)

    def _learn(self, blocks: int, characters: int) -> None:
        self._seen += blocks
        if self._seen > MOST_REMEMBERED:
            self._hits, self._seen = self._hits / 2, self._seen / 2
        self._characters = (
            0.9 * self._characters + 0.1 * characters / blocks if self._characters else characters / blocks
        )

    def _ask(self, blocks: Sequence[Block]) -> Iterator[Answered]:
        if types := self._types_in(blocks):
            yield from self._cut(blocks, types)
        else:
            yield from _clear(blocks)

    def _cut(self, blocks: Sequence[Block], types: frozenset[str]) -> Iterator[Answered]:
        """The answers for blocks among which something of these types is."""
        cuts = splits_for(self._hits / self._seen, self._mean()).cuts
        cut = cuts[len(blocks)] if len(blocks) < len(cuts) else len(blocks) // 2
        if not cut:
            yield from self._locate(blocks)
            return
        first, rest = blocks[:cut], blocks[cut:]
        if found := self._types_in(first):
            yield from self._cut(first, found)
        else:
            yield from _clear(first)
        if missing := types - found:
            yield from self._cut(rest, missing)
        else:
            yield from self._ask(rest)

    def _types_in(self, blocks: Sequence[Block]) -> frozenset[str]:
        return self._oracle.types_in(_pack_of(blocks).document)

    def _locate(self, blocks: Sequence[Block]) -> Iterator[Answered]:
        keys = [key for block in blocks for key, _ in block.items]
        answers = self._oracle.locate(_pack_of(blocks))
        # Blocks are counted, not texts; with several at once, at most as many as were located in.
        self._hits += min(len(blocks), sum(map(bool, answers)))
        yield from zip(keys, answers, strict=True)


def _pack_of(blocks: Sequence[Block]) -> Pack:
    return Pack([text for block in blocks for _, text in block.items])


def _clear(blocks: Sequence[Block]) -> Iterator[Answered]:
    for block in blocks:
        for key, _ in block.items:
            yield key, ()
