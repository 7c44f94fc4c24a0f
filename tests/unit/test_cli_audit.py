"""`audit`: the estate's controls as the function tells them, and exit codes a pipeline can go by."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tunegate_cli.audit import exit_code
from unit.cli_world import OUTPUTS, World, refused, world


@dataclass
class FakeAudit:
    answer: Any
    failed: bool = False
    asked: list[bytes] = field(default_factory=list)

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        assert FunctionName == OUTPUTS["AuditFunction"]
        self.asked.append(Payload)
        answer: dict[str, Any] = {"Payload": io.BytesIO(json.dumps(self.answer).encode())}
        return answer | ({"FunctionError": "Unhandled"} if self.failed else {})


@pytest.fixture
def account() -> Iterator[World]:
    with world() as made:
        yield made


def control(state: str, *details: str) -> dict[str, Any]:
    return {"control": f"estate.{state}", "title": "A title", "severity": "high", "state": state, "details": details}


def audited(account: World, *controls: dict[str, Any]) -> FakeAudit:
    account.fakes["lambda"] = fake = FakeAudit({"controls": list(controls)})
    return fake


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (["pass"], 0),
        (["pass", "fail"], 1),
        (["unknown", "fail"], 1),
        (["pass", "unknown"], 2),
        ([], 2),
        (["something new"], 2),
    ],
)
def test_only_a_pass_of_all_is_a_pass(states: list[str], code: int) -> None:
    assert exit_code(states) == code


def test_every_control_is_a_line_with_its_state_and_what_was_found(account: World) -> None:
    fake = audited(account, control("pass"), control("fail", "tunegate-intake keeps no versions"), control("unknown"))
    result = account.run("audit")
    assert result.exit_code == 1
    assert fake.asked == [b"{}"]
    line = next(line for line in result.stdout.splitlines() if "estate.fail" in line)
    assert line.split()[0] == "fail"
    assert "tunegate-intake keeps no versions" in line
    assert "tunegate explain" in result.stderr


def test_all_passing_says_nothing_more(account: World) -> None:
    audited(account, control("pass"))
    result = account.run("audit")
    assert (result.exit_code, result.stderr) == (0, "")


def test_programs_get_the_functions_answer(account: World) -> None:
    audited(account, control("unknown", "kms:DescribeKey on arn answered AccessDenied"))
    result = account.run("audit", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["controls"][0]["details"] == ["kms:DescribeKey on arn answered AccessDenied"]


def test_a_function_that_fails_is_one_line(account: World) -> None:
    account.fakes["lambda"] = FakeAudit({"errorMessage": "Reading the ledger: Query answered X"}, failed=True)
    result = account.run("audit")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "tunegate: Not audited: Reading the ledger: Query answered X\n"


def test_a_refusal_by_aws_is_one_line(account: World) -> None:
    def invoke(**_: Any) -> None:
        raise refused("Invoke", "AccessDeniedException")

    account.fakes["lambda"] = audited(account)
    account.fakes["lambda"].invoke = invoke
    result = account.run("audit")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "AWS refused Invoke" in result.stderr
