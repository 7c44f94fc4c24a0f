"""The command as a whole: help for everything, and errors as lines."""

import subprocess
import sys

import pytest

from tunegate_cli.console import printable
from tunegate_cli.errors import explain
from unit.cli_world import run

COMMANDS = [
    "scan", "upload", "status", "findings", "alerts", "quarantine list", "release", "rescan",
    "policy show", "policy check", "policy put", "train", "import", "jobs", "controls", "explain", "audit",
    "up", "down", "demo",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Example:" in result.stdout
    assert f"tunegate {command.split()[0]}" in result.stdout.split("Example:")[1]


def test_without_a_command_the_help_is_shown() -> None:
    result = run()
    assert result.exit_code == 0
    assert "Commands" in result.stdout


@pytest.mark.parametrize("arguments", [("scam",), ("scan",), ("release", "a", "--raison", "x"), ("policy",)])
def test_wrong_usage_is_one_line_that_points_to_the_help(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "--help" in result.stderr


def test_a_defect_of_ours_keeps_its_traceback() -> None:
    assert explain(ZeroDivisionError()) is None


def test_a_reader_that_leaves_early_is_no_error() -> None:
    code = "from tunegate_cli.main import main; main()"
    shell = f'"{sys.executable}" -c "{code}" policy show --default | head -c 10'
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {shell}"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_help_starts_without_loading_the_screen() -> None:
    code = "import sys, tunegate_cli.main; print([m for m in ('gcld3', 'tunegate.scan.screen') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_control_characters_are_spelled_out() -> None:
    assert printable("a\x1b[31m\u202eb\nc\U000e0041") == "a\\x1b[31m\\u202eb\nc\\U000e0041"
    assert printable("お客様 ñ") == "お客様 ñ"
