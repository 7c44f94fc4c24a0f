"""Attacks on the data: reading what nobody scanned, and getting it past the gate."""

from attacks.attack import Attack, Outcome, detected, prevented
from attacks.attacker import Attacker, RefusedError
from attacks.ground import FLAGGED, Ground
from e2e.job_world import RECORDS

CLEAN = "tunegate-verdict=clean"
LINEAGE = ("lineage.inputs_scanned_clean", "lineage.verdict_evidenced")


def read_unscanned(attacker: Attacker, ground: Ground) -> Outcome:
    upload = ground.unscanned
    attacker.client("s3").get_object(Bucket=upload.bucket, Key=upload.key, VersionId=upload.version_id)
    return detected(None)


def write_approved(attacker: Attacker, ground: Ground) -> Outcome:
    key = ground.fresh()
    attacker.client("s3").put_object(Bucket=ground.name("ApprovedBucket"), Key=key, Body=FLAGGED)
    return detected(ground.job_alert(key, *LINEAGE))


def tag_on_put(attacker: Attacker, ground: Ground) -> Outcome:
    key = ground.fresh()
    attacker.client("s3").put_object(Bucket=ground.name("ApprovedBucket"), Key=key, Body=FLAGGED, Tagging=CLEAN)
    return detected(ground.job_alert(key, *LINEAGE))


def tag_on_upload(attacker: Attacker, ground: Ground) -> Outcome:
    key = ground.fresh()
    attacker.client("s3").put_object(Bucket=ground.name("IntakeBucket"), Key=key, Body=FLAGGED, Tagging=CLEAN)
    return detected(None)


def tag_afterwards(attacker: Attacker, ground: Ground) -> Outcome:
    copy = ground.withdrawn
    attacker.client("s3").put_object_tagging(
        Bucket=copy.bucket,
        Key=copy.key,
        VersionId=copy.version_id,
        Tagging={"TagSet": [{"Key": "tunegate-verdict", "Value": "clean"}]},
    )
    return detected(ground.job_alert(copy.key, *LINEAGE))


def tag_by_copy(attacker: Attacker, ground: Ground) -> Outcome:
    key, upload = ground.fresh(), ground.unscanned
    attacker.client("s3").copy_object(
        Bucket=ground.name("ApprovedBucket"),
        Key=key,
        CopySource={"Bucket": upload.bucket, "Key": upload.key, "VersionId": upload.version_id},
        TaggingDirective="REPLACE",
        Tagging=CLEAN,
    )
    return detected(ground.job_alert(key, *LINEAGE))


def swap(attacker: Attacker, ground: Ground) -> Outcome:
    """Put something else under the key of a file that is being scanned."""
    # Whoever may not even do this is refused before a file is scanned for them.
    attacker.client("s3").put_object(Bucket=ground.name("IntakeBucket"), Key=ground.fresh(), Body=RECORDS)
    upload = ground.world.deployment.put(ground.fresh(), RECORDS)
    other = attacker.client("s3").put_object(Bucket=upload.bucket, Key=upload.key, Body=FLAGGED)
    settled = ground.world.deployment.settled(upload)
    swapped = ground.world.deployment.settled(type(upload)(upload.bucket, upload.key, other["VersionId"]))
    assert settled.destination is not None
    same = ground.world.deployment.body(settled.destination) == RECORDS
    if same and swapped.decision.verdict == "flagged":
        return prevented("the scanned version is the one that is copied")
    return detected(None)


def delete_unscanned(attacker: Attacker, ground: Ground) -> Outcome:
    upload = ground.unscanned
    attacker.client("s3").delete_object(Bucket=upload.bucket, Key=upload.key, VersionId=upload.version_id)
    return prevented("it is still there") if ground.exists(upload) else detected(None)


def carry_out_of_the_account(attacker: Attacker, ground: Ground) -> Outcome:
    """Whatever the role can read of intake, quarantine and approved, put it where the attacker can fetch it."""
    s3, refused = attacker.client("s3"), []
    for version in (ground.unscanned, ground.quarantined, ground.clean):
        try:
            got = s3.get_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
        except RefusedError as error:
            refused.append(error)
            continue
        s3.put_object(Bucket=ground.elsewhere, Key=ground.fresh(), Body=got["Body"].read())
        return detected(None)
    raise refused[0]


def scans(attacker: Attacker, ground: Ground) -> bool:
    """Whose duty it is to read what was uploaded, by the bucket's policy."""
    return attacker.role in ground.spared("OnlyScannersRead", ground.bucket_statements("IntakeBucket"))


def settles(attacker: Attacker, ground: Ground) -> bool:
    """Whose duty it is to take uploads out of intake, by the bucket's policy."""
    return attacker.role in ground.spared("OnlyTheGateDeletes", ground.bucket_statements("IntakeBucket"))


ATTACKS = (
    Attack("read unscanned data", read_unscanned, duty=scans),
    Attack("carry data out of the gate's buckets", carry_out_of_the_account),
    Attack("write to approved", write_approved),
    Attack("forge the verdict tag on put", tag_on_put),
    Attack("forge the verdict tag on upload", tag_on_upload),
    Attack("forge the verdict tag by tagging", tag_afterwards),
    Attack("forge the verdict tag by copy", tag_by_copy),
    Attack("swap the object while it is scanned", swap),
    Attack("delete an upload before its verdict", delete_unscanned, duty=settles),
)
