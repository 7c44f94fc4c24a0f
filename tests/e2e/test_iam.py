"""The guarantee, with IAM, bucket and key policies evaluated: what nobody can do, whatever IAM grants them."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from e2e.conftest import Deployment
from tunegate_local.origin import through

RECORD = b'{"prompt": "What is the capital of France?", "completion": "Paris."}\n'
MIB = 1024 * 1024
IN_PARTS = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
CLEAN = "tunegate-verdict=clean"


def is_denied(call: Callable[..., Any], **arguments: Any) -> bool:
    """Whether the call is refused for want of permission; any other failure is the test's."""
    try:
        call(**arguments)
    except ClientError as error:
        refusals = (
            "AccessDenied",
            "403",
            "AccessControlListNotSupported",
            "AuthorizationError",
            "AccessDeniedException",
        )
        if error.response["Error"]["Code"] not in refusals:
            raise
        return True
    return False


def s3_endpoint(deployment: Deployment) -> str:
    """The gateway endpoint of the network for jobs."""
    described = deployment.client("ec2").describe_vpc_endpoints(
        Filters=[
            {"Name": "vpc-id", "Values": [deployment.outputs["VpcId"]]},
            {"Name": "vpc-endpoint-type", "Values": ["Gateway"]},
        ]
    )
    (endpoint,) = described["VpcEndpoints"]
    return str(endpoint["VpcEndpointId"])


def as_service_role(deployment: Deployment, service: str, role: str) -> Any:
    """A client with the credentials of a role that trusts a service only.

    As root of the account, which on AWS too may change whom a role trusts; the role's own trust is put back at once.
    """
    iam, name = deployment.client("iam"), role.rsplit("/", 1)[1]
    own = json.dumps(iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"])
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust_of_the_account(role))
    try:
        return deployment.client(service, role)
    finally:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=own)


def trust_of_the_account(role: str) -> str:
    principal = {"AWS": f"arn:aws:iam::{role.split(':')[4]}:root"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [trust]})


@pytest.fixture(scope="module")
def uploader(deployment: Deployment) -> Any:
    return deployment.client("s3", deployment.outputs["UploaderRoleArn"])


@pytest.fixture(scope="module")
def bedrock(deployment: Deployment) -> Any:
    """S3 as a customization job sees it, from the network for jobs."""
    role = deployment.outputs["ModelCustomizationRoleArn"]
    return through(as_service_role(deployment, "s3", role), s3_endpoint(deployment))


def allowed_everything(deployment: Deployment) -> str:
    """A role that IAM allows everything, as many a service role passed to a job in haste."""
    role = deployment.outputs["OperatorRoleArn"].rsplit("/", 1)[0] + "/everything"
    iam = deployment.client("iam")
    if not any(existing["RoleName"] == "everything" for existing in iam.list_roles()["Roles"]):
        iam.create_role(RoleName="everything", AssumeRolePolicyDocument=trust_of_the_account(role))
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam.put_role_policy(RoleName="everything", PolicyName="everything", PolicyDocument=document)
    return role


@pytest.fixture(scope="module")
def administrator(deployment: Deployment) -> str:
    return allowed_everything(deployment)


@pytest.fixture(scope="module")
def planted(deployment: Deployment) -> dict[str, str]:
    """Objects put past the gate by the account's root: a bucket of each kind, tagged as a test needs them."""
    s3, outputs = deployment.client("s3"), deployment.outputs
    s3.put_object(Bucket=outputs["ApprovedBucket"], Key="iam/clean", Body=RECORD, Tagging=CLEAN)
    s3.put_object(Bucket=outputs["ApprovedBucket"], Key="iam/untagged", Body=RECORD)
    s3.put_object(Bucket=outputs["ApprovedBucket"], Key="iam/held", Body=RECORD, Tagging="tunegate-verdict=held")
    return {
        "quarantined": s3.put_object(Bucket=outputs["QuarantineBucket"], Key="iam/flagged", Body=RECORD)["VersionId"]
    }


def test_an_uploader_puts_with_the_buckets_key_named_or_not(deployment: Deployment, uploader: Any) -> None:
    bucket, key = deployment.outputs["IntakeBucket"], deployment.outputs["DataKeyArn"]
    named = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    assert not is_denied(uploader.put_object, Bucket=bucket, Key="iam/a.jsonl", Body=RECORD)
    assert not is_denied(uploader.put_object, Bucket=bucket, Key="iam/b.jsonl", Body=RECORD, **named)


