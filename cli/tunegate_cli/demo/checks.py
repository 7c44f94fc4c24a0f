"""What must hold after a run. Each check asks the services themselves, and lists every way in which it does not."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tunegate.act.tags import Tag
from tunegate.errors import error_code
from tunegate.model import ObjectVersion
from tunegate_cli.demo.evidence import Run, Uploaded
from tunegate_cli.demo.roles import as_service_role
from tunegate_cli.report import Check, FileStory
from tunegate_cli.samples import Expected
from tunegate_cli.stack import Stack
from tunegate_cli.versions import SCANNING, versions_in
from tunegate_local.origin import through

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UNTAGGED_KEY = "demo/put-past-the-gate.jsonl"


def check_verdicts(run: Run) -> Check:
    what = "Each file got the verdict its sample calls for, and for that reason."
    return Check("Verdicts", what, tuple(_wrong_verdicts(run)))


def check_places(run: Run) -> Check:
    what = (
        "Clean files are in approved and flagged ones in quarantine, bit by bit as uploaded; held ones stay in intake."
    )
    return Check("Places", what, tuple(_wrong_places(run)))


def check_readers(run: Run) -> Check:
    what = (
        "From the network for jobs, the model customization role reads every clean file, and none that is untagged, "
        "in quarantine or in intake; from elsewhere it reads nothing."
    )
    return Check("Readers", what, tuple(_wrong_readers(run)))


def check_alerts(run: Run) -> Check:
    what = "On call heard exactly once of each file that needs a person, and of no other."
    return Check("Alerts", what, tuple(_wrong_alerts(run)))


def _wrong_verdicts(run: Run) -> Iterator[str]:
    for upload, file in zip(run.uploads, run.files, strict=True):
        if file.state != file.expected:
            yield f"{file.key} should be {file.expected} and is {file.state} ({file.reason or 'no reason given'})"
        found = {finding.category.value for finding in file.findings if finding.flags}
        for category in upload.sample.categories:
            if file.state == file.expected and category not in found:
                yield f"{file.key} is {file.state}, but not for {category}: {', '.join(sorted(found)) or 'no finding'}"


def _wrong_places(run: Run) -> Iterator[str]:
    stack = run.stack
    waiting = {version for version, _ in versions_in(stack.s3, stack.intake)}
    for upload, file in zip(run.uploads, run.files, strict=True):
        in_intake = ObjectVersion(stack.intake, file.key, file.version_id) in waiting
        if in_intake != (file.state in ("held", "scanning")):
            yield f"{file.key} is {file.state} and {'still' if in_intake else 'not'} in intake"
        bucket = {"clean": stack.approved, "flagged": stack.quarantine}.get(file.state)
        if bucket is not None:
            yield from _wrong_copy(run, upload, file, bucket)


def _wrong_copy(run: Run, upload: Uploaded, file: FileStory, bucket: str) -> Iterator[str]:
    if file.place.bucket != bucket:
        yield f"{file.key} is {file.state} and in {file.place.bucket or 'no bucket'}"
        return
    s3, version_id = run.stack.s3, file.place.version_id
    answer = s3.get_object_tagging(Bucket=bucket, Key=file.key, VersionId=version_id)
    tags = {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}
    if (tags.get(Tag.VERDICT), tags.get(Tag.POLICY)) != (file.state, file.policy_digest):
        yield f"{file.key} does not carry its verdict and policy as tags in {bucket}"
    if s3.get_object(Bucket=bucket, Key=file.key, VersionId=version_id)["Body"].read() != upload.sample.content:
        yield f"{file.key} differs in {bucket} from what was uploaded"


def _wrong_readers(run: Run) -> Iterator[str]:
    stack = run.stack
    reader = as_service_role(stack, stack.output("ModelCustomizationRoleArn")).client("s3")
    if _can_read_a_clean_file(run, reader):
        yield "The model customization role can read approved files from outside the network for jobs"
    through(reader, _s3_endpoint(stack))
    for file in run.files:
        if file.state == Expected.CLEAN and not _can_read(reader, stack.approved, file.key):
            yield f"The model customization role cannot read {file.key} in approved"
        if file.state == Expected.FLAGGED and _can_read(reader, stack.quarantine, file.key):
            yield f"The model customization role can read {file.key} in quarantine"
        if file.state == Expected.HELD and _can_read(reader, stack.intake, file.key):
            yield f"The model customization role can read {file.key} in intake"
    if _can_read_untagged(run, reader):
        yield "The model customization role can read an object in approved that has no verdict"


def _can_read_a_clean_file(run: Run, reader: "S3Client") -> bool:
    return any(file.state == Expected.CLEAN and _can_read(reader, run.stack.approved, file.key) for file in run.files)


def _s3_endpoint(stack: Stack) -> str:
    """The gateway endpoint of the network for jobs."""
    ours = [
        {"Name": "vpc-id", "Values": [stack.output("VpcId")]},
        {"Name": "vpc-endpoint-type", "Values": ["Gateway"]},
    ]
    [endpoint] = stack.session.client("ec2").describe_vpc_endpoints(Filters=ours)["VpcEndpoints"]
    return str(endpoint["VpcEndpointId"])


def _can_read_untagged(run: Run, reader: "S3Client") -> bool:
    """Only the account's administrator can put anything past the gate, and even that nobody can read."""
    s3, bucket, kms_key = run.stack.s3, run.stack.approved, run.stack.data_key
    put = s3.put_object(
        Bucket=bucket, Key=UNTAGGED_KEY, Body=b"{}", ServerSideEncryption="aws:kms", SSEKMSKeyId=kms_key
    )
    try:
        return _can_read(reader, bucket, UNTAGGED_KEY)
    finally:
        s3.delete_object(Bucket=bucket, Key=UNTAGGED_KEY, VersionId=put["VersionId"])


def _can_read(reader: "S3Client", bucket: str, key: str) -> bool:
    try:
        reader.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        # Anything but a refusal, a missing key for one, would make this check pass for the wrong reason.
        if error_code(error) != "AccessDenied":
            raise
        return False
    return True


def _wrong_alerts(run: Run) -> Iterator[str]:
    heard = Counter((alert.key, alert.version_id) for alert in run.alerts)
    for file in run.files:
        if file.state == SCANNING:
            continue
        times = heard[(file.key, file.version_id)]
        due = 1 if file.expected in (Expected.FLAGGED, Expected.HELD) else 0
        if times != due:
            yield f"On call heard {times} times of {file.key}, which is {file.state}; it should have heard {due} times"
