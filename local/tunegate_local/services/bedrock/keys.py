"""Customer managed keys of models: who may choose one, Bedrock's grant on it, and whether the model is still usable.

https://docs.aws.amazon.com/bedrock/latest/userguide/encryption-custom-job.html
"""

import json
from typing import Any

from ministack.services import kms

from tunegate_local.detectors.wire import ServiceError
from tunegate_local.services.bedrock.roles import SERVICE
from tunegate_local.services.bedrock.store import Caller, Grant, JobError, Resource

# What the primary grant lets Bedrock do, and therefore what the caller must be allowed.
_GRANTED = ("Decrypt", "CreateGrant", "GenerateDataKey", "DescribeKey")


def key_arn(identifier: str) -> str:
    """The ARN of a key named by id, alias or ARN, if it can encrypt a model; else ValidationException."""
    key = kms._resolve_key(identifier)
    if key is None:
        raise ServiceError("ValidationException", "The provided KMS key could not be found.")
    if key["KeyState"] != "Enabled" or key.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
        raise ServiceError("ValidationException", "The provided KMS key is not an enabled symmetric encryption key.")
    return str(key["Arn"])


def require_use(caller: Caller, arn: str) -> None:
    """Raises AccessDeniedException unless the caller may, through Bedrock, put a model under this key."""
    for operation in _GRANTED:
        context: dict[str, Any] = {}
        if operation == "CreateGrant":
            context = {
                "kms:GranteePrincipal": SERVICE,
                "kms:RetiringPrincipal": SERVICE,
                "kms:GrantOperations": list(_GRANTED),
                "kms:GrantIsForAWSResource": "true",
            }
        _require(caller, f"kms:{operation}", arn, context)


def require_decrypt(caller: Caller, arn: str) -> None:
    """Raises AccessDeniedException unless the caller may, through Bedrock, use a model under this key."""
    _require(caller, "kms:Decrypt", arn, {})


def grant(arn: str) -> Grant:
    """Bedrock's primary grant, which `kms:ListGrants` shows and `kms:RevokeGrant` takes away."""
    asked = {"KeyId": arn, "GranteePrincipal": SERVICE, "RetiringPrincipal": SERVICE, "Operations": list(_GRANTED)}
    status, _, body = kms._create_grant(asked)
    if status != 200:
        raise ServiceError("ValidationException", "The provided KMS key cannot be used: no grant could be made on it.")
    return Grant(arn, json.loads(body)["GrantId"])


def retire(resource: Resource) -> None:
    """Ends the grant of a model that is no more."""
    if resource.grant is not None:
        kms._retire_grant({"KeyId": resource.grant.key_arn, "GrantId": resource.grant.grant_id})
        resource.grant = None


def grant_for(caller: Caller, identifier: str | None) -> Grant | None:
    """The grant on the key the caller chose for a model, if any, once the caller proves to be allowed to."""
    if identifier is None:
        return None
    arn = key_arn(identifier)
    require_use(caller, arn)
    return grant(arn)


def require_usable(given: Grant | None) -> None:
    """Raises JobError where Bedrock can no longer use a job's key."""
    if not is_usable(given):
        raise JobError("The KMS key of this job cannot be used: it is not enabled or its grant was revoked.")


def is_usable(given: Grant | None) -> bool:
    """Whether Bedrock can still use the key: the grant stands and the key is enabled. No key is always usable."""
    if given is None:
        return True
    key = kms._resolve_key(given.key_arn)
    return key is not None and key["KeyState"] == "Enabled" and kms._find_grant(key, given.grant_id) is not None


def _require(caller: Caller, action: str, arn: str, context: dict[str, Any]) -> None:
    via = {"kms:ViaService": f"bedrock.{caller.region}.amazonaws.com", "kms:CallerAccount": caller.account}
    caller.require(action, arn, {**via, **context}, service="kms")