@pytest.mark.parametrize("names_the_key", [False, True])
def test_an_uploader_puts_in_parts(deployment: Deployment, uploader: Any, names_the_key: bool) -> None:
    data_key, name = deployment.outputs["DataKeyArn"], f"iam/parts-{names_the_key}.txt"
    options = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": data_key} if names_the_key else {}
    body = io.BytesIO(b"x" * (6 * MIB))
    uploader.upload_fileobj(body, deployment.outputs["IntakeBucket"], name, ExtraArgs=options, Config=IN_PARTS)
    # The gate may have moved it on by now.
    assert any(deployment.versions(bucket, name) for bucket in ("IntakeBucket", "ApprovedBucket", "QuarantineBucket"))


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"ServerSideEncryption": "AES256"}, id="SSE-S3"),
        pytest.param({"ServerSideEncryption": "aws:kms"}, id="the AWS managed key"),
        pytest.param({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "QuarantineKeyArn"}, id="another key"),
        pytest.param({"ServerSideEncryption": "aws:kms:dsse", "SSEKMSKeyId": "DataKeyArn"}, id="DSSE"),
        pytest.param({"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}, id="a key of the caller's"),
        pytest.param({"Tagging": CLEAN}, id="the verdict tag"),
        pytest.param({"Tagging": "tunegate-policy=x"}, id="another tag of the gate"),
        pytest.param({"ACL": "public-read"}, id="an ACL"),
    ],
)
def test_an_uploader_cannot_put_with(deployment: Deployment, uploader: Any, options: dict[str, str]) -> None:
    named = {name: deployment.outputs.get(value, value) for name, value in options.items()}
    bucket = deployment.outputs["IntakeBucket"]
    assert is_denied(uploader.put_object, Bucket=bucket, Key="iam/refused", Body=RECORD, **named)


@pytest.mark.usefixtures("planted")
def test_an_uploader_can_do_nothing_but_upload(deployment: Deployment, uploader: Any) -> None:
    intake, approved, quarantine = (
        deployment.outputs[f"{name}Bucket"] for name in ("Intake", "Approved", "Quarantine")
    )
    clean = {"TagSet": [{"Key": "tunegate-verdict", "Value": "clean"}]}
    assert is_denied(uploader.put_object, Bucket=approved, Key="iam/x", Body=RECORD)
    assert is_denied(uploader.put_object, Bucket=approved, Key="iam/x", Body=RECORD, Tagging=CLEAN)
    assert is_denied(uploader.put_object, Bucket=quarantine, Key="iam/x", Body=RECORD)
    assert is_denied(uploader.put_object_tagging, Bucket=intake, Key="iam/a.jsonl", Tagging=clean)
    assert is_denied(uploader.get_object, Bucket=intake, Key="iam/a.jsonl")
    assert is_denied(uploader.get_object, Bucket=approved, Key="iam/clean")
    assert is_denied(uploader.get_object, Bucket=quarantine, Key="iam/flagged")
    assert is_denied(uploader.delete_object, Bucket=intake, Key="iam/a.jsonl")


@pytest.mark.usefixtures("planted")
def test_bedrock_reads_what_is_tagged_clean_and_nothing_else(deployment: Deployment, bedrock: Any) -> None:
    approved = deployment.outputs["ApprovedBucket"]
    assert bedrock.get_object(Bucket=approved, Key="iam/clean")["Body"].read() == RECORD
    assert is_denied(bedrock.get_object, Bucket=approved, Key="iam/untagged")
    assert is_denied(bedrock.get_object, Bucket=approved, Key="iam/held")
    assert is_denied(bedrock.get_object, Bucket=deployment.outputs["QuarantineBucket"], Key="iam/flagged")


def test_bedrock_cannot_read_intake(deployment: Deployment, bedrock: Any, administrator: str) -> None:
    bucket = deployment.outputs["IntakeBucket"]
    deployment.client("s3").put_object(Bucket=bucket, Key="iam/folder/", Body=b"")
    assert is_denied(bedrock.get_object, Bucket=bucket, Key="iam/folder/")
    assert is_denied(deployment.client("s3", administrator).get_object, Bucket=bucket, Key="iam/folder/")


@pytest.mark.usefixtures("planted")
def test_bedrock_writes_its_metrics_and_no_training_data(deployment: Deployment, bedrock: Any) -> None:
    clean = {"TagSet": [{"Key": "tunegate-verdict", "Value": "clean"}]}
    approved = deployment.outputs["ApprovedBucket"]
    assert not is_denied(bedrock.put_object, Bucket=deployment.outputs["OutputBucket"], Key="job/metrics", Body=b"")
    assert is_denied(bedrock.put_object, Bucket=approved, Key="iam/clean", Body=RECORD)
    assert is_denied(bedrock.put_object_tagging, Bucket=approved, Key="iam/untagged", Tagging=clean)


