"""R7, R8, R9: a model, and any means to invoke one, comes from a job the gate has approved."""

from collections.abc import Iterator

from tunegate.job_facts import GATES_VERDICT, JobFacts, Standing, State, Unknown
from tunegate.judge.controls.control import Control, known
from tunegate.judge.controls.lineage import bucket_of
from tunegate.model import Severity
from tunegate.subject import Approval, Kind
from tunegate.verdict_tags import MODEL_VERDICT_TAG, USABLE


def _import_from_approved(facts: JobFacts) -> Iterator[str]:
    for uri in facts.described.inputs:
        if bucket_of(uri) != facts.expected.approved_bucket:
            yield f"the model was imported from {uri}"


def _known_origin(facts: JobFacts) -> Iterator[str]:
    model = facts.described.subject
    if model.arn in facts.rules.allowed_model_arns or facts.described.state is not State.DONE:
        return
    # A custom model may be created of files, which are then judged as its inputs; an imported one has a job, always.
    if not facts.standings and (model.kind is Kind.IMPORTED_MODEL or not facts.described.inputs):
        yield f"{facts.described.name} was made by no job the gate can look up"
    for standing in facts.standings:
        if standing.approval not in (Approval.APPROVED, Approval.HELD):
            yield f"{facts.described.name} was made by {standing.arn}, which is {_word(standing)}"
    _none_held(facts)


def _source_approved(facts: JobFacts) -> Iterator[str]:
    for standing in facts.standings:
        if not _usable(facts, standing):
            yield f"the copy's source {standing.arn} is {_word(standing)}"
    _none_held(facts)


def _model_approved(facts: JobFacts) -> Iterator[str]:
    for standing in facts.standings:
        if not _usable(facts, standing):
            yield f"{facts.described.name} serves {standing.arn}, which is {_word(standing)}"
    _none_held(facts)


def _usable(facts: JobFacts, standing: Standing) -> bool:
    # Of one that is held nobody can tell yet.
    decided_well = standing.approval in (Approval.APPROVED, Approval.HELD)
    return decided_well or standing.arn in facts.rules.allowed_model_arns


def _none_held(facts: JobFacts) -> None:
    """What rests on something held is held with it: neither approved, nor taken away for what could not be read."""
    for standing in facts.standings:
        if standing.approval is Approval.HELD and standing.arn not in facts.rules.allowed_model_arns:
            known(Unknown(GATES_VERDICT, standing.arn, standing.approval.value))


def _word(standing: Standing) -> str:
    return standing.approval.value if standing.approval else "unknown to the gate"


def _tag_is_the_gates(facts: JobFacts) -> Iterator[str]:
    tag = known(facts.tags).get(MODEL_VERDICT_TAG)
    if tag in USABLE and tag != facts.marked:
        yield f"{facts.described.name} is tagged {MODEL_VERDICT_TAG}={tag}, which the gate did not do"


CONTROLS: tuple[Control[JobFacts], ...] = (
    Control(
        "model.import_from_approved", "A model is imported from the approved bucket only",
        Severity.CRITICAL, True, ("R5", "R8"),
        "Upload the model's files to intake, and import what the gate puts in the approved bucket: tunegate import.",
        frozenset({Kind.IMPORTED_MODEL}), _import_from_approved,
    ),
    Control(
        "model.known_origin", "A model was made by a job the gate has approved",
        Severity.CRITICAL, True, ("R7", "R8"),
        "Make the model again through `tunegate train` or `tunegate import`, or name it in allowed_model_arns.",
        frozenset({Kind.CUSTOM_MODEL, Kind.IMPORTED_MODEL}), _known_origin,
    ),
    Control(
        "model.copy_source_approved", "Only approved models are copied",
        Severity.HIGH, True, ("R9",),
        "Have the source approved first: tunegate jobs ARN says what it lacks.",
        frozenset({Kind.COPY_JOB}), _source_approved,
    ),
    Control(
        "model.throughput_approved", "Provisioned throughput serves approved models only",
        Severity.HIGH, True, ("R9",),
        "Delete the throughput or point it to an approved model: tunegate jobs ARN says what this one lacks.",
        frozenset({Kind.THROUGHPUT}), _model_approved,
    ),
    Control(
        "model.deployment_approved", "Deployments serve approved models only",
        Severity.HIGH, True, ("R9",),
        "Delete the deployment, and deploy an approved model: tunegate jobs ARN says what this one lacks.",
        frozenset({Kind.DEPLOYMENT}), _model_approved,
    ),
    Control(
        "model.tag_is_the_gates", "Nobody but the gate marks a model as approved",
        Severity.CRITICAL, True, ("R1", "R9"),
        "Find in CloudTrail who called bedrock:TagResource, and take that permission away.",
        frozenset({Kind.CUSTOM_MODEL, Kind.IMPORTED_MODEL, Kind.THROUGHPUT, Kind.DEPLOYMENT}), _tag_is_the_gates,
    ),
)  # fmt: skip
