"""What each control reads of AWS, as the IAM actions it takes: without one of them it is unknown."""

from collections.abc import Mapping

from tunegate.estate_facts import EstateFacts
from tunegate.job_facts import JobFacts
from tunegate.judge.controls.control import Control
from tunegate.subject import Kind

_DESCRIPTIONS: Mapping[Kind, str] = {
    Kind.CUSTOMIZATION_JOB: "bedrock:GetModelCustomizationJob",
    Kind.IMPORT_JOB: "bedrock:GetModelImportJob",
    Kind.COPY_JOB: "bedrock:GetModelCopyJob",
    Kind.CUSTOM_MODEL: "bedrock:GetCustomModel",
    Kind.IMPORTED_MODEL: "bedrock:GetImportedModel",
    Kind.THROUGHPUT: "bedrock:GetProvisionedModelThroughput",
    Kind.DEPLOYMENT: "bedrock:GetCustomModelDeployment",
    Kind.TRAINING_JOB: "sagemaker:DescribeTrainingJob",
    Kind.MODEL_PACKAGE: "sagemaker:DescribeModelPackage",
}
_ROLE = ("iam:GetRole",)
_PERMISSIONS = (
    *_ROLE,
    "iam:ListRolePolicies",
    "iam:ListAttachedRolePolicies",
    "iam:GetRolePolicy",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
)
_KEY = ("kms:DescribeKey",)
_ROTATION = (*_KEY, "kms:GetKeyRotationStatus")
_KEY_POLICY = (*_KEY, "kms:GetKeyPolicy")
_NETWORK = ("ec2:DescribeSubnets", "ec2:DescribeRouteTables", "ec2:DescribeVpcEndpoints")
_DNS = (*_NETWORK, "ec2:DescribeVpcAttribute")
_BUCKET = ("s3:GetEncryptionConfiguration",)
_BUCKET_POLICY = (*_BUCKET, "s3:GetBucketPolicy")
_INPUTS = ("s3:ListBucketVersions", "s3:GetObjectVersion", "s3:GetObjectVersionTagging", "s3:GetObject")
_TRAILS = ("cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors")
_INVOCATION_LOGGING = ("bedrock:GetModelInvocationLoggingConfiguration",)

_READS: Mapping[str, tuple[str, ...]] = {
    "encryption.key_customer_managed": _KEY,
    "encryption.key_enabled": _KEY,
    "encryption.key_rotates": _ROTATION,
    "encryption.key_allowed": _KEY,
    "encryption.key_policy_closed": _KEY_POLICY,
    "encryption.input_bucket_key": _BUCKET,
    "encryption.output_bucket_key": _BUCKET,
    "encryption.input_object_key": _INPUTS,
    "encryption.output_object_key": ("s3:ListBucket", "s3:GetObject"),
    "identity.trust_bedrock_only": _ROLE,
    "identity.not_shared": _ROLE,
    "identity.trust_conditions": _ROLE,
    "identity.no_wildcards": _PERMISSIONS,
    "identity.needed_actions": _PERMISSIONS,
    "identity.buckets_in_reach": _PERMISSIONS,
    "identity.keys_in_reach": _PERMISSIONS,
    "identity.network_in_reach": _PERMISSIONS,
    "identity.boundary": _ROLE,
    "network.subnets_exist": _NETWORK,
    "network.no_way_out": _NETWORK,
    "network.s3_endpoint": _NETWORK,
    "network.s3_endpoint_policy": _NETWORK,
    "network.dns_support": _DNS,
    "lineage.inputs_found": _INPUTS,
    "lineage.inputs_scanned_clean": _INPUTS,
    "lineage.verdict_evidenced": _INPUTS,
    "lineage.policy_accepted": _INPUTS,
    "lineage.inputs_unchanged": _INPUTS,
    "model.tag_is_the_gates": ("bedrock:ListTagsForResource",),
    "estate.deployed": (*_BUCKET, *_KEY, *_ROLE),
    "estate.bucket_keys": _BUCKET,
    "estate.bucket_versioning": (*_BUCKET, "s3:GetBucketVersioning"),
    "estate.bucket_public_access": (*_BUCKET, "s3:GetBucketPublicAccessBlock"),
    "estate.bucket_tls": _BUCKET_POLICY,
    "estate.bucket_guarantees": _BUCKET_POLICY,
    "estate.bucket_logging": (*_BUCKET, "s3:GetBucketLogging"),
    "estate.bucket_events": (*_BUCKET, "s3:GetBucketNotification"),
    "estate.object_lock": (*_BUCKET, "s3:GetBucketObjectLockConfiguration"),
    "estate.bucket_lifecycle": (*_BUCKET, "s3:GetLifecycleConfiguration"),
    "estate.keys_enabled": _KEY,
    "estate.keys_rotate": _ROTATION,
    "estate.keys_closed": _KEY_POLICY,
    "estate.roles_trusted": _ROLE,
    "estate.subnets": _NETWORK,
    "estate.no_way_out": _NETWORK,
    "estate.s3_endpoint": _NETWORK,
    "estate.dns_support": _DNS,
    "estate.flow_logs": ("ec2:DescribeFlowLogs",),
    "estate.rules_enabled": ("events:DescribeRule", "events:ListTargetsByRule"),
    "estate.gate_roles": (*_ROLE, "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"),
    "estate.ledger_closed": ("dynamodb:GetResourcePolicy",),
    "estate.alerts_reach_somebody": ("sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"),
    "estate.mappings_enabled": ("lambda:ListEventSourceMappings",),
    "estate.trail": _TRAILS,
    "estate.trail_data_events": _TRAILS,
    "estate.invocation_logging": (*_INVOCATION_LOGGING, *_BUCKET, "logs:DescribeLogGroups"),
    "estate.invocation_log_keys": (*_INVOCATION_LOGGING, *_BUCKET, "logs:DescribeLogGroups"),
    "estate.invocation_logs_closed": (*_INVOCATION_LOGGING, *_BUCKET_POLICY, "s3:GetBucketPublicAccessBlock"),
    "estate.macie": ("macie2:GetMacieSession",),
}


def reads_of(control: Control[JobFacts] | Control[EstateFacts]) -> tuple[str, ...]:
    """The IAM actions a control takes: to describe the subject, and then whatever else it asks."""
    described = [action for kind, action in _DESCRIPTIONS.items() if kind in control.applies]
    return (*described, *_READS.get(control.id, ()))
