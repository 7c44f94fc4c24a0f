"""What the job gate decides about: a job, a model or a means to invoke one, known by its ARN; or the estate itself."""

import re
from dataclasses import dataclass
from enum import StrEnum

from tunegate.errors import PermanentError


class Kind(StrEnum):
    """The kinds of subject, by the resource type in their ARN."""

    CUSTOMIZATION_JOB = "model-customization-job"
    IMPORT_JOB = "model-import-job"
    COPY_JOB = "model-copy-job"
    CUSTOM_MODEL = "custom-model"
    IMPORTED_MODEL = "imported-model"
    THROUGHPUT = "provisioned-model"
    DEPLOYMENT = "custom-model-deployment"
    TRAINING_JOB = "training-job"
    MODEL_PACKAGE = "model-package"
    ESTATE = "estate"

    @property
    def is_job(self) -> bool:
        return self in _JOBS

    @property
    def is_model(self) -> bool:
        return self in {Kind.CUSTOM_MODEL, Kind.IMPORTED_MODEL}

    @property
    def is_endpoint(self) -> bool:
        """Whether it is a means to invoke a custom model, which cannot be invoked without one."""
        return self in {Kind.THROUGHPUT, Kind.DEPLOYMENT}


_JOBS = frozenset({Kind.CUSTOMIZATION_JOB, Kind.IMPORT_JOB, Kind.COPY_JOB, Kind.TRAINING_JOB})
_WITH_AN_ARN = frozenset(Kind) - {Kind.ESTATE}
_ARN = re.compile(r"^arn:[a-z-]+:(?:bedrock|sagemaker):[a-z0-9-]+:[0-9]{12}:([a-z-]+)/[A-Za-z0-9.:/_-]+\Z")
ESTATE_ARN = "estate"


class Approval(StrEnum):
    """What is decided about a subject. `held` means it could not be told, and is never a pass."""

    ADMITTED = "admitted"
    """It breaks nothing so far, and has made nothing yet."""
    APPROVED = "approved"
    REJECTED = "rejected"
    HELD = "held"


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """One thing the job gate decides about. ARNs and kinds: Service Authorization Reference, Amazon Bedrock."""

    kind: Kind
    arn: str

    @property
    def name(self) -> str:
        """The last part of the ARN, for people."""
        return self.arn.rsplit("/", 1)[-1]


ESTATE = Subject(Kind.ESTATE, ESTATE_ARN)


def subject_of(arn: str) -> Subject:
    """The subject an ARN names. Raises `PermanentError` for an ARN of anything else."""
    match = _ARN.match(arn)
    if match is None or match[1] not in _WITH_AN_ARN:
        raise PermanentError("this ARN names no job, model or deployment the gate knows")
    return Subject(Kind(match[1]), arn)
