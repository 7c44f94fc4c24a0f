"""The files of the tables that the sieve reads: `tables.bin`, and `tables.zig`, which says what is where."""

from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path


class Tables:
    """Numbers and bytes one after the other, each beginning where every processor can read it."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._said: list[str] = []

    def number(self, name: str, value: float | str) -> None:
        self._said.append(f"pub const {name} = {value};")

    def numbers(self, name: str, kind: str, values: Iterable[float]) -> None:
        packed = array({"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "f64": "d"}[kind], list(values))
        self._data += bytes(-len(self._data) % 64)
        self._said.append(f"pub const {name}: [*]const {kind} = @ptrCast(@alignCast(data[{len(self._data)}..].ptr));")
        self.number(f"{name}_count", len(packed))
        self._data += packed.tobytes()

    def bits(self, name: str, masks: Sequence[int], count: int) -> None:
        """Rows of as many words of 64 bits as `count` bits need."""
        words = -(-count // 64)
        self.number(f"{name}_words", words)
        self.numbers(name, "u64", [mask >> 64 * word & (1 << 64) - 1 for mask in masks for word in range(words)])

    def lists(self, name: str, rows: Sequence[Iterable[int]]) -> None:
        """Lists of numbers: those of row i stand from `name_at[i]` to `name_at[i + 1]`."""
        flat, at = list[int](), [0]
        for row in rows:
            flat += row
            at.append(len(flat))
        self.numbers(name, "u16", flat)
        self.numbers(f"{name}_at", "u32", at)

    def write(self, folder: Path) -> None:
        (folder / "tables.bin").write_bytes(self._data)
        head = 'const data align(64) = @embedFile("tables.bin").*;'
        (folder / "tables.zig").write_text("\n".join((head, *self._said)) + "\n", "utf-8")
