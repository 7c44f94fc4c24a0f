"""Carrying out what follows from a conclusion. Each step is safe to repeat, and content with finding it done."""

from typing import Any

from botocore.exceptions import ClientError

from tunegate.errors import aws_call, error_code
from tunegate.judge.consequence import Consequence
from tunegate.subject import Kind, Subject
from tunegate.verdict_tags import MODEL_VERDICT_TAG, USABLE

_GONE = "ResourceNotFoundException"
_ENDED = frozenset({"ConflictException", _GONE})
_STAYS = frozenset({"ConflictException", "ValidationException"})


def restrict(bedrock: Any, subject: Subject, due: Consequence) -> list[str]:
    """Stop, mark as not usable. Returns in words what was done."""
    done = []
    if due.mark and due.mark not in USABLE:
        mark(bedrock, subject, due.mark)
        done.append(f"marked it {due.mark}, so that the invoker role cannot use it")
    if due.stop:
        _stop(bedrock, subject.arn)
        done.append("stopped the job")
    return done


def remove(bedrock: Any, subject: Subject) -> str:
    """Delete a means to invoke a model, or an imported one. Returns in words whether it could be.

    What Bedrock will not take away, such as throughput under a commitment, does not raise: the mark stands.
    """
    with aws_call("Removing it"):
        try:
            _delete(bedrock, subject)
        except ClientError as error:
            if error_code(error) in _STAYS:
                return f"could not delete it (Bedrock answered {error_code(error)})"
            if error_code(error) != _GONE:
                raise
    return "deleted it"


def mark(bedrock: Any, subject: Subject, verdict: str) -> None:
    """Put the verdict tag on a model or on a means to invoke one; one that is gone meanwhile needs none."""
    with aws_call("Marking with the verdict"):
        try:
            bedrock.tag_resource(resourceARN=subject.arn, tags=[{"key": MODEL_VERDICT_TAG, "value": verdict}])
        except ClientError as error:
            if error_code(error) != _GONE:
                raise


def _stop(bedrock: Any, arn: str) -> None:
    with aws_call("Stopping the job"):
        try:
            bedrock.stop_model_customization_job(jobIdentifier=arn)
        except ClientError as error:
            if error_code(error) not in _ENDED:
                raise


def _delete(bedrock: Any, subject: Subject) -> None:
    if subject.kind is Kind.DEPLOYMENT:
        bedrock.delete_custom_model_deployment(customModelDeploymentIdentifier=subject.arn)
    elif subject.kind is Kind.THROUGHPUT:
        bedrock.delete_provisioned_model_throughput(provisionedModelId=subject.arn)
    else:
        bedrock.delete_imported_model(modelIdentifier=subject.arn)
