"""The tables people read. Everything in a cell is shown as it is: keys and reasons are not markup."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from tunegate.model import Finding
from tunegate_cli.console import printable
from tunegate_cli.versions import VersionState, room_of

STYLES = {
    "clean": "green",
    "released": "green",
    "flagged": "red",
    "held": "yellow",
    "scanning": "cyan",
    "refused": "magenta",
    "approved": "green",
    "admitted": "cyan",
    "rejected": "red",
    "pass": "green",
    "fail": "red",
    "unknown": "yellow",
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "low": "dim",
}


def cell(value: object) -> Text:
    """A value as plain text, coloured where it is one of our own words."""
    text = printable(str(value))
    return Text(text, style=STYLES.get(text, ""))


def table_of(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def add_row(table: Table, *values: object) -> None:
    table.add_row(*map(cell, values))


def status_table(states: Iterable[VersionState]) -> Table:
    table = table_of("key", "version", "state", "where", "since", "why")
    for state in states:
        add_row(table, state.key, state.version_id, state.state, room_of(state.where), seconds(state.at), state.reason)
    return table


def findings_table(findings: Sequence[Finding]) -> Table:
    if any(finding.file or finding.detail for finding in findings):
        return _model_findings_table(findings)
    table = table_of("category", "type", "severity", "flags", "line", "pointer", "count", "seen by")
    for finding in findings:
        add_row(
            table,
            finding.category,
            finding.type,
            finding.severity,
            "yes" if finding.flags else "no",
            finding.line or "file",
            finding.pointer or "whole line",
            finding.count,
            ", ".join(finding.detectors),
        )
    return table


def _model_findings_table(findings: Sequence[Finding]) -> Table:
    """Of a model upload: which file, and what is wrong with it."""
    table = table_of("file", "category", "type", "severity", "flags", "what is wrong", "seen by")
    for finding in findings:
        add_row(
            table,
            finding.file or "the upload",
            finding.category,
            finding.type,
            finding.severity,
            "yes" if finding.flags else "no",
            finding.detail,
            ", ".join(finding.detectors),
        )
    return table


def alerts_table(alerts: Iterable[Mapping[str, Any]]) -> Table:
    table = table_of("at", "severity", "category", "verdict", "key", "alert")
    for alert in alerts:
        told = (alert.get(name, "") for name in ("severity", "category", "verdict", "key", "title"))
        add_row(table, seconds(alert["at"]), *told)
    return table


def seconds(at: str) -> str:
    """An ISO 8601 time in UTC without its fraction."""
    return at.replace("T", " ").partition(".")[0].removesuffix("Z")
