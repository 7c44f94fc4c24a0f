"""The rooms keep their doors shut: what judges touches no AWS."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("room", ["judge.verdict", "judge.scan", "judge.reasons", "policy", "scan.screen", "preflight"])
def test_judging_imports_no_aws_sdk(room: str) -> None:
    check = f"import sys, tunegate.{room}; sys.exit('boto3' in sys.modules or 'botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
