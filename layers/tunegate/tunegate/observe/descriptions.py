"""What Bedrock and SageMaker say of a job, a model or a means to invoke one, each through its own call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tunegate.job_facts import Description, Known
from tunegate.observe import bedrock_jobs, bedrock_models, sagemaker_jobs
from tunegate.observe.answers import Answer
from tunegate.observe.reads import read, read_or, saying
from tunegate.subject import Kind, Subject


def describe(bedrock: Any, sagemaker: Any, subject: Subject) -> Known[Description | None]:
    """What the service says of a subject other than the estate; None where it is not there."""
    question = _QUESTIONS[subject.kind]
    service, absent = (sagemaker, _NOT_IN_SAGEMAKER) if question.of_sagemaker else (bedrock, _NOT_IN_BEDROCK)
    return read_or(
        question.action,
        subject.arn,
        lambda: question.described(subject, question.ask(service, subject)),
        absent,
        None,
    )


def tags_of(bedrock: Any, arn: str) -> Known[Mapping[str, str]]:
    """The tags of a Bedrock resource."""
    return read(
        "bedrock:ListTagsForResource",
        arn,
        lambda: {tag["key"]: tag["value"] for tag in bedrock.list_tags_for_resource(resourceARN=arn).get("tags", ())},
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """How one kind of subject is asked for: the IAM action, the call, and what becomes of the answer."""

    action: str
    ask: Callable[[Any, Subject], Answer]
    described: Callable[[Subject, Answer], Description]

    @property
    def of_sagemaker(self) -> bool:
        return self.action.startswith("sagemaker:")


_NOT_IN_BEDROCK = saying("ResourceNotFoundException")
# SageMaker answers a general code for what it does not have, and tells by the words alone.
_NOT_IN_SAGEMAKER = saying(
    "ResourceNotFound", "ValidationException", words=("not found", "does not exist", "could not find")
)


_QUESTIONS: Mapping[Kind, _Question] = {
    Kind.CUSTOMIZATION_JOB: _Question(
        "bedrock:GetModelCustomizationJob",
        lambda bedrock, subject: bedrock.get_model_customization_job(jobIdentifier=subject.arn),
        bedrock_jobs.customization_job,
    ),
    Kind.IMPORT_JOB: _Question(
        "bedrock:GetModelImportJob",
        lambda bedrock, subject: bedrock.get_model_import_job(jobIdentifier=subject.arn),
        bedrock_jobs.import_job,
    ),
    Kind.COPY_JOB: _Question(
        "bedrock:GetModelCopyJob",
        lambda bedrock, subject: bedrock.get_model_copy_job(jobArn=subject.arn),
        bedrock_jobs.copy_job,
    ),
    Kind.CUSTOM_MODEL: _Question(
        "bedrock:GetCustomModel",
        lambda bedrock, subject: bedrock.get_custom_model(modelIdentifier=subject.arn),
        bedrock_models.custom_model,
    ),
    Kind.IMPORTED_MODEL: _Question(
        "bedrock:GetImportedModel",
        lambda bedrock, subject: bedrock.get_imported_model(modelIdentifier=subject.arn),
        bedrock_models.imported_model,
    ),
    Kind.THROUGHPUT: _Question(
        "bedrock:GetProvisionedModelThroughput",
        lambda bedrock, subject: bedrock.get_provisioned_model_throughput(provisionedModelId=subject.arn),
        bedrock_models.throughput,
    ),
    Kind.DEPLOYMENT: _Question(
        "bedrock:GetCustomModelDeployment",
        lambda bedrock, subject: bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=subject.arn),
        bedrock_models.deployment,
    ),
    Kind.TRAINING_JOB: _Question(
        "sagemaker:DescribeTrainingJob",
        lambda sagemaker, subject: sagemaker.describe_training_job(TrainingJobName=subject.name),
        sagemaker_jobs.training_job,
    ),
    Kind.MODEL_PACKAGE: _Question(
        "sagemaker:DescribeModelPackage",
        lambda sagemaker, subject: sagemaker.describe_model_package(ModelPackageName=subject.arn),
        sagemaker_jobs.model_package,
    ),
}
