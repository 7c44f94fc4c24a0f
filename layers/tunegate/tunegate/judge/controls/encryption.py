"""R2, R10, R11: everything is under a customer managed key, and the key itself is in good order."""

from collections.abc import Iterator

from tunegate.job_facts import BucketFacts, JobFacts, KeyFacts, Known, State
from tunegate.judge.controls.control import Control, known
from tunegate.judge.controls.documents import allowing, everyone, names_principals
from tunegate.model import Severity
from tunegate.subject import Kind

_UNDER_A_KEY = frozenset(
    {Kind.CUSTOMIZATION_JOB, Kind.CUSTOM_MODEL, Kind.IMPORT_JOB, Kind.IMPORTED_MODEL, Kind.COPY_JOB}
)


def _has_key(facts: JobFacts) -> Iterator[str]:
    if not facts.described.key_arn:
        yield f"{facts.described.name} names no customer managed key, so AWS's own key encrypts the model"


def _copy_keeps_key(facts: JobFacts) -> Iterator[str]:
    if facts.described.key_arn:
        return
    yield "the copy names no customer managed key, though copying does not keep the source's"


def _key(facts: JobFacts) -> KeyFacts | None:
    """The key the subject names. Where it names none, another control tells, and those of the key are silent."""
    return known(facts.key) if facts.described.key_arn else None


def _customer_managed(facts: JobFacts) -> Iterator[str]:
    key = _key(facts)
    if facts.described.key_arn and key is None:
        yield f"the key {facts.described.key_arn} does not exist"
    if key is not None and not key.customer_managed:
        yield f"{key.arn} is managed by AWS"


def _enabled(facts: JobFacts) -> Iterator[str]:
    key = _key(facts)
    if key is not None and not key.enabled:
        yield f"{key.arn} is disabled or about to be deleted"


def _rotates(facts: JobFacts) -> Iterator[str]:
    key = _key(facts)
    if key is not None and key.customer_managed and not known(key.rotates):
        yield f"{key.arn} is not rotated every year"


def _allowed(facts: JobFacts) -> Iterator[str]:
    key = _key(facts)
    allowed = facts.rules.allowed_model_key_arns | {facts.expected.model_key_arn}
    if key is not None and key.customer_managed and key.arn not in allowed:
        yield f"{key.arn} is not one of the keys for models"


def _policy_closed(facts: JobFacts) -> Iterator[str]:
    key = _key(facts)
    if key is None or not key.customer_managed:
        return
    yield from open_statements(key)


def open_statements(key: KeyFacts) -> Iterator[str]:
    """Each statement of a key's policy that lets everyone in."""
    for statement in allowing(known(key.policy)):
        if everyone(statement) and not names_principals(statement):
            yield f"the policy of {key.arn} allows every principal ({statement.sid or 'a statement without Sid'})"


def _input_buckets(facts: JobFacts) -> Iterator[str]:
    yield from _not_under_data_key(facts, facts.input_bucket)


def _output_bucket(facts: JobFacts) -> Iterator[str]:
    yield from _not_under_data_key(facts, facts.output_bucket)


def _not_under_data_key(facts: JobFacts, read: Known[BucketFacts | None]) -> Iterator[str]:
    bucket = known(read)
    if bucket is not None and known(bucket.key_arn) != facts.expected.data_key_arn:
        yield f"the bucket {bucket.name} does not encrypt with {facts.expected.data_key_arn} by default"


def _input_objects(facts: JobFacts) -> Iterator[str]:
    for item in known(facts.inputs):
        if item.key_arn != facts.expected.data_key_arn:
            yield f"s3://{item.object.bucket}/{item.object.key} is encrypted with {item.key_arn or 'no CMK'}"


def _output_objects(facts: JobFacts) -> Iterator[str]:
    if facts.described.state is not State.DONE:
        return
    for key, key_arn in known(facts.output_keys).items():
        if key_arn != facts.expected.data_key_arn:
            yield f"the result {key} is encrypted with {key_arn or 'no CMK'}"


