"""R1, R3, R5: a job reads exactly what was scanned and found clean, from its beginning to its end."""

from collections.abc import Iterator

from tunegate.job_facts import Input, JobFacts
from tunegate.judge.controls.control import Control, known
from tunegate.model import Severity, Verdict
from tunegate.subject import Kind

_READING = frozenset(
    # A custom model reads by itself where no job made it.
    {Kind.CUSTOMIZATION_JOB, Kind.IMPORT_JOB, Kind.CUSTOM_MODEL, Kind.TRAINING_JOB, Kind.MODEL_PACKAGE}
)
_RUNNING_ON = frozenset({Kind.CUSTOMIZATION_JOB, Kind.IMPORT_JOB, Kind.TRAINING_JOB})
_MOST_NAMED = 20
"""Objects a finding names; the evidence names all."""


def _in_approved(facts: JobFacts) -> Iterator[str]:
    for uri in facts.described.inputs:
        if bucket_of(uri) != facts.expected.approved_bucket:
            yield f"the job reads {uri}, which is not in {facts.expected.approved_bucket}"


def bucket_of(uri: str) -> str:
    return uri.removeprefix("s3://").partition("/")[0]


def _inputs_found(facts: JobFacts) -> Iterator[str]:
    approved = [uri for uri in facts.described.inputs if bucket_of(uri) == facts.expected.approved_bucket]
    if approved and not known(facts.inputs):
        yield f"there is nothing at {', '.join(approved)}"


def _scanned_clean(facts: JobFacts) -> Iterator[str]:
    unclean = [item for item in known(facts.inputs) if not _is_clean(item)]
    for item in unclean[:_MOST_NAMED]:
        why = f"tagged {item.verdict or 'with no verdict'}, by the ledger {item.decided or 'never decided'}"
        yield f"{item.object.key} (version {item.object.version_id}) is {why}"
    if len(unclean) > _MOST_NAMED:
        yield f"and {len(unclean) - _MOST_NAMED} more objects"


def _is_clean(item: Input) -> bool:
    """Both must say so: the tag is what Bedrock reads by, the ledger is what the gate decided."""
    return item.verdict == Verdict.CLEAN and item.decided == Verdict.CLEAN


def _evidenced(facts: JobFacts) -> Iterator[str]:
    """Of what both tag and ledger call clean: the control before tells of all else."""
    forged = [item for item in known(facts.inputs) if _is_clean(item) and not item.evidenced]
    for item in forged[:_MOST_NAMED]:
        yield f"no findings bear out that {item.object.key} (version {item.object.version_id}) was scanned"
    if len(forged) > _MOST_NAMED:
        yield f"and {len(forged) - _MOST_NAMED} more objects"


def _policy_accepted(facts: JobFacts) -> Iterator[str]:
    withdrawn = facts.rules.withdrawn_policy_digests
    for item in known(facts.inputs):
        if item.decided and item.policy_digest in withdrawn:
            yield f"{item.object.key} was found clean under the withdrawn policy {item.policy_digest[:12]}"


def _unchanged(facts: JobFacts) -> Iterator[str]:
    """Bedrock reads the current version and records none, so what was there at the start must be there at the end."""
    recorded = known(facts.manifest)
    began_with = known(facts.began_with) if recorded is None else recorded
    before = {(item.bucket, item.key): item for item in began_with}
    after = {(item.object.bucket, item.object.key): item.object for item in known(facts.inputs)}
    for place in sorted(before.keys() | after.keys()):
        was, became = before.get(place), after.get(place)
        if was is None and became is not None:
            yield f"{became.key} was added while the job ran (version {became.version_id})"
        elif became is None and was is not None:
            yield f"{was.key} was removed while the job ran (version {was.version_id})"
        elif was != became and was is not None and became is not None:
            yield f"{was.key} was replaced while the job ran: {was.version_id} became {became.version_id}"


def _output_in_place(facts: JobFacts) -> Iterator[str]:
    output = facts.described.output
    if output and bucket_of(output) != facts.expected.output_bucket:
        yield f"the job writes to {output}, which is not in {facts.expected.output_bucket}"


def _invocation_logs(facts: JobFacts) -> Iterator[str]:
    source = facts.described.invocation_logs
    if source and source not in facts.rules.allowed_invocation_log_uris:
        yield f"the job trains on the invocation logs at {source}, which no scan has seen"


def _grader(facts: JobFacts) -> Iterator[str]:
    grader = facts.described.grader
    if grader and grader not in facts.rules.allowed_grader_arns:
        yield f"the job hands its answers to {grader}"


CONTROLS: tuple[Control[JobFacts], ...] = (
    Control(
        "lineage.inputs_in_approved", "A job reads from the approved bucket only",
        Severity.CRITICAL, True, ("R1", "R3", "R5", "R13"),
        "Upload the data to intake, and train on what the gate puts in the approved bucket.",
        _READING, _in_approved,
    ),
    Control(
        "lineage.inputs_found", "The data a job names is there",
        Severity.HIGH, True, ("R3",),
        "Name a key or prefix that exists in the approved bucket: tunegate status.",
        _READING, _inputs_found,
    ),
    Control(
        "lineage.inputs_scanned_clean", "Every object a job reads was scanned and found clean, in exactly this version",
        Severity.CRITICAL, True, ("R3", "R5"),
        "Have the named objects scanned: tunegate rescan KEY, or upload them again.",
        _READING, _scanned_clean,
    ),
    Control(
        "lineage.verdict_evidenced", "What was judged of each object a job reads bears its verdict out",
        Severity.CRITICAL, True, ("R3", "R5"),
        "Find in CloudTrail who wrote to the ledger and the approved bucket; upload the named objects again.",
        _READING, _evidenced,
    ),
    Control(
        "lineage.policy_accepted", "The policy under which the data was found clean still counts",
        Severity.HIGH, True, ("R3",),
        "Scan the named objects again under the policy in force: tunegate rescan KEY.",
        _READING, _policy_accepted,
    ),
    Control(
        "lineage.inputs_unchanged", "What a job reads did not change while it ran",
        Severity.CRITICAL, True, ("R5",),
        "Train again on data that stays as it is; CloudTrail's data events say who wrote to the approved bucket.",
        _RUNNING_ON, _unchanged,
    ),
    Control(
        "lineage.output_in_place", "A job writes to the output bucket only",
        Severity.HIGH, True, ("R4", "R13", "R17"),
        "Let the job write to the stack's output bucket; `tunegate train` does.",
        frozenset({Kind.CUSTOMIZATION_JOB}), _output_in_place,
    ),
    Control(
        "lineage.invocation_logs_allowed", "A job trains on invocation logs only where they are allowed by name",
        Severity.HIGH, True, ("R3", "R5"),
        "Export the logs to intake, or name their S3 URI in the policy's allowed_invocation_log_uris.",
        frozenset({Kind.CUSTOMIZATION_JOB}), _invocation_logs,
    ),
    Control(
        "lineage.grader_allowed", "A job is graded only by functions allowed by name",
        Severity.HIGH, True, ("R4",),
        "Name the function's ARN in the policy's allowed_grader_arns once somebody has read its code.",
        frozenset({Kind.CUSTOMIZATION_JOB}), _grader,
    ),
)  # fmt: skip
