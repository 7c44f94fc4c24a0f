"""Attacks on what is kept: quarantined files, and the evidence behind verdicts."""

from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from attacks import undo
from attacks.attack import Attack, Outcome, detected, prevented
from attacks.attacker import Attacker
from attacks.ground import Ground


def _still_there(ground: Ground) -> Outcome:
    return prevented("Object Lock: the version is still there") if ground.exists(ground.quarantined) else detected(None)


def delete_version(attacker: Attacker, ground: Ground) -> Outcome:
    kept = ground.quarantined
    attacker.client("s3").delete_object(Bucket=kept.bucket, Key=kept.key, VersionId=kept.version_id)
    return _still_there(ground)


def bypass_retention(attacker: Attacker, ground: Ground) -> Outcome:
    kept = ground.quarantined
    attacker.client("s3").delete_object(
        Bucket=kept.bucket, Key=kept.key, VersionId=kept.version_id, BypassGovernanceRetention=True
    )
    return _still_there(ground)


def shorten_retention(attacker: Attacker, ground: Ground) -> Outcome:
    kept, soon = ground.quarantined, datetime.now(UTC) + timedelta(seconds=1)
    attacker.client("s3").put_object_retention(
        Bucket=kept.bucket,
        Key=kept.key,
        VersionId=kept.version_id,
        BypassGovernanceRetention=True,
        Retention={"Mode": "GOVERNANCE", "RetainUntilDate": soon},
    )
    until = ground.retained_until(kept)
    return prevented("the retention is what it was") if until > soon + timedelta(days=1) else detected(None)


def _expiring(purpose: str) -> Any:
    def attack(attacker: Attacker, ground: Ground) -> Outcome:
        bucket, since = ground.name(purpose), ground.estate_alerts()
        rule = {"ID": "Tidy", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 1}}  # fmt: skip
        with undo.lifecycle(ground.world, bucket):
            attacker.client("s3").put_bucket_lifecycle_configuration(
                Bucket=bucket, LifecycleConfiguration={"Rules": [rule]}
            )
            return detected(ground.estate_alert("estate.bucket_lifecycle", since))

    return attack


def delete_bucket(attacker: Attacker, ground: Ground) -> Outcome:
    kept = ground.quarantined
    try:
        attacker.client("s3").delete_bucket(Bucket=kept.bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] == "BucketNotEmpty":
            return prevented("S3 deletes no bucket that holds something")
        raise
    return detected(None)


def unlock(attacker: Attacker, ground: Ground) -> Outcome:
    bucket, since = ground.name("QuarantineBucket"), ground.estate_alerts()
    with undo.object_lock(ground.world, bucket):
        attacker.client("s3").put_object_lock_configuration(
            Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
        )
        return detected(ground.estate_alert("estate.object_lock", since))


def read_quarantined(attacker: Attacker, ground: Ground) -> Outcome:
    kept = ground.quarantined
    attacker.client("s3").get_object(Bucket=kept.bucket, Key=kept.key, VersionId=kept.version_id)
    return detected(None)


def brings_back(attacker: Attacker, ground: Ground) -> bool:
    """Whose duty it is to copy to quarantine and back, by the bucket's policy."""
    return attacker.role in ground.spared("OnlyTheGateReads", ground.bucket_statements("QuarantineBucket"))


def replace_policy(attacker: Attacker, ground: Ground) -> Outcome:
    """Take the statements away that forbid all this."""
    bucket, since = ground.name("QuarantineBucket"), ground.estate_alerts()
    with undo.bucket_policy(ground.world, bucket):
        attacker.client("s3").delete_bucket_policy(Bucket=bucket)
        return detected(ground.estate_alert("estate.bucket_guarantees", since))


ATTACKS = (
    Attack("read what is in quarantine", read_quarantined, duty=brings_back),
    Attack("delete a quarantined version", delete_version),
    Attack("delete it past its retention", bypass_retention),
    Attack("shorten its retention", shorten_retention),
    Attack("have quarantine expire by lifecycle", _expiring("QuarantineBucket")),
    Attack("have evidence expire by lifecycle", _expiring("EvidenceBucket")),
    Attack("take the default retention off", unlock),
    Attack("delete the quarantine bucket", delete_bucket),
    Attack("take a bucket's policy away", replace_policy),
)
