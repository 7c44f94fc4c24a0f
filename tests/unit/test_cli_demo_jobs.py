"""What the demo's check of its jobs lets pass, and what it does not."""

from dataclasses import replace

from tunegate_cli.demo.jobs import check_jobs
from tunegate_cli.report import Broken, JobStory, ReceivedAlert
from tunegate_cli.stack import Stack
from unit.cli_world import World, world

NO_KEY = Broken("encryption.job_model_key", "The key is named", "Name the key")
NO_VPC = Broken("network.job_in_vpc", "The job is in a VPC", "Give it one")
STOPPED = JobStory(
    "past-the-rules", "A job", "arn:job", "rejected", "rejected", "Stopped", "stopped the job", (NO_KEY, NO_VPC), "",
    "2026-11-22T10:00:00.000Z", "2026-11-22T10:00:04.000Z",
)  # fmt: skip


def told(control: str) -> ReceivedAlert:
    return ReceivedAlert("arn:job", "", "high", "encryption", "rejected", "s", "t", "2026", {}, control)


BOTH = (told(NO_KEY.control), told(NO_VPC.control))


def problems(account: World, job: JobStory, *alerts: ReceivedAlert) -> tuple[str, ...]:
    stack = Stack("tunegate", {"InvokerEndpointId": "vpce-1"}, account)  # type: ignore[arg-type]
    account.fakes["bedrock"] = None
    return check_jobs(stack, [job], alerts).problems


def test_a_job_that_was_stopped_and_told_of_is_as_it_should_be() -> None:
    with world() as account:
        assert problems(account, STOPPED, *BOTH) == ()


def test_a_job_that_is_only_held_is_a_problem() -> None:
    with world() as account:
        [problem] = problems(account, replace(STOPPED, approval="held"), *BOTH)
    assert problem == "past-the-rules should be rejected and is held"


def test_a_job_that_ran_to_its_end_is_a_problem() -> None:
    with world() as account:
        [problem] = problems(account, replace(STOPPED, status="Completed"), *BOTH)
    assert "ran to its end" in problem


def test_an_alert_that_is_missing_and_one_that_came_twice_are_problems() -> None:
    with world() as account:
        [problem] = problems(account, STOPPED, BOTH[0])
        assert problem.endswith("due was encryption.job_model_key, network.job_in_vpc")
        assert problems(account, STOPPED, *BOTH, BOTH[0])
