"""All the facts of one subject, brought together from the services that hold them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tunegate.job_facts import (
    BucketFacts,
    Description,
    Expected,
    InputObject,
    JobFacts,
    Known,
    State,
    Unknown,
)
from tunegate.job_rules import JobRules
from tunegate.judge.controls.lineage import bucket_of
from tunegate.model import ObjectVersion
from tunegate.observe.buckets import bucket_facts
from tunegate.observe.descriptions import tags_of
from tunegate.observe.inputs import InputsSeen, inputs, output_keys
from tunegate.observe.keys import key_facts
from tunegate.observe.listings import endpoints_of
from tunegate.observe.networks import network
from tunegate.observe.reads import read
from tunegate.observe.roles import role_facts
from tunegate.observe.subjects import decided, is_evidenced, origin_of, read_manifest, standing_of, subject_row
from tunegate.subject import Kind

_JUDGED_BY_ROLE = frozenset({Kind.CUSTOMIZATION_JOB, Kind.IMPORT_JOB})


@dataclass(frozen=True, slots=True)
class Sources:
    """Where facts are read: AWS clients by service name, the ledger's table and the evidence bucket."""

    client: Callable[[str], Any]
    table: str
    evidence: str


def job_facts(sources: Sources, described: Description, rules: JobRules, expected: Expected) -> JobFacts:
    """Everything the controls ask of a subject. Retryable errors rise; every other one makes a fact unknown."""
    kind, client = described.subject.kind, sources.client
    seen = _inputs(sources, described, expected)
    # The tags before the ledger: whoever finds the gate's tag then also finds the decision behind it.
    tags = tags_of(client("bedrock"), described.subject.arn) if kind.is_model or kind.is_endpoint else {}
    serving = endpoints_of(client("bedrock"), described.subject.arn) if kind is Kind.CUSTOM_MODEL else ()
    return JobFacts(
        described,
        rules,
        expected,
        role=role_facts(client("iam"), described.role_arn) if kind in _JUDGED_BY_ROLE else None,
        key=key_facts(client("kms"), described.key_arn) if described.key_arn else None,
        network=network(client("ec2"), described.vpc.subnet_ids) if described.vpc else None,
        input_bucket=_bucket(sources, expected.approved_bucket, described.inputs),
        output_bucket=_bucket(sources, expected.output_bucket, (described.output,)),
        inputs=seen if isinstance(seen, Unknown) else seen.read,
        began_with=seen if isinstance(seen, Unknown) else seen.began_with,
        output_keys=_output_keys(sources, described, expected),
        manifest=_manifest(sources, described),
        standings=tuple(standing_of(client("dynamodb"), sources.table, arn) for arn in described.rests_on),
        serving=serving,
        tags=tags,
        marked=_marked(sources, described),
    )


def with_origin(sources: Sources, described: Description) -> Description:
    """A model's description with what it was made from, where only the ledger knows that."""
    if described.rests_on or not described.subject.kind.is_model:
        return described
    origin = origin_of(sources.client("dynamodb"), sources.table, described.subject.arn)
    if origin.get("source", "").startswith("s3://"):
        return replace(described, inputs=(origin["source"],))
    made_by = origin.get("job") or origin.get("source")
    return replace(described, rests_on=(made_by,)) if made_by else described


def _inputs(sources: Sources, described: Description, expected: Expected) -> Known[InputsSeen]:
    """Only what lies in `approved` is looked at: that a job reads elsewhere is a finding in itself."""
    ours = tuple(uri for uri in described.inputs if bucket_of(uri) == expected.approved_bucket)
    if not ours:
        return InputsSeen((), ())
    s3, dynamodb = sources.client("s3"), sources.client("dynamodb")

    def standing(key: str, version_id: str) -> tuple[str, str, Known[bool]]:
        version = ObjectVersion(expected.approved_bucket, key, version_id)
        verdict, policy_digest, row = decided(dynamodb, sources.table, version)
        if row is None:
            return verdict, policy_digest, False
        place = f"{sources.evidence}/{row.evidence}"
        return verdict, policy_digest, read("s3:GetObject", place, lambda: is_evidenced(s3, sources.evidence, row))

    began = datetime.fromisoformat(described.created_at)
    ended = datetime.fromisoformat(described.ended_at) if described.ended_at else None
    # A model that no job made was made of what lay there at that moment.
    return inputs(s3, ours, began, began if described.subject.kind.is_model else ended, standing)


def _bucket(sources: Sources, name: str, uris: tuple[str, ...]) -> Known[BucketFacts | None]:
    if not any(bucket_of(uri) == name for uri in uris):
        return None
    return bucket_facts(sources.client("s3"), name, protections=False)


def _output_keys(sources: Sources, described: Description, expected: Expected) -> Known[Mapping[str, str]]:
    if described.state is not State.DONE or bucket_of(described.output) != expected.output_bucket:
        return {}
    return output_keys(sources.client("s3"), described.output)


def _manifest(sources: Sources, described: Description) -> Known[tuple[InputObject, ...] | None]:
    if not described.inputs:
        return None
    s3, arn = sources.client("s3"), described.subject.arn
    return read("s3:GetObject", sources.evidence, lambda: read_manifest(s3, sources.evidence, arn))


def _marked(sources: Sources, described: Description) -> str:
    row = subject_row(sources.client("dynamodb"), sources.table, described.subject.arn)
    return row.marked if row else ""