def test_a_role_granted_everything_does_not_get_past_the_gate(
    deployment: Deployment, administrator: str, planted: dict[str, str]
) -> None:
    s3 = deployment.client("s3", administrator)
    approved, quarantine = deployment.outputs["ApprovedBucket"], deployment.outputs["QuarantineBucket"]
    clean = {"TagSet": [{"Key": "tunegate-verdict", "Value": "clean"}]}
    source = {"Bucket": approved, "Key": "iam/clean"}
    assert is_denied(s3.put_object, Bucket=approved, Key="iam/x", Body=RECORD, Tagging=CLEAN)
    assert is_denied(s3.copy_object, Bucket=approved, Key="iam/x", CopySource=source)
    assert is_denied(s3.put_object_tagging, Bucket=approved, Key="iam/untagged", Tagging=clean)
    assert is_denied(s3.get_object, Bucket=approved, Key="iam/untagged")
    assert is_denied(s3.delete_object, Bucket=approved, Key="iam/clean")
    assert is_denied(s3.get_object, Bucket=quarantine, Key="iam/flagged")
    assert is_denied(
        s3.delete_object,
        Bucket=quarantine,
        Key="iam/flagged",
        VersionId=planted["quarantined"],
        BypassGovernanceRetention=True,
    )


def test_a_role_granted_everything_cannot_forge_evidence_policy_or_alerts(
    deployment: Deployment, administrator: str
) -> None:
    s3, outputs = deployment.client("s3", administrator), deployment.outputs
    assert is_denied(s3.put_object, Bucket=outputs["EvidenceBucket"], Key="scans/x/0.json", Body=b"")
    assert is_denied(s3.put_object, Bucket=outputs["EvidenceBucket"], Key="findings/x.json", Body=b"")
    assert is_denied(s3.put_object, Bucket=outputs["EvidenceBucket"], Key="manifests/x.json", Body=b"")
    assert is_denied(s3.put_object, Bucket=outputs["EvidenceBucket"], Key="jobs/x.json", Body=b"")
    assert is_denied(s3.put_object, Bucket=outputs["LogsBucket"], Key="trail/AWSLogs/x.json.gz", Body=b"")
    assert is_denied(s3.put_object, Bucket=outputs["PolicyBucket"], Key="accepted/policy.json", Body=b"{}")
    sns = deployment.client("sns", administrator)
    assert is_denied(sns.publish, TopicArn=outputs["AlertsTopicArn"], Message="all is well")


@pytest.mark.usefixtures("planted")
def test_the_key_refuses_whom_its_policy_does_not_name(deployment: Deployment, administrator: str) -> None:
    # The bucket would let it read a clean object from the network for jobs; the key does not.
    s3 = through(deployment.client("s3", administrator), s3_endpoint(deployment))
    assert not is_denied(s3.head_object, Bucket=deployment.outputs["ApprovedBucket"], Key="iam/clean")
    assert is_denied(s3.get_object, Bucket=deployment.outputs["ApprovedBucket"], Key="iam/clean")
    kms = deployment.client("kms", administrator)
    assert is_denied(kms.generate_data_key, KeyId=deployment.outputs["DataKeyArn"], KeySpec="AES_256")
    assert not is_denied(kms.get_key_policy, KeyId=deployment.outputs["DataKeyArn"], PolicyName="default")


@pytest.mark.usefixtures("planted")
def test_an_operator_looks_and_proposes_and_reads_no_data(deployment: Deployment) -> None:
    role, outputs = deployment.outputs["OperatorRoleArn"], deployment.outputs
    s3 = deployment.client("s3", role)
    for name in ("IntakeBucket", "ApprovedBucket", "QuarantineBucket"):
        assert not is_denied(s3.list_object_versions, Bucket=outputs[name])
    assert not is_denied(
        deployment.client("dynamodb", role).query,
        TableName=outputs["LedgerTable"],
        IndexName="recent",
        KeyConditionExpression="entity = :entity",
        ExpressionAttributeValues={":entity": {"S": "decision"}},
    )
    assert not is_denied(deployment.client("cloudformation", role).describe_stacks, StackName="tunegate")
    executions = deployment.client("stepfunctions", role).list_executions
    assert not is_denied(executions, stateMachineArn=outputs["ScanStateMachineArn"])
    assert is_denied(s3.put_object, Bucket=outputs["PolicyBucket"], Key="accepted/policy.json", Body=b"{}")
    assert is_denied(s3.get_object, Bucket=outputs["QuarantineBucket"], Key="iam/flagged")
    assert is_denied(s3.get_object, Bucket=outputs["ApprovedBucket"], Key="iam/untagged")
