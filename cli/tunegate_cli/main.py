"""The entry point: every command, and the one place where errors become lines."""

import os
import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from tunegate_cli import audit, cloud, controls, jobs, launch, policy, quarantine, redrive, rescan, scan, status, upload
from tunegate_cli.console import say
from tunegate_cli.demo import command as demo
from tunegate_cli.errors import NO_TELLING, explain

INTERRUPTED = 130


class OneLineErrors(TyperGroup):
    """Shows what a user can mend as one line on stderr; anything else is a defect of ours and keeps its traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002  (always off: in that mode errors are drawn as boxes)
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        try:
            code = super().main(args, prog_name or "tunegate", complete_var, False, windows_expand_args, **extra)
            sys.stdout.flush()
        except (KeyboardInterrupt, typer.Abort):
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            # The reader of our output has gone (`tunegate status | head`): nothing is wrong, and nobody is listening.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except typer.TyperException as error:
            say(f"tunegate: {error.format_message()} See {_help_of(error)}.")
            sys.exit(NO_TELLING)
        except Exception as error:
            line = explain(error)
            if line is None:
                raise
            say(f"tunegate: {' '.join(line.split())}")
            sys.exit(getattr(error, "exit_code", NO_TELLING))
        sys.exit(code if isinstance(code, int) else 0)


def _help_of(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f"`{context.command_path if context else 'tunegate'} --help`"


app = typer.Typer(
    cls=OneLineErrors,
    help="The gate between training data and Amazon Bedrock model customization.",
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command()(scan.scan)
app.command()(upload.upload)
app.command()(status.status)
app.command()(status.findings)
app.command()(status.alerts)
app.add_typer(quarantine.app, name="quarantine")
app.command()(quarantine.release)
app.command()(rescan.rescan)
app.command()(redrive.redrive)
app.command()(launch.train)
app.command("import")(launch.import_)
app.command()(jobs.jobs)
app.command()(controls.controls)
app.command()(controls.explain)
app.command()(audit.audit)
app.add_typer(policy.app, name="policy")
app.command()(cloud.up)
app.command()(cloud.down)
app.command()(demo.demo)


def main() -> None:
    app()
