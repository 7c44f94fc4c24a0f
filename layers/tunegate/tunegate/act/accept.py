"""Accepting a proposed policy, or refusing it with the field named; the last good one stays until then."""

from typing import TYPE_CHECKING

from tunegate.act.ledger import Ledger, write_once
from tunegate.errors import aws_call
from tunegate.model import ObjectVersion
from tunegate.observe.objects import ObjectSource, stored_object
from tunegate.observe.policies import CURRENT_KEY, key_of
from tunegate.policy import Policy, PolicyError, parse_policy
from tunegate.rows import Entity
from tunegate.times import now

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MOST_BYTES = 1024 * 1024


def accept_policy(s3: "S3Client", ledger: Ledger, proposed: ObjectVersion) -> Policy | None:
    """Put a valid proposal in force and return it; record a refusal and return None for a broken one."""
    size = stored_object(s3, proposed).size
    try:
        if size > MOST_BYTES:
            raise PolicyError(f"document: larger than {MOST_BYTES} bytes")
        policy = parse_policy(b"".join(ObjectSource(s3, proposed, size).chunks(0, size)))
    except PolicyError as error:
        _record(ledger, proposed, "refused", str(error))
        return None
    # The copy by digest goes first: whoever reads the current one can then always find it again.
    for key in (key_of(policy.digest), CURRENT_KEY):
        with aws_call("Putting the policy in force"):
            s3.put_object(
                Bucket=proposed.bucket, Key=key, Body=policy.canonical().encode(), ContentType="application/json"
            )
    _record(ledger, proposed, "accepted", policy.digest)
    return policy


def _record(ledger: Ledger, proposed: ObjectVersion, outcome: str, reason: str) -> None:
    item = {
        "pk": f"policy#{proposed.digest}",
        "sk": outcome,
        "entity": Entity.POLICY.value,
        "at": now(),
        "verdict": outcome,
        "reason": reason,
        "bucket": proposed.bucket,
        "key": proposed.key,
        "version_id": proposed.version_id,
    }
    write_once(ledger.dynamodb, ledger.table, item)
