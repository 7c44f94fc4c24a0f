"""`tunegate scan --estimate`: what a scan in the cloud would be billed, before anything is sent."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunegate.prices import PRICES, READ
from tunegate_cli.console import TransferBar, output, print_json, print_table, say
from tunegate_cli.errors import CommandError
from tunegate_cli.tables import add_row, cell, table_of

if TYPE_CHECKING:
    from tunegate.estimate import Estimate
    from tunegate.policy import Policy

NOTE = (
    f"List prices of the first tier in us-east-1, read on {READ}. From: nothing is found. To: every question is "
    "answered yes. What earlier scans asked about under the same policy costs nothing again. "
    "Lambda, S3 and the rest: docs/cost.md."
)


def show_estimate(files: Sequence[Path], policy: "Policy | None", as_json: bool) -> None:
    """Print units by service operation and the range of the price, of each file and of all."""
    estimates = _estimate_all(files, policy)
    if as_json:
        print_json(_document(estimates))
        return
    table = table_of("file", "operation", "units", "US dollars")
    for path, estimate in estimates.items():
        for operation in sorted(estimate.most):
            least, most = estimate.least.get(operation, 0), estimate.most[operation]
            price = PRICES[operation].dollars
            add_row(
                table, str(path), operation, _range(least, most, "{:,}"), _range(least * price, most * price, "{:,.4f}")
            )
        if not estimate.most:
            add_row(table, str(path), "none: the gate cannot read its text", "0", "0")
    print_table(table, "There is no file to scan.")
    output().print(cell(f"All together: {_range(*_total(estimates), '{:,.4f}')} US dollars."), soft_wrap=True)
    say(NOTE)


def _estimate_all(files: Sequence[Path], policy: "Policy | None") -> dict[Path, "Estimate"]:
    from tunegate.estimate import estimate_file
    from tunegate.policy import default_policy
    from tunegate.preflight import UnreadableError

    estimates = {}
    with TransferBar(2 * sum(file.stat().st_size for file in files)) as bar:
        for file in files:
            bar.describe(file.name)
            try:
                estimates[file] = estimate_file(file, policy or default_policy(), bar.advance)
            except UnreadableError as error:
                raise CommandError(str(error)) from None
    return estimates


def _document(estimates: Mapping[Path, "Estimate"]) -> dict[str, Any]:
    files = [
        {"file": str(path), "least": one.least, "most": one.most, "dollars": list(one.dollars)}
        for path, one in estimates.items()
    ]
    return {"files": files, "dollars": list(_total(estimates)), "prices_read": READ}


def _total(estimates: Mapping[Path, "Estimate"]) -> tuple[float, float]:
    prices = [estimate.dollars for estimate in estimates.values()]
    return sum(least for least, _ in prices), sum(most for _, most in prices)


def _range(least: float, most: float, form: str) -> str:
    begin, end = form.format(least), form.format(most)
    return begin if begin == end else f"{begin} to {end}"
