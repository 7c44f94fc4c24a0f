"""`tunegate train` and `import`: a job launched the right way, and followed to what the gate says of it."""

import json
import re
import uuid
from typing import Annotated, Any, Literal

import typer
from pydantic import ValidationError

from tunegate.judge.controls.table import BY_ID
from tunegate.launch import LaunchRequest
from tunegate.subject import Approval
from tunegate_cli.console import output, print_json, say
from tunegate_cli.errors import NO_TELLING, CommandError
from tunegate_cli.follow import Look, follow, how_to_follow
from tunegate_cli.stack import DEFAULT_NAME, Stack, StackName, find_stack
from tunegate_cli.status import AsJson
from tunegate_cli.tables import cell

EXIT_NOT_APPROVED = 1
_ENDED_BY_ITSELF = frozenset({"SUCCEEDED", "FAILED"})
_OPTIONS = {
    "model": "--model-name",
    "base_model": "--base-model",
    "customization_type": "--type",
    "hyperparameters": "--hyperparameter",
}
"""The options that are named otherwise than in a request."""

Name = Annotated[str, typer.Option(help="The job's name, as Bedrock will have it.")]
ModelName = Annotated[str | None, typer.Option(help="The name of the model it makes, if not the job's.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Start it, and do not follow it to its end.")]


def train(
    data: Annotated[
        str, typer.Argument(metavar="FILE_OR_PREFIX", help="A key in the approved bucket, or all below one (`a/b/`).")
    ],
    base_model: Annotated[str, typer.Option(help="The model to customize: its id or ARN.")],
    name: Name,
    model_name: ModelName = None,
    validation: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="Validation data, likewise; may be given again.")
    ] = None,
    hyperparameter: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="As the base model takes it; may be given again.")
    ] = None,
    customization_type: Annotated[
        str,
        typer.Option(
            "--type",
            help="FINE_TUNING, CONTINUED_PRE_TRAINING, DISTILLATION or REINFORCEMENT_FINE_TUNING.",
        ),
    ] = "FINE_TUNING",
    no_wait: NoWait = False,
    as_json: AsJson = False,
    stack: StackName = DEFAULT_NAME,
) -> None:
    """Customize a model with approved data: with the gate's role, network and keys, and followed to its end.

    Exit code 0: the model is approved. 1: it is not, or the job failed. 2: held, or it could not be told.

    Example:

        tunegate train support-bot/train.jsonl --base-model amazon.nova-micro-v1:0:128k --name tone-1
    """
    found = find_stack(stack)
    request = _request(
        kind="customization",
        name=name,
        model=model_name or name,
        data=_key(found, data),
        validation=[_key(found, key) for key in validation or []],
        base_model=base_model,
        customization_type=customization_type,
        hyperparameters=dict(map(_pair, hyperparameter or [])),
    )
    _launch(found, request, no_wait, as_json)


def import_(
    data: Annotated[str, typer.Argument(metavar="PREFIX", help="The folder of the model's files in approved.")],
    name: Name,
    model_name: ModelName = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
    stack: StackName = DEFAULT_NAME,
) -> None:
    """Import a model whose files are approved: with the gate's role, network and key, and followed to its end.

    Exit code 0: the model is approved. 1: it is not, or the job failed. 2: held, or it could not be told.

    Example:

        tunegate import models/house-llama/ --name house-llama
    """
    found = find_stack(stack)
    folder = _key(found, data).rstrip("/") + "/"
    _launch(found, _request(kind="import", name=name, model=model_name or name, data=folder), no_wait, as_json)


def _request(kind: Literal["customization", "import"], **asked: Any) -> LaunchRequest:
    """The request, checked here as the gate will check it. Raises `CommandError` naming each option at fault."""
    try:
        return LaunchRequest.model_validate({"kind": kind, **asked})
    except ValidationError as error:
        faults = [f"{_option(fault['loc'])}: {fault['msg']}" for fault in error.errors(include_url=False)]
        raise CommandError(f"Not launched. {'; '.join(faults)}") from None


