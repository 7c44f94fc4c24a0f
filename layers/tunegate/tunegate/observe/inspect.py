"""The first look at an upload: its facts, what it holds, and how its scan is cut."""

from typing import TYPE_CHECKING

from tunegate.errors import PermanentError
from tunegate.facts import Content
from tunegate.model import ObjectVersion
from tunegate.observe.objects import ObjectSource, stored_object
from tunegate.observe.policies import current_policy
from tunegate.scan.plan import SAMPLE_BYTES, content_of, is_gzip, plan, sample_of
from tunegate.service_answers import waits_of
from tunegate.steps import InspectedFile, Inspection

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def inspect_object(s3: "S3Client", version: ObjectVersion, policy_bucket: str) -> Inspection:
    """Facts and shards of one object version, under the policy in force now, which the whole scan keeps to."""
    policy = current_policy(s3, policy_bucket)
    stored = stored_object(s3, version)
    if policy.models.upload_of(version.key) is not None:
        file = InspectedFile(
            size=stored.size,
            content=Content.MODEL,
            gzipped=False,
            encryption=stored.encryption,
            policy_digest=policy.digest,
        )
        return Inspection(file=file, shards=())
    if stored.size > policy.limits.object_bytes:
        raise PermanentError("it is larger than the policy's limit")
    head = b"".join(ObjectSource(s3, version, stored.size).chunks(0, min(SAMPLE_BYTES, stored.size)))
    gzipped = is_gzip(head)
    file = InspectedFile(
        size=stored.size,
        content=content_of(version.key, sample_of(head)),
        gzipped=gzipped,
        encryption=stored.encryption,
        policy_digest=policy.digest,
    )
    waits = waits_of(policy)
    if file.content is Content.UNREADABLE:
        # Nothing to scan: the judgement holds it.
        return Inspection(file=file, shards=(), waits=waits)
    shards = plan(stored.size, gzipped=gzipped, shard_bytes=policy.limits.shard_bytes)
    return Inspection(file=file, shards=shards, waits=waits)
