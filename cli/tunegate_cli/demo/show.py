"""The board of a running demo: a live table on a terminal, a line for each change elsewhere."""

import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from rich.live import Live
from rich.table import Table

from tunegate_cli.console import output
from tunegate_cli.demo.evidence import Uploaded
from tunegate_cli.tables import add_row, cell, table_of
from tunegate_cli.versions import VersionState

States = Mapping[tuple[str, str], VersionState]


class Board:
    """Shows the state of every upload, as often as it is told them."""

    def __init__(self, uploads: Sequence[Uploaded]) -> None:
        self._uploads = uploads
        self._told: dict[tuple[str, str], str] = {}
        self._live = Live(console=output(), auto_refresh=False) if sys.stdout.isatty() else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, states: States) -> None:
        if self._live is not None:
            self._live.update(self._table(states), refresh=True)
            return
        for upload in self._uploads:
            state, why = self._of(upload, states)
            if self._told.get(upload.name) != state:
                self._told[upload.name] = state
                output().print(cell(f"{state:<8}  {upload.sample.path}  {why}".rstrip()), soft_wrap=True)

    def _table(self, states: States) -> Table:
        table = table_of("file", "expected", "state", "why")
        for upload in self._uploads:
            add_row(table, upload.sample.path, upload.sample.expected, *self._of(upload, states))
        return table

    def _of(self, upload: Uploaded, states: States) -> tuple[str, str]:
        if upload.version_id is None:
            return "refused", f"S3 answered {upload.refusal}"
        state = states.get(upload.name)
        return (state.state, state.reason) if state else ("on its way", "")
