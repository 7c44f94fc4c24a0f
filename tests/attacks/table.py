"""All attacks, and their outcomes as a table."""

from collections.abc import Iterable, Mapping

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
