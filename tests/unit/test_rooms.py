"""The rooms keep their doors shut: what judges touches no AWS."""

import subprocess
import sys

import pytest

PURE = ["judge.verdict", "judge.scan", "judge.reasons", "judge.jobs", "judge.consequence", "judge.weights"]
PURE += ["judge.controls.table", "policy", "scan.screen", "scan.weights", "preflight"]


@pytest.mark.parametrize("room", PURE)
def test_judging_imports_no_aws_sdk(room: str) -> None:
    # botocore's exceptions may be there, to tell errors apart; nothing that could call.
    check = f"import sys, tunegate.{room}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, text=True).stdout.split()
    assert not {"boto3", "botocore.session", "botocore.client"} & set(loaded)