def _option(location: tuple[int | str, ...]) -> str:
    return _OPTIONS.get(str(location[0]), f"--{location[0]}")


def _key(stack: Stack, place: str) -> str:
    """A key in the approved bucket, which may be given as its S3 URI."""
    if not place.startswith("s3://"):
        return place
    bucket, _, key = place.removeprefix("s3://").partition("/")
    if bucket != stack.approved:
        raise CommandError(f"{place} is not in the approved bucket ({stack.approved}): upload it to intake first.")
    return key


def _pair(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not equals or not name:
        raise CommandError(f"--hyperparameter takes NAME=VALUE, not {given}.")
    return name, value


def start_launch(stack: Stack, request: LaunchRequest) -> str:
    """Have the gate launch it; returns the execution's ARN."""
    started = stack.stepfunctions.start_execution(
        stateMachineArn=stack.output("LaunchStateMachineArn"),
        name=_execution_name(request.name),
        input=json.dumps(request.model_dump(mode="json")),
    )
    return started["executionArn"]


def _launch(stack: Stack, request: LaunchRequest, no_wait: bool, as_json: bool) -> None:
    execution = start_launch(stack, request)
    if no_wait:
        _tell_started(execution, as_json)
        return
    ended = follow(stack.stepfunctions, execution)
    if as_json:
        print_json(_to_json(execution, ended))
    else:
        _print(ended)
    raise typer.Exit(exit_code(ended))


def _execution_name(job: str) -> str:
    """Unique, and fit to be Bedrock's clientRequestToken as well, which takes letters, digits and dashes."""
    return f"{re.sub('[^A-Za-z0-9]', '-', job)}-{uuid.uuid4().hex[:12]}"


def exit_code(ended: Look) -> int:
    if ended.status == "SUCCEEDED":
        return 0 if ended.progress.approval == Approval.APPROVED else NO_TELLING
    if ended.status != "FAILED" or ended.progress.approval == Approval.HELD:
        return NO_TELLING
    return EXIT_NOT_APPROVED


def _tell_started(execution: str, as_json: bool) -> None:
    if as_json:
        print_json({"execution": execution})
        return
    output().print(cell(f"Launched. {how_to_follow(execution, '')}"), soft_wrap=True)


def _to_json(execution: str, ended: Look) -> dict[str, Any]:
    progress = ended.progress
    return {
        "execution": execution,
        "job": progress.arn,
        "status": progress.status,
        "approval": progress.approval,
        "model": progress.model_arn,
        "reason": _reason(ended),
    }


def _print(ended: Look) -> None:
    progress = ended.progress
    if exit_code(ended) == 0:
        output().print(cell(f"approved  {progress.model_arn}"), soft_wrap=True)
        return
    verdict = progress.approval if progress.approval in {Approval.REJECTED, Approval.HELD} else "not approved"
    output().print(cell(f"{verdict}  {_reason(ended)}"), soft_wrap=True)
    for name in re.split(r",\s*", progress.reason):
        if name in BY_ID:
            say(f"{name}: {BY_ID[name].title}. {BY_ID[name].remedy}")
    if progress.arn:
        say(f"All that is known of it: tunegate jobs {progress.arn}")


def _reason(ended: Look) -> str:
    """Why it was not approved: what the gate says, or else what ended the execution."""
    if ended.progress.reason or ended.status == "SUCCEEDED":
        return ended.progress.reason
    if ended.status not in _ENDED_BY_ITSELF:
        return f"the launch ended as {ended.status}"
    return _message(ended.cause) or "the launch failed; its execution says why"


def _message(cause: str) -> str:
    """A step's error as Lambda hands it on, `{"errorMessage": …}`, or the text as it is."""
    try:
        told = json.loads(cause)
    except ValueError:
        return cause
    return str(told.get("errorMessage", "")) if isinstance(told, dict) else cause
