"""Service roles: who may pass one to Bedrock, whether it lets Bedrock assume it, and what it may then do.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-iam-role.html
"""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam, sts

from tunegate_local.detectors.wire import ServiceError
from tunegate_local.services.bedrock.store import Caller

SERVICE = "bedrock.amazonaws.com"
SESSION_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Session:
    """Temporary credentials of a service role."""

    role_arn: str
    region: str
    access_key: str
    secret_key: str
    token: str

    def may(self, action: str, resource: str, context: Mapping[str, Any] | None = None) -> bool:
        """Whether IAM lets the role do this; for actions of services that have no policies on resources."""
        service = action.split(":", 1)[0]
        denied = iam_evaluator.enforce(
            self.access_key, action, service, self.region, resource_arn=resource, service_context=dict(context or {})
        )
        return denied is None


def require_pass(caller: Caller, role_arn: str) -> None:
    """Raises AccessDeniedException unless the caller may hand this role to Bedrock."""
    caller.require("iam:PassRole", role_arn, {"iam:PassedToService": SERVICE}, service="iam")


def assume(role_arn: str, account: str, region: str, source_arn: str, service: str = SERVICE) -> Session:
    """A session of the role, if it exists and trusts the service acting for `source_arn`; else ValidationException."""
    role = _role(role_arn, account)
    if role is None or not _trusts(role, role_arn, account, region, source_arn, service):
        raise ServiceError(
            "ValidationException", "Could not assume provided IAM role. Please verify that it trusts Amazon Bedrock."
        )
    session = Session(
        role_arn, region, f"ASIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30), secrets.token_urlsafe(90)
    )
    sts.register_session(
        session.access_key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role['RoleName']}/bedrock",
            "UserId": f"{role['RoleId']}:bedrock",
            "SecretAccessKey": session.secret_key,
            "SessionToken": session.token,
            "Expiration": time.time() + SESSION_SECONDS,
            "AccountId": account,
            "PrincipalType": "AssumedRole",
        },
    )
    return session


def _role(role_arn: str, account: str) -> dict[str, Any] | None:
    role: dict[str, Any] | None = iam._roles.get_scoped(account, None, role_arn.rsplit("/", 1)[-1])
    return role if role is not None and role["Arn"] == role_arn else None


def _trusts(role: dict[str, Any], role_arn: str, account: str, region: str, source_arn: str, service: str) -> bool:
    """A trust policy names no resource, so it is evaluated as one that names the role."""
    policy = role["AssumeRolePolicyDocument"]
    document = json.loads(policy) if isinstance(policy, str) else policy
    statements = document.get("Statement", [])
    named = [{**one, "Resource": role_arn} for one in (statements if isinstance(statements, list) else [statements])]
    return service_may({"Statement": named}, "sts:AssumeRole", role_arn, account, region, source_arn, service)


def service_may(
    policy: str | dict[str, Any],
    action: str,
    resource: str,
    account: str,
    region: str,
    source_arn: str,
    service: str = SERVICE,
) -> bool:
    """Whether a resource's own policy lets the service, acting for `source_arn`, do this to the resource."""
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=region,
        service_context={"aws:sourceaccount": account, "aws:sourcearn": source_arn},
    )
    return bool(iam_evaluator.evaluate_resource_policy(policy, context, service=service).decision == "Allow")
