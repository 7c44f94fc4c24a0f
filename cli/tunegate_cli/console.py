"""What reaches the terminal: results on stdout, everything about the work itself on stderr."""

import json
import sys
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from tunegate.shown import spelled_out

PIPED_COLUMNS = 200
"""Width of a table nobody's terminal bounds, so that a key is not cut where a program or a log reads it."""


def output() -> Console:
    """Made anew on each use: it looks at where stdout goes now, which tests and pagers change."""
    # Rich takes colours from FORCE_COLOR and the like even into a pipe; a pipe gets plain text.
    piped = not sys.stdout.isatty()
    width = PIPED_COLUMNS if piped else None
    return Console(file=sys.stdout, width=width, no_color=piped, force_terminal=not piped, highlight=False)


def messages() -> Console:
    piped = not sys.stderr.isatty()
    return Console(file=sys.stderr, no_color=piped, force_terminal=not piped, highlight=False, soft_wrap=True)


def say(message: str) -> None:
    """One line about the work, on stderr."""
    messages().print(Text(printable(message)))


def print_json(document: Any) -> None:
    """Exactly one JSON document on stdout."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n")


def print_table(table: Table, empty: str) -> None:
    """A table, or where it has no rows the sentence that says so."""
    if table.row_count:
        output().print(table)
    else:
        output().print(Text(empty))


class TransferBar:
    """A progress bar in bytes, with rate and remaining time; nothing at all where stderr is no terminal."""

    def __init__(self, total: int) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=messages(), transient=True) if sys.stderr.isatty() else None
        self._task = self._progress.add_task("", total=total) if self._progress else TaskID(0)

    def __enter__(self) -> Self:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def describe(self, name: str) -> None:
        if self._progress is not None:
            self._progress.update(self._task, description=printable(name))

    def advance(self, count: int) -> None:
        if self._progress is not None:
            self._progress.advance(self._task, count)

    def say(self, message: str) -> None:
        """A line on stderr, above the bar."""
        console = self._progress.console if self._progress is not None else messages()
        console.print(Text(printable(message)), soft_wrap=True)


def printable(text: str) -> str:
    """Text that a terminal shows and does not obey; lines and tabs stay."""
    return spelled_out(text, keep="\n\t")
