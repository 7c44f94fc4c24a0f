"""Model invocation logging: where its records go, and the records.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
"""

import gzip
import json
import uuid
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from ministack.services import kms, s3

from tunegate_local.detectors.wire import Call, ServiceError
from tunegate_local.services.bedrock import roles
from tunegate_local.services.bedrock.data import client
from tunegate_local.services.bedrock.running import start
from tunegate_local.services.bedrock.store import Caller, Details, Estate, Operations, Store, now

STREAM = "aws/bedrock/modelinvocations"
# Bedrock writes this to see whether it can.
_CHECK = "amazon-bedrock-logs-permission-check"
_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"


class InvocationLogging:
    """The operations on the one configuration an account has in a Region."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def operations(self) -> Operations:
        """By name."""
        return {
            "PutModelInvocationLoggingConfiguration": self._put,
            "GetModelInvocationLoggingConfiguration": self._get,
            "DeleteModelInvocationLoggingConfiguration": self._delete,
        }

    def _put(self, call: Call, caller: Caller) -> Details:
        store, config = self._estate.of(caller), call.parameters["loggingConfig"]
        if "cloudWatchConfig" in config:
            roles.require_pass(caller, config["cloudWatchConfig"]["roleArn"])
            _to_cloudwatch(store, config["cloudWatchConfig"], None)
        if "s3Config" in config:
            _to_bucket(store, config["s3Config"], _CHECK, b"")
        store.logging = config
        return {}

    def _get(self, _: Call, caller: Caller) -> Details:
        config = self._estate.of(caller).logging
        return {"loggingConfig": config} if config else {}

    def _delete(self, _: Call, caller: Caller) -> Details:
        self._estate.of(caller).logging = None
        return {}


def record(store: Store, caller: Caller, operation: str, model: str, asked: Any, answered: Any) -> None:
    """Logs one invocation, if text is logged at all. Like AWS, by and by and without a word where it cannot."""
    config = store.logging
    if config is None or not config.get("textDataDeliveryEnabled", True):
        return
    time = now()
    entry = {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "accountId": store.account,
        "identity": {"arn": caller.arn},
        "region": store.region,
        "requestId": str(uuid.uuid4()),
        "operation": operation,
        "modelId": model,
        "input": {"inputContentType": "application/json", "inputBodyJson": asked},
        "output": {"outputContentType": "application/json", "outputBodyJson": answered},
    }
    line = json.dumps(entry)

    def deliver() -> None:
        if "cloudWatchConfig" in config:
            with suppress(ServiceError):
                _to_cloudwatch(store, config["cloudWatchConfig"], line)
        if "s3Config" in config:
            name = f"{store.region}/{time:%Y/%m/%d/%H}/{time:%Y%m%dT%H%M%S%f}Z_{uuid.uuid4().hex[:16]}.json.gz"
            with suppress(ServiceError):
                _to_bucket(store, config["s3Config"], name, gzip.compress(line.encode()))

    start(store, deliver, "invocation-log")


def _to_cloudwatch(store: Store, config: Details, line: str | None) -> None:
    """Writes a line to the log group, with the role's permissions; no line only makes sure of them."""
    group, role_arn = config["logGroupName"], config["roleArn"]
    try:
        role = roles.assume(role_arn, store.account, store.region, store.arn("*"))
        logs = client("logs", store.region, role)
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_stream(logGroupName=group, logStreamName=STREAM)
        if line is not None:
            event = {"timestamp": int(now().timestamp() * 1000), "message": line}
            logs.put_log_events(logGroupName=group, logStreamName=STREAM, logEvents=[event])
    except (ClientError, BotoCoreError, ServiceError) as error:
        raise ServiceError(
            "ValidationException",
            f"Failed to validate permissions for log group: {group}, with role: {role_arn}. "
            "Verify the IAM role permissions are correct.",
        ) from error


def _to_bucket(store: Store, config: Details, name: str, content: bytes) -> None:
    """Writes an object as Bedrock itself, which the bucket's and the key's policies must allow."""
    bucket, prefix = config["bucketName"], config.get("keyPrefix", "").strip("/")
    key = f"{prefix}/AWSLogs/{store.account}/BedrockModelInvocationLogs/{name}".lstrip("/")
    written = f"arn:aws:s3:::{bucket}/{key}"
    place = (store.account, store.region, store.arn("*"))
    policy, key_arn = s3.bucket_policy_for_arn(written), _bucket_key(bucket)
    allowed = policy is not None and roles.service_may(policy[0], "s3:PutObject", written, *place)
    if key_arn:
        policy = kms.key_policy_for_arn(key_arn)
        allowed &= policy is not None and roles.service_may(policy[0], "kms:GenerateDataKey", key_arn, *place)
    if not allowed:
        raise ServiceError(
            "ValidationException",
            f"Failed to validate permissions for bucket: {bucket}. Verify the bucket policy and the KMS key policy.",
        )
    client("s3", store.region).put_object(Bucket=bucket, Key=key, Body=content)


def _bucket_key(bucket: str) -> str:
    """The key a bucket encrypts with by default, if it is the customer's."""
    applied = s3._resolve_sse_write_headers({}, bucket)[0] or {}
    return str(applied.get(_KEY_HEADER, ""))
