"""What exists in Bedrock, listed: what serves a model, and everything the gate should know of."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tunegate.errors import aws_call
from tunegate.job_facts import Known, Unknown
from tunegate.observe.reads import read

_DEPLOYMENTS = ("list_custom_model_deployments", "modelDeploymentSummaries", "customModelDeploymentArn")
_THROUGHPUTS = ("list_provisioned_model_throughputs", "provisionedModelSummaries", "provisionedModelArn")
_MODELS = (
    ("list_custom_models", "modelSummaries", "modelArn"),
    ("list_imported_models", "modelSummaries", "modelArn"),
)
_JOBS = (
    ("list_model_customization_jobs", "modelCustomizationJobSummaries", "jobArn"),
    ("list_model_import_jobs", "modelImportJobSummaries", "jobArn"),
    ("list_model_copy_jobs", "modelCopyJobSummaries", "jobArn"),
)


def endpoints_of(bedrock: Any, model_arn: str) -> Known[tuple[str, ...]]:
    """The ARNs of a custom model's deployments and provisioned throughputs."""
    found: list[str] = []
    for listing in (_DEPLOYMENTS, _THROUGHPUTS):
        arns = _serving(bedrock, listing, model_arn)
        if isinstance(arns, Unknown):
            return arns
        found.extend(arns)
    return tuple(found)


def _serving(bedrock: Any, listing: tuple[str, str, str], model_arn: str) -> Known[tuple[str, ...]]:
    action = "".join(word.title() for word in listing[0].split("_"))
    return read(f"bedrock:{action}", model_arn, lambda: tuple(_arns(bedrock, *listing, modelArnEquals=model_arn)))


def all_subjects(bedrock: Any, jobs_since: datetime) -> Iterator[str]:
    """The ARNs of every job created since then, and of every model, deployment and throughput; jobs first."""
    with aws_call("Listing what exists in Bedrock"):
        for listing in _JOBS:
            yield from _arns(bedrock, *listing, creationTimeAfter=jobs_since)
        for listing in (*_MODELS, _DEPLOYMENTS, _THROUGHPUTS):
            yield from _arns(bedrock, *listing)


def _arns(bedrock: Any, operation: str, summaries: str, arn: str, **asked: Any) -> Iterator[str]:
    for page in bedrock.get_paginator(operation).paginate(**asked):
        yield from (summary[arn] for summary in page.get(summaries, ()))
