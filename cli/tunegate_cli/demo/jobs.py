"""Two jobs on an approved sample: one launched the right way, one created past the rules by somebody who may.

Each is followed to what the gate decides. The model of the first is then deployed and used as the invoker role.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from tunegate.errors import error_code
from tunegate.judge.controls.table import BY_ID
from tunegate.launch import LaunchRequest
from tunegate.observe.subjects import subject_row
from tunegate.subject import Approval
from tunegate.subject_rows import SubjectRow
from tunegate_cli.console import output, say
from tunegate_cli.demo.roles import as_role
from tunegate_cli.errors import CommandError
from tunegate_cli.follow import look
from tunegate_cli.launch import start_launch
from tunegate_cli.report import Broken, Check, JobStory, ReceivedAlert
from tunegate_cli.stack import Stack
from tunegate_cli.tables import cell
from tunegate_local.origin import through

DATA = "clean/prompt-completion.jsonl"
"""The sample both jobs train on: what tells them apart is how they were created."""
BASE_MODEL = "amazon.nova-micro-v1:0:128k"
DECIDED_WITHIN_SECONDS = 240
POLL_SECONDS = 0.5
GUARDRAIL = "tunegate-demo"


def run_jobs(stack: Stack) -> list[JobStory]:
    """Start both jobs and wait for the decision on each."""
    run = secrets.token_hex(3)
    say(f"Starting two customization jobs on s3://{stack.approved}/{DATA} ...")
    execution = start_launch(stack, _request(f"by-the-rules-{run}"))
    wrong = _create_past_the_rules(stack, f"past-the-rules-{run}")
    right = _within("the launched job", lambda: look(stack.stepfunctions, execution).progress.arn)
    return [
        _story(stack, right, "Launched by `tunegate train`: the gate's role, network and keys", Approval.APPROVED),
        _story(stack, wrong, "Created directly: no customer managed key, no VPC", Approval.REJECTED),
    ]


def check_jobs(stack: Stack, jobs: Sequence[JobStory], alerts: Sequence[ReceivedAlert]) -> Check:
    what = (
        "The job that follows the rules is approved, and the invoker role may use its model, only through the endpoint "
        "and with a guardrail; the other is stopped, and on call heard once of each rule it breaks."
    )
    return Check("Jobs", what, (*_wrong_decisions(jobs), *_wrong_alerts(jobs, alerts), *_wrong_uses(stack, jobs)))


def _request(name: str) -> LaunchRequest:
    asked = {"kind": "customization", "name": name, "model": name, "data": DATA, "base_model": BASE_MODEL}
    return LaunchRequest.model_validate(asked | {"hyperparameters": {"epochCount": "1"}})


def _create_past_the_rules(stack: Stack, name: str) -> str:
    created = stack.session.client("bedrock").create_model_customization_job(
        jobName=name,
        customModelName=name,
        roleArn=stack.output("ModelCustomizationRoleArn"),
        baseModelIdentifier=BASE_MODEL,
        trainingDataConfig={"s3Uri": f"s3://{stack.approved}/{DATA}"},
        outputDataConfig={"s3Uri": f"s3://{stack.output('OutputBucket')}/jobs/{name}/"},
        hyperParameters={"epochCount": "1"},
    )
    return str(created["jobArn"])


def _story(stack: Stack, arn: str, what: str, expected: Approval) -> JobStory:
    row = _within(f"the decision on {arn}", lambda: _decided(stack, arn))
    story = JobStory(
        name=row.name,
        what=what,
        arn=arn,
        expected=expected.value,
        approval=row.approval.value,
        status=row.status,
        done=row.done,
        broken=tuple(Broken(control, BY_ID[control].title, BY_ID[control].remedy) for control in row.breaches),
        model=row.makes,
        created_at=row.created_at,
        decided_at=row.at,
    )
    why = ", ".join(row.breaches)
    output().print(cell(f"{story.approval:<8}  {story.name}  {story.status}  {why}".rstrip()), soft_wrap=True)
    return story


def _decided(stack: Stack, arn: str) -> SubjectRow | None:
    row = subject_row(stack.dynamodb, stack.ledger, arn)
    return row if row is not None and row.is_final else None


def _wrong_decisions(jobs: Sequence[JobStory]) -> Iterator[str]:
    for job in jobs:
        if job.approval != job.expected:
            yield f"{job.name} should be {job.expected} and is {job.approval}"
        if job.expected == Approval.REJECTED and job.status == "Completed":
            yield f"{job.name} ran to its end although it breaks rules"


def _wrong_alerts(jobs: Sequence[JobStory], alerts: Sequence[ReceivedAlert]) -> Iterator[str]:
    for job in jobs:
        heard = sorted(alert.control for alert in alerts if alert.key == job.arn)
        due = sorted(broken.control for broken in job.broken)
        if heard != due:
            yield f"Of {job.name} on call heard {', '.join(heard) or 'nothing'}; due was {', '.join(due) or 'nothing'}"


def _wrong_uses(stack: Stack, jobs: Sequence[JobStory]) -> Iterator[str]:
    """What the invoker role may not do although it should, and the reverse."""
    bedrock = stack.session.client("bedrock")
    endpoint = stack.output("InvokerEndpointId")
    for job in jobs:
        if job.approval != Approval.APPROVED:
            continue
        deployed = bedrock.create_custom_model_deployment(modelDeploymentName=job.name, modelArn=job.model)
        arn = deployed["customModelDeploymentArn"]
        _within(f"the decision on {arn}", lambda arn=arn: _decided(stack, arn))  # type: ignore[misc]
        try:
            guardrail = _guardrail(bedrock)
            if not _may_invoke(stack, arn, guardrail, endpoint):
                yield f"The invoker role cannot use the model of {job.name}"
            if _may_invoke(stack, arn, guardrail, None):
                yield f"The invoker role can use the model of {job.name} from outside the endpoint"
            if _may_invoke(stack, arn, None, endpoint):
                yield f"The invoker role can use the model of {job.name} without a guardrail"
        finally:
            bedrock.delete_custom_model_deployment(customModelDeploymentIdentifier=arn)


def _may_invoke(stack: Stack, model: str, guardrail: str | None, endpoint: str | None) -> bool:
    client: Any = as_role(stack, stack.output("InvokerRoleArn")).client("bedrock-runtime")
    if endpoint:
        through(client, endpoint)
    guarded = {"guardrailIdentifier": guardrail, "guardrailVersion": "DRAFT"} if guardrail else {}
    try:
        client.invoke_model(modelId=model, body=b'{"prompt": "Hello"}', **guarded)["body"].read()
    except ClientError as error:
        if error_code(error) != "AccessDeniedException":
            raise
        return False
    return True


def _guardrail(bedrock: Any) -> str:
    """The demo's guardrail, made when there is none."""
    for existing in bedrock.list_guardrails()["guardrails"]:
        if existing["name"] == GUARDRAIL:
            return str(existing["id"])
    made = bedrock.create_guardrail(
        name=GUARDRAIL,
        blockedInputMessaging="This is not answered.",
        blockedOutputsMessaging="This is not answered.",
        contentPolicyConfig={
            "filtersConfig": [{"type": "PROMPT_ATTACK", "inputStrength": "HIGH", "outputStrength": "NONE"}]
        },
    )
    return str(made["guardrailId"])


def _within[T](what: str, asked: Callable[[], T | None]) -> T:
    """What is asked for, once it is there. Raises `CommandError` naming what did not come."""
    deadline = time.monotonic() + DECIDED_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if found := asked():
            return found
        time.sleep(POLL_SECONDS)
    raise CommandError(f"{what} did not come within {DECIDED_WITHIN_SECONDS} s")
