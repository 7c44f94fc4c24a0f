"""`train` and `import`: what is asked of the launch machine, and how its end is told."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import pytest

from tunegate.launch import LaunchRequest, Progress
from tunegate.subject import Kind
from tunegate_cli import follow
from unit.cli_world import LAUNCH_MACHINE, World, refused, world
from unit.policy_world import ARNS

JOB, MODEL = ARNS[Kind.CUSTOMIZATION_JOB], ARNS[Kind.CUSTOM_MODEL]
EXECUTION = LAUNCH_MACHINE.replace("stateMachine", "execution") + ":tone"
TRAIN = ("train", "team/train.jsonl", "--base-model", "amazon.nova-micro-v1:0:128k", "--name", "tone-1")
LAUNCHED = ("RUNNING", "LaunchJob", {"job": {"arn": JOB}, "polls": 0})


def told(**progress: Any) -> dict[str, Any]:
    return {"followed": Progress(arn=JOB, **progress).model_dump()}


def at(execution: str, /, **progress: Any) -> tuple[str, str, dict[str, Any]]:
    return (execution, "FollowJob", told(**progress))


@dataclass
class FakeStepFunctions:
    """A launch machine whose execution is, at each look, one step further; the last one stays."""

    steps: list[Any]
    cause: str = ""
    started: list[dict[str, Any]] = field(default_factory=list)
    looks: int = 0
    on_look: Callable[[int], None] = lambda _: None

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> dict[str, str]:
        assert stateMachineArn == LAUNCH_MACHINE
        self.started.append({"name": name, "input": json.loads(input)})
        return {"executionArn": EXECUTION}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:
        assert executionArn == EXECUTION
        self.on_look(self.looks)
        self.looks += 1
        step = self._step()
        status = step if isinstance(step, str) else step[0]
        return {"status": status} | ({"cause": self.cause} if status == "FAILED" else {})

    def get_execution_history(self, executionArn: str, reverseOrder: bool, maxResults: int) -> dict[str, Any]:
        assert (executionArn, reverseOrder) == (EXECUTION, True)
        noise = [{"type": "WaitStateExited", "stateExitedEventDetails": {"name": "Wait", "output": "{}"}}]
        steps = [step for step in self.steps[: self.looks] if not isinstance(step, str)]
        exits = [
            {"type": "TaskStateExited", "stateExitedEventDetails": {"name": name, "output": json.dumps(output)}}
            for _, name, output in reversed(steps)
        ]
        return {"events": [{"type": "ExecutionStarted"}, *noise, *exits][:maxResults]}

    def _step(self) -> Any:
        return self.steps[min(self.looks, len(self.steps)) - 1]


@pytest.fixture
def account() -> Iterator[World]:
    with world() as made, patch.object(follow, "POLL_SECONDS", 0):
        yield made


def machine(account: World, *steps: Any, **more: Any) -> FakeStepFunctions:
    account.fakes["stepfunctions"] = fake = FakeStepFunctions(list(steps), **more)
    return fake


APPROVED = at("SUCCEEDED", status="Completed", approval="approved", model_arn=MODEL, done=True, ok=True)


def test_train_asks_for_what_the_launch_function_takes(account: World) -> None:
    fake = machine(account, APPROVED)
    result = account.run(
        *TRAIN, "--model-name", "tone", "--validation", "team/a.jsonl", "--validation", "s3://approved/team/b.jsonl",
        "--hyperparameter", "epochCount=2", "--hyperparameter", "note=a=b",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    (started,) = fake.started
    assert started["input"] == {
        "kind": "customization",
        "name": "tone-1",
        "model": "tone",
        "data": "team/train.jsonl",
        "validation": ["team/a.jsonl", "team/b.jsonl"],
        "base_model": "amazon.nova-micro-v1:0:128k",
        "customization_type": "FINE_TUNING",
        "hyperparameters": {"epochCount": "2", "note": "a=b"},
    }
    assert LaunchRequest.model_validate(started["input"])


def test_import_asks_for_the_folder(account: World) -> None:
    fake = machine(account, APPROVED)
    assert account.run("import", "models/llama", "--name", "llama").exit_code == 0
    asked = fake.started[0]["input"]
    assert (asked["kind"], asked["data"], asked["name"], asked["model"]) == (
        "import",
        "models/llama/",
        "llama",
        "llama",
    )
    assert asked["base_model"] == ""


@pytest.mark.parametrize("name", ["tone-1", "a.b+c", "x" * 63])
def test_the_executions_name_is_fit_for_both_services(account: World, name: str) -> None:
    """Step Functions takes 80 characters; Bedrock's clientRequestToken letters, digits and inner dashes."""
    fake = machine(account, APPROVED)
    names = []
    for _ in range(2):
        assert account.run(*TRAIN[:-1], name, "--model-name", "tone").exit_code == 0
        names.append(fake.started[-1]["name"])
    assert names[0] != names[1]
    for made in names:
        assert len(made) <= 80
        assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}", made)


def test_progress_is_plain_lines_on_stderr_and_the_result_on_stdout(account: World) -> None:
    running = at("RUNNING", status="InProgress")
    machine(account, "RUNNING", LAUNCHED, running, running, APPROVED)
    result = account.run(*TRAIN)
    assert (result.exit_code, result.stdout) == (0, f"approved  {MODEL}\n")
    assert result.stderr.splitlines() == [
        "launching",
        f"launched {JOB}",
        f"InProgress {JOB}",
        f"Completed approved {MODEL}",
    ]
    assert "\x1b" not in result.output


