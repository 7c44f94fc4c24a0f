"""Makes the samples without an embedded cloud, to look at them or to try `tunegate scan`."""

from pathlib import Path
from typing import Annotated

import typer

from tunegate_cli.samples import write_samples


def make(
    directory: Annotated[Path, typer.Argument(help="Where to write them.")] = Path("build/samples"),
    approved_bucket: Annotated[str, typer.Option(help="The bucket that image records refer to.")] = "approved",
) -> None:
    made = write_samples(directory, approved_bucket)
    typer.echo(f"{len(made)} samples in {directory}/files; {directory}/manifest.json says what should become of each.")


if __name__ == "__main__":
    typer.run(make)
