"""A step of a launch: how far the job is, and what the gate says of it."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.errors import RetryableError
from tunegate.handler import clients, guarded, setting
from tunegate.job_facts import Unknown
from tunegate.launch import progress
from tunegate.observe.descriptions import describe
from tunegate.observe.subjects import subject_row
from tunegate.subject import subject_of


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: `{"arn"}`. Returns a `Progress`."""
    subject = subject_of(event["arn"])
    described = describe(clients("bedrock"), clients("sagemaker"), subject)
    if isinstance(described, Unknown):
        raise RetryableError(f"{described.action} answered {described.error}")
    dynamodb, table = clients("dynamodb"), setting("LEDGER_TABLE")
    model = subject_row(dynamodb, table, described.makes) if described and described.makes else None
    return progress(described, subject_row(dynamodb, table, subject.arn), model, subject.arn).model_dump()