CONTROLS: tuple[Control[JobFacts], ...] = (
    Control(
        "encryption.job_model_key", "A job encrypts the model it makes with a customer managed key",
        Severity.CRITICAL, True, ("R2", "R10"),
        "Start the job again with customModelKmsKeyId; `tunegate train` sets it.",
        frozenset({Kind.CUSTOMIZATION_JOB, Kind.TRAINING_JOB}), _has_key,
    ),
    Control(
        "encryption.custom_model_key", "A custom model is under a customer managed key",
        Severity.CRITICAL, True, ("R2", "R10"),
        "Make the model again under the model key; a model's key cannot be changed.",
        frozenset({Kind.CUSTOM_MODEL}), _has_key,
    ),
    Control(
        "encryption.imported_model_key", "An imported model is under a customer managed key",
        Severity.CRITICAL, True, ("R2", "R8", "R10"),
        "Import again with importedModelKmsKeyId; `tunegate import` sets it.",
        frozenset({Kind.IMPORT_JOB, Kind.IMPORTED_MODEL}), _has_key,
    ),
    Control(
        "encryption.copied_model_key", "A copied model stays under a customer managed key",
        Severity.CRITICAL, True, ("R2", "R10"),
        "Copy again with modelKmsKeyId: a copy without it is under AWS's own key, whatever the source was under.",
        frozenset({Kind.COPY_JOB}), _copy_keeps_key,
    ),
    Control(
        "encryption.key_customer_managed", "The model's key is customer managed",
        Severity.CRITICAL, True, ("R10",),
        "Use the stack's model key (output ModelKeyArn), or name your own in the policy's allowed_model_key_arns.",
        _UNDER_A_KEY, _customer_managed,
    ),
    Control(
        "encryption.key_enabled", "The model's key is enabled",
        Severity.HIGH, True, ("R10",),
        "Enable the key or cancel its deletion: kms:EnableKey, kms:CancelKeyDeletion.",
        _UNDER_A_KEY, _enabled,
    ),
    Control(
        "encryption.key_rotates", "The model's key rotates every year",
        Severity.MEDIUM, True, ("R10",),
        "Turn rotation on: kms:EnableKeyRotation.",
        _UNDER_A_KEY, _rotates,
    ),
    Control(
        "encryption.key_allowed", "The model's key is one of those for models",
        Severity.HIGH, True, ("R10", "R11"),
        "Use the stack's model key, or name this one in the policy's allowed_model_key_arns.",
        _UNDER_A_KEY, _allowed,
    ),
    Control(
        "encryption.key_policy_closed", "The key policy of the model's key names who may use it",
        Severity.CRITICAL, True, ("R11",),
        'Take the statement with the principal "*" (or NotPrincipal) out of the key policy.',
        _UNDER_A_KEY, _policy_closed,
    ),
    Control(
        "encryption.input_bucket_key", "The buckets a job reads encrypt with the data key by default",
        Severity.HIGH, True, ("R2", "R10", "R17"),
        "Put the bucket's default encryption back to the data key, or deploy the stack again.",
        frozenset({Kind.CUSTOMIZATION_JOB, Kind.IMPORT_JOB}), _input_buckets,
    ),
    Control(
        "encryption.output_bucket_key", "The bucket a job writes to encrypts with the data key by default",
        Severity.HIGH, True, ("R2", "R10", "R17"),
        "Let the job write to the stack's output bucket; `tunegate train` does.",
        frozenset({Kind.CUSTOMIZATION_JOB}), _output_bucket,
    ),
    Control(
        "encryption.input_object_key", "Each object a job reads is encrypted with the data key",
        Severity.HIGH, True, ("R2", "R10"),
        "Upload the file again through intake: the gate copies it under the data key.",
        frozenset({Kind.CUSTOMIZATION_JOB, Kind.IMPORT_JOB}), _input_objects,
    ),
    Control(
        "encryption.output_object_key", "The metrics a job wrote are encrypted with the data key",
        Severity.HIGH, True, ("R2", "R10"),
        "Copy the named objects onto themselves under the data key, and mend the output bucket's default encryption.",
        frozenset({Kind.CUSTOMIZATION_JOB}), _output_objects,
    ),
)  # fmt: skip
