"""docs/controls.md, written from the table of controls: `make docs`."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from tunegate.judge.controls.table import CONTROLS
from tunegate.judge.controls.why import WHY
from tunegate_cli.requirements import REQUIREMENTS, THREATS

PAGE = Path(__file__).parents[2] / "docs" / "controls.md"
_FAMILIES = {
    "encryption": "Encryption",
    "identity": "Identity",
    "network": "Network",
    "lineage": "Lineage",
    "model": "Models",
    "estate": "The estate",
}
_INTRODUCTION = """# Controls

What the job gate asks of every customization, import, copy, model, deployment and provisioned throughput, and of the
account it stands in. A control that blocks makes its subject *rejected*; one whose facts could not be read is
*unknown*, and its subject *held*: neither is approved. [Jobs](jobs.md) says what follows; the [policy](policy.md)
can have a control of jobs report only, or weigh it anew. `tunegate explain CONTROL` tells what one reads.

This page is written from the table in `layers/tunegate/tunegate/judge/controls`; the ids on the right are
[requirements](requirements.md)."""


def page() -> str:
    return "\n".join([_INTRODUCTION, *_sections()]) + "\n"


def _sections() -> Iterator[str]:
    for family, controls in groupby(CONTROLS, lambda control: control.id.partition(".")[0]):
        listed = list(controls)
        yield f"\n## {_FAMILIES[family]}\n\n{WHY[family]}\n"
        yield "| control | asks that | severity | blocks | when it is broken | answers |"
        yield "| --- | --- | --- | --- | --- | --- |"
        for control in listed:
            blocks = "yes" if control.blocking else "no"
            cells = (f"`{control.id}`", control.title, control.severity.value, blocks, control.remedy)
            yield f"| {' | '.join(map(_cell, cells))} | {', '.join(control.requirement)} |"
        yield ""
        yield from _requirements({requirement for control in listed for requirement in control.requirement})


def _requirements(answered: set[str]) -> Iterator[str]:
    for requirement, words in REQUIREMENTS.items():
        if requirement in answered:
            yield f"- **{requirement}** {'Against: ' if requirement in THREATS else ''}{words}."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page())
