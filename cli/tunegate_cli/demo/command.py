"""The command itself: up, upload, watch, check, report, down."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunegate_cli.cloud import running_cloud, start_cloud
from tunegate_cli.console import output, say
from tunegate_cli.errors import CommandError
from tunegate_cli.report import Report, render
from tunegate_cli.tables import cell

if TYPE_CHECKING:
    from tunegate_local.cloud import Cloud

SAMPLES = Path("build/samples")
RESULTS = Path("build/demo")
EXIT_NOT_AS_EXPECTED = 1


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the embedded cloud running afterwards.")] = False,
) -> None:
    """Send sample files through the whole system in the embedded cloud, and check what became of each.

    Writes build/demo/report.html and build/demo/result.json. Exit code 1 when anything is not as it should be.

    Example:

        tunegate demo --keep && tunegate quarantine list
    """
    from tunegate_cli.demo.run import run

    with _embedded_cloud(keep) as cloud, _speaking_to(cloud):
        report = run(cloud, SAMPLES)
    _write(report)
    if report.problems:
        for problem in report.problems:
            say(f"  - {problem}")
        raise CommandError(f"{len(report.problems)} things are not as they should be; see above.", EXIT_NOT_AS_EXPECTED)
    line = (
        f"All {len(report.files)} samples, both jobs and both models are decided as expected, "
        f"with {len(report.alerts)} alerts on call."
    )
    output().print(cell(line), soft_wrap=True)


@contextmanager
def _embedded_cloud(keep: bool) -> "Iterator[Cloud]":
    """The embedded cloud: the one that runs already, left as it was, or one for this demo alone."""
    cloud = running_cloud()
    if cloud is not None:
        yield cloud
        return
    cloud = start_cloud()
    try:
        yield cloud
    finally:
        if keep:
            say('It is left running: eval "$(tunegate up)" to use it, tunegate down to stop it.')
        else:
            cloud.stop()


@contextmanager
def _speaking_to(cloud: "Cloud") -> Iterator[None]:
    """Point boto3 at the embedded cloud, and away from whatever account this shell is signed in to."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(cloud.process_environment())
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _write(report: Report) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "report.html").write_text(render(report), encoding="utf-8")
    result = json.dumps(report.to_json(), indent=2, ensure_ascii=False)
    (RESULTS / "result.json").write_text(result + "\n", encoding="utf-8")
    say(f"The report is {RESULTS}/report.html")
