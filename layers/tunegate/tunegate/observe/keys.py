"""KMS keys."""

from typing import TYPE_CHECKING

from tunegate.job_facts import KeyFacts, Known, Unknown
from tunegate.observe.documents import parse_document
from tunegate.observe.reads import read, read_or, saying

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.type_defs import KeyMetadataTypeDef

_A_YEAR = 365
"""Days. What KMS rotates by where nobody chose a period: GetKeyRotationStatus, RotationPeriodInDays."""


def key_facts(kms: "KMSClient", key: str) -> Known[KeyFacts | None]:
    """A key by its id, ARN or alias; None where there is none."""
    described = read_or(
        "kms:DescribeKey", key, lambda: kms.describe_key(KeyId=key)["KeyMetadata"], saying("NotFoundException"), None
    )
    return described if described is None or isinstance(described, Unknown) else _facts(kms, described)


def _facts(kms: "KMSClient", described: "KeyMetadataTypeDef") -> KeyFacts:
    arn = described["Arn"]
    return KeyFacts(
        arn,
        described.get("KeyManager") == "CUSTOMER",
        described.get("KeyState") == "Enabled",
        # KMS rotates neither imported key material nor asymmetric keys, and says that it cannot be asked.
        rotates=read_or(
            "kms:GetKeyRotationStatus", arn, lambda: _rotates(kms, arn), saying("UnsupportedOperationException"), False
        ),
        policy=read(
            "kms:GetKeyPolicy",
            arn,
            lambda: parse_document(kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"]),
        ),
    )


def _rotates(kms: "KMSClient", arn: str) -> bool:
    """Whether the key gets new material at least every year."""
    status = kms.get_key_rotation_status(KeyId=arn)
    return status["KeyRotationEnabled"] and status.get("RotationPeriodInDays", _A_YEAR) <= _A_YEAR
