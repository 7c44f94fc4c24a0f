"""Ministack's CloudFormation ignores what a template says of a bucket's encryption, lock, owner, logs and lifecycle."""

from collections.abc import Callable
from typing import Any

import botocore.serialize
import botocore.session
from ministack.services import s3
from ministack.services.cloudformation import provisioners

type Properties = dict[str, Any]


def buckets_are_configured_as_declared() -> None:
    """Each property is put through S3's own API, in the XML an SDK would send."""
    provisioners._S3_BUCKET_CONFIGURATIONS += (
        _configuration("BucketEncryption", "PutBucketEncryption", _encryption, s3._put_bucket_encryption),
        _configuration(
            "ObjectLockConfiguration", "PutObjectLockConfiguration", _lock, s3._put_object_lock_configuration
        ),
        _configuration(
            "OwnershipControls", "PutBucketOwnershipControls", _ownership, s3._put_bucket_ownership_controls
        ),
        _configuration("LoggingConfiguration", "PutBucketLogging", _logging, s3._put_bucket_logging),
        _configuration(
            "LifecycleConfiguration", "PutBucketLifecycleConfiguration", _lifecycle, s3._put_bucket_lifecycle
        ),
    )


def _configuration(
    name: str, operation: str, parameters_of: Callable[[Properties], Properties], put: Callable[[str, bytes], Any]
) -> tuple[str, Callable[[Properties], bytes], Callable[[str, bytes], None], Callable[[str], None]]:
    model = botocore.session.get_session().get_service_model("s3").operation_model(operation)
    serializer = botocore.serialize.create_serializer("rest-xml", include_validation=False)

    def to_xml(properties: Properties) -> bytes:
        request = serializer.serialize_to_request({"Bucket": "-", **parameters_of(properties)}, model)
        return bytes(request["body"])

    def put_or_refuse(bucket: str, body: bytes) -> None:
        status, _, answer = put(bucket, body)
        if status >= 300:
            raise ValueError(f"{name} of {bucket} was refused: {answer.decode(errors='replace')}")

    def refuse_removal(bucket: str) -> None:
        raise ValueError(f"{name} of {bucket} cannot be removed in the embedded cloud")

    return name, to_xml, put_or_refuse, refuse_removal


def _encryption(properties: Properties) -> Properties:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": str(rule.get("BucketKeyEnabled", False)).lower() == "true",
        }
        for rule in properties["ServerSideEncryptionConfiguration"]
    ]
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def _lock(properties: Properties) -> Properties:
    retention = properties["Rule"]["DefaultRetention"]
    rule = {"DefaultRetention": {**retention, "Days": int(retention["Days"])}}
    return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": rule}}


def _ownership(properties: Properties) -> Properties:
    return {"OwnershipControls": {"Rules": properties["Rules"]}}


def _logging(properties: Properties) -> Properties:
    enabled = {"TargetBucket": properties["DestinationBucketName"], "TargetPrefix": properties.get("LogFilePrefix", "")}
    return {"BucketLoggingStatus": {"LoggingEnabled": enabled}}


def _lifecycle(properties: Properties) -> Properties:
    return {"LifecycleConfiguration": {"Rules": [_lifecycle_rule(rule) for rule in properties["Rules"]]}}


def _lifecycle_rule(rule: Properties) -> Properties:
    said: Properties = {"ID": rule["Id"], "Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "ExpirationInDays" in rule:
        said["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    for name, days in (
        ("NoncurrentVersionExpiration", "NoncurrentDays"),
        ("AbortIncompleteMultipartUpload", "DaysAfterInitiation"),
    ):
        if name in rule:
            said[name] = {days: int(rule[name][days])}
    return said