@pytest.mark.parametrize(
    ("ended", "code", "said"),
    [
        (at("FAILED", status="Stopped", approval="rejected", done=True, reason="network.job_in_vpc"), 1, "rejected"),
        (at("FAILED", status="Completed", approval="held", done=True, reason="kms:DescribeKey"), 2, "held"),
        (at("FAILED", status="Failed", approval="admitted", done=True, reason="too few records"), 1, "not approved"),
        (at("FAILED", status="gone", done=True, reason="the job does not exist"), 1, "not approved"),
        (at("TIMED_OUT", status="InProgress"), 2, "not approved"),
        (at("ABORTED", status="InProgress"), 2, "not approved"),
        (at("SUCCEEDED", status="Completed", approval="held"), 2, "held"),
    ],
)
def test_what_is_not_approved_says_why_and_has_its_exit_code(account: World, ended: Any, code: int, said: str) -> None:
    machine(account, LAUNCHED, ended)
    result = account.run(*TRAIN)
    reason = ended[2]["followed"]["reason"]
    assert (result.exit_code, result.stdout.split("  ")[0]) == (code, said)
    assert reason in result.stdout
    assert f"tunegate jobs {JOB}" in result.stderr


def test_a_broken_control_comes_with_its_remedy(account: World) -> None:
    broken = at(
        "FAILED", status="Stopped", approval="rejected", done=True, reason="network.job_in_vpc, kms:DescribeKey"
    )
    machine(account, LAUNCHED, broken)
    assert "network.job_in_vpc: A job runs in a VPC. Start the job again with vpcConfig" in account.run(*TRAIN).stderr


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (json.dumps({"errorType": "PermanentError", "errorMessage": "a is not approved: tunegate status says why"}),
         "a is not approved"),
        ("plain words", "plain words"),
        ("", "its execution says why"),
        ("[1]", "[1]"),
    ],
)  # fmt: skip
def test_a_launch_that_creates_no_job_says_why(account: World, cause: str, said: str) -> None:
    machine(account, "RUNNING", "FAILED", cause=cause)
    result = account.run(*TRAIN)
    assert result.exit_code == 1
    assert said in result.stdout
    assert "tunegate jobs" not in result.stderr


def test_programs_get_one_document(account: World) -> None:
    machine(account, APPROVED)
    assert json.loads(account.run(*TRAIN, "--json").stdout) == {
        "execution": EXECUTION,
        "job": JOB,
        "status": "Completed",
        "approval": "approved",
        "model": MODEL,
        "reason": "",
    }


def test_without_waiting_it_is_started_and_the_way_to_follow_is_told(account: World) -> None:
    fake = machine(account, "RUNNING")
    result = account.run(*TRAIN, "--no-wait")
    assert (result.exit_code, fake.looks, len(fake.started)) == (0, 0, 1)
    assert EXECUTION in result.stdout
    assert json.loads(account.run(*TRAIN, "--no-wait", "--json").stdout) == {"execution": EXECUTION}


def test_an_interrupt_says_how_to_follow_on(account: World) -> None:
    def interrupt(look: int) -> None:
        if look == 2:
            raise KeyboardInterrupt

    machine(account, LAUNCHED, at("RUNNING", status="InProgress"), on_look=interrupt)
    result = account.run(*TRAIN)
    assert result.exit_code == 130
    assert f"goes on without this command. To see how far it is: tunegate jobs {JOB}" in result.stderr


def test_an_interrupt_before_there_is_a_job_names_the_execution(account: World) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    machine(account, "RUNNING", on_look=interrupt)
    result = account.run(*TRAIN)
    assert result.exit_code == 130
    assert f"--execution-arn {EXECUTION}" in result.stderr


def test_an_error_while_following_says_that_the_job_goes_on(account: World) -> None:
    def fail(look: int) -> None:
        if look == 1:
            raise refused("DescribeExecution", "AccessDeniedException")

    machine(account, LAUNCHED, on_look=fail)
    result = account.run(*TRAIN)
    assert result.exit_code == 2
    assert "goes on" in result.stderr
    assert "AWS refused DescribeExecution" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--hyperparameter", "epochCount"), "NAME=VALUE"),
        (("--hyperparameter", "=2"), "NAME=VALUE"),
        (("--type", "IMPORTED"), "--type: "),
        (("--validation", "s3://payroll/a.jsonl"), "not in the approved bucket"),
        (("--name", "-x"), "--name: "),
        (("--model-name", "a b"), "--model-name: "),
    ],
)
def test_what_would_be_refused_later_is_refused_now(account: World, arguments: tuple[str, ...], said: str) -> None:
    fake = machine(account, APPROVED)
    result = account.run(*TRAIN, *arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n"), fake.started) == (2, "", 1, [])
    assert said in result.stderr


def test_a_stack_without_a_launch_machine_says_so(account: World) -> None:
    account.fakes["cloudformation"].stacks["old"] = {"ApprovedBucket": "approved"}
    result = account.run(*TRAIN, "--stack", "old")
    assert result.exit_code == 2
    assert "LaunchStateMachineArn" in result.stderr
