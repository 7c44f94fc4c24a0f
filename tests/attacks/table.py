"""All attacks, and their outcomes as a table: on the terminal, and in docs/security.md."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from attacks import data, forgery, jobs, quarantine, records, silence
from attacks.attack import Attack

ATTACKS: tuple[Attack, ...] = (
    *data.ATTACKS,
    *jobs.ATTACKS,
    *quarantine.ATTACKS,
    *silence.ATTACKS,
    *forgery.ATTACKS,
    *records.ATTACKS,
)


def shown(rows: Iterable[Mapping[str, str]]) -> str:
    """One line for each attack and outcome, with by what and as whom."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        groups.setdefault((row["name"], row["outcome"], row["by"]), []).append(row["as"])
    return "\n".join(
        f"{name:40} {outcome:9} {by}\n{'':50} as {', '.join(who)}" for (name, outcome, by), who in groups.items()
    )


PAGE = Path(__file__).parents[2] / "docs/security.md"
HEAD = "| attack | prevented by | detected by |\n| --- | --- | --- |\n"


def write_page(rows: Iterable[Mapping[str, str]]) -> None:
    """Put what happened into the page's table of attacks."""
    before, rest = PAGE.read_text().split(HEAD)
    after = rest[rest.index("\n## ") :]
    PAGE.write_text(before + HEAD + "".join(_lines(list(rows))) + after)


def _lines(rows: list[Mapping[str, str]]) -> Iterable[str]:
    for attack in ATTACKS:
        by: dict[str, list[str]] = {"prevented": [], "detected": [], "neither": []}
        for row in rows:
            if row["name"] == attack.name and _said(row["by"]) not in by[row["outcome"]]:
                by[row["outcome"]].append(_said(row["by"]))
        controls = "; ".join(f"`{control}`" for control in by["detected"])
        yield f"| {attack.name} | {'; '.join(by['prevented'])} | {controls} |\n"


def _said(by: str) -> str:
    """Shorter, and the same whatever was counted on the way."""
    sid, _, place = by.partition(" (")
    if sid == "no permission":
        return sid
    return f"`{sid}` ({place}" if place.startswith(("bucket", "sns", "dynamodb", "identity")) else sid
