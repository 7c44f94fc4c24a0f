"""Where model invocations are logged to."""

from typing import TYPE_CHECKING, Any

from tunegate.estate_facts import InvocationLogging, LogGroup
from tunegate.job_facts import Known, Unknown
from tunegate.observe.buckets import bucket_facts
from tunegate.observe.reads import read

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client


def invocation_logging(bedrock: Any, logs: "CloudWatchLogsClient", s3: "S3Client") -> Known[InvocationLogging]:
    """The account's configuration in this Region, with the log group and the bucket it names.

    The bucket is the one that takes every record, or else the one for what is too large for CloudWatch Logs.
    """
    config = read(
        "bedrock:GetModelInvocationLoggingConfiguration",
        "*",
        lambda: bedrock.get_model_invocation_logging_configuration().get("loggingConfig") or {},
    )
    if isinstance(config, Unknown):
        return config
    cloudwatch = config.get("cloudWatchConfig", {})
    group_name = cloudwatch.get("logGroupName")
    bucket_name = (config.get("s3Config") or cloudwatch.get("largeDataDeliveryS3Config") or {}).get("bucketName")
    bucket = bucket_facts(s3, bucket_name, protections=True) if bucket_name else None
    if isinstance(bucket, Unknown):
        return bucket
    return InvocationLogging(_group(logs, group_name) if group_name else None, bucket)


def _group(logs: "CloudWatchLogsClient", name: str) -> Known[LogGroup | None]:
    def ask() -> LogGroup | None:
        for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name):
            for group in page["logGroups"]:
                if group.get("logGroupName") == name:
                    return LogGroup(name, group.get("kmsKeyId", ""))
        return None

    return read("logs:DescribeLogGroups", name, ask)
