"""Keys that AWS manages, such as `alias/aws/s3`: ministack has none."""

import json
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import kms

# Services that encrypt by a key of their own in each account.
_SERVICES = ("dynamodb", "kinesis", "lambda", "s3", "secretsmanager", "sns", "sqs", "ssm")
_ALIAS = "alias/aws/"
_USES = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]


def aws_has_keys_of_its_own() -> None:
    """An AWS managed key is there when it is first asked for, says that AWS manages it, and rotates.

    https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key
    """
    resolve, metadata = kms._resolve_key, kms._key_metadata

    def resolve_key(identifier: str) -> Any:
        name = identifier.rpartition(":")[2] if identifier else ""
        service = name.removeprefix(_ALIAS)
        if name == _ALIAS + service and service in _SERVICES and kms._alias_arn(name) not in kms._aliases:
            _create(service)
        return resolve(identifier)

    def key_metadata(record: dict[str, Any]) -> dict[str, Any]:
        return {**metadata(record), "KeyManager": record.get("KeyManager", "CUSTOMER")}

    kms._resolve_key = resolve_key
    kms._key_metadata = key_metadata


def _create(service: str) -> None:
    _, _, answer = kms._create_key({"Description": f"Default key of {service}", "Policy": _policy(service)})
    record = kms._keys[json.loads(answer)["KeyMetadata"]["KeyId"]]
    record |= {"KeyManager": "AWS", "KeyRotationEnabled": True, "RotationPeriodInDays": 365}
    alias = kms._alias_arn(_ALIAS + service)
    kms._aliases[alias] = record["KeyId"]
    kms._stamp_alias(alias, created=True)


def _policy(service: str) -> str:
    """Everybody of the account through the service, and the account's own policies for looking at it."""
    account = get_account_id()
    through = {"kms:CallerAccount": account, "kms:ViaService": f"{service}.{get_region()}.amazonaws.com"}
    used = {"Principal": {"AWS": "*"}, "Action": _USES, "Condition": {"StringEquals": through}}
    seen = {
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": ["kms:Describe*", "kms:Get*", "kms:List*"],
    }
    statements = [{"Effect": "Allow", "Resource": "*", **statement} for statement in (used, seen)]
    return json.dumps({"Version": "2012-10-17", "Id": f"auto-{service}", "Statement": statements})
