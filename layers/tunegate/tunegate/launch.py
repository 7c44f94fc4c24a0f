"""Launching the right way: a job with the role, the network, the keys and the data that the gate approves of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, Field

from tunegate.act.tags import Tag
from tunegate.errors import PermanentError, aws_call, error_code
from tunegate.job_facts import Description, State
from tunegate.model import Verdict
from tunegate.subject import Approval
from tunegate.subject_rows import SubjectRow

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LAUNCH_TAG = "tunegate-launch"
"""On each job and model launched here: the execution that did."""


class LaunchRequest(BaseModel):
    """What somebody asks for. Data is named by key or prefix in the approved bucket; names are Bedrock's to check."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["customization", "import"]
    name: str = Field(pattern=r"^[A-Za-z0-9](-*[A-Za-z0-9+.])*$", max_length=63)
    model: str = Field(pattern=r"^([A-Za-z0-9][_-]?)+$", max_length=63)
    data: str = Field(min_length=1, max_length=1024)
    validation: tuple[str, ...] = Field(default=(), max_length=10)
    base_model: str = ""
    customization_type: Literal[
        "FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION", "REINFORCEMENT_FINE_TUNING"
    ] = "FINE_TUNING"
    hyperparameters: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Ground:
    """What jobs are launched with."""

    customization_role: str
    import_role: str
    model_key: str
    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]
    approved_bucket: str
    output_bucket: str


def launch(bedrock: Any, s3: "S3Client", ground: Ground, request: LaunchRequest, token: str) -> str:
    """Create the job and return its ARN. The same `token` again returns the same job.

    Raises `PermanentError` for data that is not there or not approved: the gate would only stop the job later.
    """
    if request.kind == "customization" and not request.base_model:
        raise PermanentError("a customization needs a base model")
    for key in (request.data, *request.validation):
        _must_be_approved(s3, ground.approved_bucket, key)
    with aws_call("Creating the job"):
        try:
            return _create(bedrock, ground, request, token)
        except ClientError as error:
            if error_code(error) != "ValidationException":
                raise
            # Bedrock's words are about names in the request, and tell what to mend.
            said = error.response["Error"].get("Message", "it does not say why")
            raise PermanentError(f"Bedrock refused the job: {said[:500]}") from None


def _create(bedrock: Any, ground: Ground, request: LaunchRequest, token: str) -> str:
    if request.kind == "import":
        return str(bedrock.create_model_import_job(**_import(ground, request, token))["jobArn"])
    return str(bedrock.create_model_customization_job(**_customization(ground, request, token))["jobArn"])


def _customization(ground: Ground, request: LaunchRequest, token: str) -> dict[str, Any]:
    validators = [{"s3Uri": _uri(ground.approved_bucket, key)} for key in request.validation]
    return _common(ground, request, token, ground.customization_role) | {
        "customModelName": request.model,
        "baseModelIdentifier": request.base_model,
        "customizationType": request.customization_type,
        "customModelKmsKeyId": ground.model_key,
        "customModelTags": _tags(token),
        "trainingDataConfig": {"s3Uri": _uri(ground.approved_bucket, request.data)},
        **({"validationDataConfig": {"validators": validators}} if validators else {}),
        "outputDataConfig": {"s3Uri": _uri(ground.output_bucket, f"jobs/{request.name}/")},
        "hyperParameters": request.hyperparameters,
    }


def _import(ground: Ground, request: LaunchRequest, token: str) -> dict[str, Any]:
    return _common(ground, request, token, ground.import_role) | {
        "importedModelName": request.model,
        "importedModelKmsKeyId": ground.model_key,
        "importedModelTags": _tags(token),
        "modelDataSource": {"s3DataSource": {"s3Uri": _uri(ground.approved_bucket, request.data)}},
    }


def _common(ground: Ground, request: LaunchRequest, token: str, role: str) -> dict[str, Any]:
    return {
        "jobName": request.name,
        "roleArn": role,
        "clientRequestToken": token,
        "jobTags": _tags(token),
        "vpcConfig": {"subnetIds": list(ground.subnet_ids), "securityGroupIds": list(ground.security_group_ids)},
    }


def _tags(token: str) -> list[dict[str, str]]:
    return [{"key": LAUNCH_TAG, "value": token}]


def _uri(bucket: str, key: str) -> str:
    return f"s3://{bucket}/{key}"


def _must_be_approved(s3: "S3Client", bucket: str, key: str) -> None:
    found = False
    with aws_call("Looking at the data"):
        for name in _keys(s3, bucket, key):
            found = True
            tags = {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket=bucket, Key=name)["TagSet"]}
            if tags.get(Tag.VERDICT) != Verdict.CLEAN:
                raise PermanentError(f"{name} is not approved: tunegate status says why")
    if not found:
        raise PermanentError(
            f"there is nothing at {key} in the approved bucket: upload it first, and see tunegate status"
        )


def _keys(s3: "S3Client", bucket: str, key: str) -> Iterator[str]:
    """The object of that name, or all below it where it names a folder."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
        for entry in page.get("Contents", []):
            if entry["Key"] == key or key.endswith("/"):
                yield entry["Key"]


class Progress(BaseModel):
    """How far a launched job is: its service's status, and what the gate says of it and of the model it makes."""

    arn: str
    status: str
    approval: str = ""
    model_arn: str = ""
    done: bool = False
    ok: bool = False
    reason: str = ""


def progress(described: Description | None, row: SubjectRow | None, model: SubjectRow | None, arn: str) -> Progress:
    """A job is done once it has ended and the gate has decided on it, and on the model where there is one."""
    if described is None:
        return Progress(arn=arn, status="gone", done=True, reason="the job does not exist")
    told = Progress(arn=arn, status=described.status, model_arn=described.makes)
    decided = row if row is None or row.state is not State.RUNNING else None
    if described.state is State.RUNNING or decided is None:
        return told
    if described.state is State.ENDED:
        return told.model_copy(
            update={"done": True, "approval": decided.approval.value, "reason": _why(described, decided)}
        )
    if model is None:
        return told
    ok = decided.approval is Approval.APPROVED and model.approval is Approval.APPROVED
    worse = decided if decided.approval is not Approval.APPROVED else model
    return told.model_copy(
        update={
            "done": True,
            "ok": ok,
            "approval": worse.approval.value,
            "reason": "" if ok else _why(described, worse),
        }
    )


def _why(described: Description, row: SubjectRow) -> str:
    return ", ".join((*row.breaches, *row.gaps)) or described.failure or f"the job ended as {described.status}"
