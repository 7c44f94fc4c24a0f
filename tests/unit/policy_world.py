"""Names of a deployment, and the policy documents AWS's guides give for one, with those names in them."""

from typing import Any

from tunegate.job_facts import Document, Endpoint, Expected
from tunegate.observe.documents import parse_document
from tunegate.subject import Kind

ACCOUNT, REGION = "111122223333", "us-east-1"
BEDROCK = f"arn:aws:bedrock:{REGION}:{ACCOUNT}"
ARNS = {
    Kind.CUSTOMIZATION_JOB: f"{BEDROCK}:model-customization-job/amazon.nova-micro-v1:0:128k/abcdefghwxyz",
    Kind.IMPORT_JOB: f"{BEDROCK}:model-import-job/bcdefghwxyza",
    Kind.COPY_JOB: f"{BEDROCK}:model-copy-job/cdefghwxyzab",
    Kind.CUSTOM_MODEL: f"{BEDROCK}:custom-model/amazon.nova-micro-v1:0:128k/mnopqrstuvwx",
    Kind.IMPORTED_MODEL: f"{BEDROCK}:imported-model/nopqrstuvwxm",
    Kind.THROUGHPUT: f"{BEDROCK}:provisioned-model/opqrstuvwxmn",
    Kind.DEPLOYMENT: f"{BEDROCK}:custom-model-deployment/pqrstuvwxmno",
    Kind.TRAINING_JOB: f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/support-tone",
    Kind.MODEL_PACKAGE: f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/support-tone/1",
}
DATA_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/data"
MODEL_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/model"
OTHER_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/other"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/tunegate-model-customization"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
APPROVED, OUTPUT = "tunegate-approved", "tunegate-output"
SUBNET, GROUP, VPC_ID = "subnet-0aa", "sg-0aa", "vpc-0aa"
S3_ENDPOINT = "vpce-0aa"
POLICY_DIGEST = "a" * 64
EXPECTED = Expected(
    ACCOUNT, REGION, APPROVED, OUTPUT, DATA_KEY, MODEL_KEY, frozenset({SUBNET}), frozenset({GROUP}), BOUNDARY
)

type Statements = list[dict[str, Any]]


def both(bucket: str) -> list[str]:
    """A bucket's ARN and that of all its objects."""
    return [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]


GATEWAY_STATEMENTS: Statements = [
    {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": both(APPROVED)},
    {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": both(OUTPUT)},
]


def gateway(*statements: dict[str, Any]) -> Endpoint:
    """The S3 gateway endpoint, with the policy of stacks/network.yaml or another one."""
    return Endpoint(S3_ENDPOINT, document(*(statements or GATEWAY_STATEMENTS)))


def document(*statements: dict[str, Any]) -> Document:
    return parse_document({"Version": "2012-10-17", "Statement": list(statements)})


def key_policy() -> Document:
    return document(*key_statements())


def key_statements() -> Statements:
    """Bedrock user guide, "Encryption of custom models": one role makes models, another one uses them."""
    via_bedrock = {"StringLike": {"kms:ViaService": [f"bedrock.{REGION}.amazonaws.com"]}}
    making = ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:CreateGrant"]
    return [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": [ROLE]}, "Action": making, "Resource": "*", "Condition": via_bedrock},
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/app"}, "Action": ["kms:Decrypt"],
         "Resource": "*", "Condition": via_bedrock},
    ]  # fmt: skip


def trust_statement(job: str = "model-customization-job") -> dict[str, Any]:
    """Bedrock user guide, "Model customization access and security", and "… for model import": the trust of a role."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": "bedrock.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnEquals": {"aws:SourceArn": f"{BEDROCK}:{job}/*"},
        },
    }


def trust_of(job: str) -> Document:
    return document(trust_statement(job))


def permission_statements(job: str = "model-customization-job") -> Statements:
    """The permissions of the Bedrock user guide's examples for S3, KMS and the VPC, for the buckets and keys here."""
    tag = "BedrockModelCustomizationJobArn" if job == "model-customization-job" else "BedrockModelImportJobArn"
    ec2, jobs = f"arn:aws:ec2:{REGION}:{ACCOUNT}", f"{BEDROCK}:{job}/*"
    seeing = ["NetworkInterfaces", "Vpcs", "DhcpOptions", "Subnets", "SecurityGroups"]
    using = ["CreateNetworkInterfacePermission", "DeleteNetworkInterface", "DeleteNetworkInterfacePermission"]
    granted: Statements = [
        {"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": both(APPROVED)},
        {"Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": DATA_KEY},
        {"Action": [f"ec2:Describe{what}" for what in seeing], "Resource": "*"},
        {"Action": ["ec2:CreateNetworkInterface"], "Resource": [f"{ec2}:network-interface/*"], "Condition": {
            "StringEquals": {"aws:RequestTag/BedrockManaged": ["true"]}, "ArnEquals": {f"aws:RequestTag/{tag}": jobs}}},
        {"Action": ["ec2:CreateNetworkInterface"],
         "Resource": [f"{ec2}:subnet/{SUBNET}", f"{ec2}:security-group/{GROUP}"]},
        {"Action": [f"ec2:{what}" for what in using], "Resource": "*", "Condition": {
            "ArnEquals": {"ec2:Subnet": [f"{ec2}:subnet/{SUBNET}"], f"ec2:ResourceTag/{tag}": [jobs]},
            "StringEquals": {"ec2:ResourceTag/BedrockManaged": "true"}}},
        {"Action": ["ec2:CreateTags"], "Resource": f"{ec2}:network-interface/*", "Condition": {
            "StringEquals": {"ec2:CreateAction": ["CreateNetworkInterface"]},
            "ForAllValues:StringEquals": {"aws:TagKeys": ["BedrockManaged", tag]}}},
    ]  # fmt: skip
    if job == "model-customization-job":
        granted.append({"Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"], "Resource": both(OUTPUT)})
    return [{"Effect": "Allow"} | statement for statement in granted]


def permissions_of(job: str) -> Document:
    return document(*permission_statements(job))
