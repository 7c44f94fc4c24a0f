"""`tunegate up` and `down`: the embedded cloud, deployed and left running."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tunegate_cli.console import say
from tunegate_cli.errors import CommandError

if TYPE_CHECKING:
    from tunegate_local.cloud import Cloud


def up() -> None:
    """Start the embedded cloud, deploy Tunegate into it and leave it running.

    Prints the environment to export, and nothing else, on stdout.

    Example:

        eval "$(tunegate up)" && tunegate upload train.jsonl
    """
    cloud = running_cloud()
    if cloud is not None:
        say("The embedded cloud is already running.")
    else:
        cloud = start_cloud()
    print("\n".join(_shell_lines(cloud)))
    say(f"Alerts arrive at {cloud.oncall_url}/alerts. Stop it all with: tunegate down")


def down() -> None:
    """Stop the embedded cloud; its state goes with it.

    Example:

        tunegate down
    """
    cloud = running_cloud()
    if cloud is None:
        say("The embedded cloud is not running.")
        return
    cloud.stop()
    say("The embedded cloud is stopped.")


def _shell_lines(cloud: "Cloud") -> Iterator[str]:
    """What leads a shell to the embedded cloud, and away from the account it is signed in to."""
    for name in sorted(os.environ.keys() - cloud.process_environment().keys()):
        yield f"unset {name}"
    for name, value in cloud.environment().items():
        yield f"export {name}={shlex.quote(value)}"


def running_cloud() -> "Cloud | None":
    """The embedded cloud of this clone, if it runs."""
    _require()
    from tunegate_local.cloud import running

    return running(_state_dir())


def start_cloud() -> "Cloud":
    """Start the embedded cloud and deploy into it. Nothing is left running where that fails."""
    _require()
    from tunegate_local.cloud import CloudError
    from tunegate_local.deploy import up

    say("Starting the embedded cloud, and deploying Tunegate into it with `sam build` and `sam deploy` ...")
    try:
        return up(_state_dir())[0]
    except CloudError as error:
        raise CommandError(str(error)) from None


def _state_dir() -> Path:
    """One place for each clone, so that `down` finds from any directory what `up` started."""
    from tunegate_local.deploy import ROOT

    return ROOT / ".tunegate"


def _require() -> None:
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in ("tunegate_local", "ministack")):
        raise CommandError(
            "The embedded cloud is not installed here: run `make setup` in a clone of the repository, "
            "and use its .venv/bin/tunegate."
        )
