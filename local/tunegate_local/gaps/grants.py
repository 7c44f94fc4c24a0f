"""Gaps in who may use a KMS key: what its policy sees of a call, and grants."""

from collections.abc import Mapping
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import kms

from tunegate_local.gaps.resources import parsed

type Body = Mapping[str, Any]


def keys_are_asked_about_with_their_context() -> None:
    """A policy on a key sees whose account calls, the encryption context, and what a new grant would allow whom.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    """
    context_of, enforce = iam_actions.request_tag_context, iam_evaluator.enforce

    def request_tag_context(service: str, action: str, body: bytes, params: Any) -> dict[str, Any]:
        context: dict[str, Any] = context_of(service, action, body, params)
        return context | _key_context(parsed(body)) if service == "kms" else context

    def enforce_with_account(
        access_key_id: str, iam_action: str, service: str, region: str, resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        if service == "kms":
            service_context = {"kms:CallerAccount": get_account_id(), **(service_context or {})}
        return enforce(access_key_id, iam_action, service, region, resource_arn, service_context)

    iam_actions.request_tag_context = request_tag_context
    iam_evaluator.enforce = enforce_with_account


def grants_allow() -> None:
    """A grant lets its grantee use the key, whatever IAM and the key's policy leave out; ministack only keeps it.

    https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
    """
    enforce = iam_evaluator.enforce

    def enforce_with_grants(
        access_key_id: str, iam_action: str, service: str, region: str, resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        denied = enforce(access_key_id, iam_action, service, region, resource_arn, service_context)
        if service != "kms" or getattr(denied, "decision", "") != "ImplicitDeny":
            return denied
        operation = iam_action.removeprefix("kms:")
        context = {
            name.removeprefix("kms:EncryptionContext:"): value
            for name, value in (service_context or {}).items()
            if name.startswith("kms:EncryptionContext:")
        }
        granted = any(
            grant["KeyId"] == resource_arn
            and operation in grant["Operations"]
            and iam_evaluator._principal_matches({"AWS": [grant["GranteePrincipal"]]}, denied.principal_arn)
            and _within(grant.get("Constraints"), context)
            for grant in kms._grants.values()
        )
        return None if granted else denied

    iam_evaluator.enforce = enforce_with_grants


def _key_context(asked: Body) -> dict[str, Any]:
    context = {f"kms:EncryptionContext:{name}": value for name, value in (asked.get("EncryptionContext") or {}).items()}
    if context:
        context["kms:EncryptionContextKeys"] = list(asked["EncryptionContext"])
    if str(asked.get("KeyId", "")).startswith("alias/"):
        context["kms:RequestAlias"] = asked["KeyId"]
    for key, member in (
        ("kms:GranteePrincipal", "GranteePrincipal"),
        ("kms:RetiringPrincipal", "RetiringPrincipal"),
        ("kms:GrantOperations", "Operations"),
    ):
        if asked.get(member):
            context[key] = asked[member]
    if "GranteePrincipal" in asked:
        # Only AWS services on somebody's behalf make grants for resources of AWS.
        context["kms:GrantIsForAWSResource"] = "false"
    return context


def _within(constraints: Body | None, context: Body) -> bool:
    limits = constraints or {}
    equals, subset = limits.get("EncryptionContextEquals"), limits.get("EncryptionContextSubset")
    if equals is not None and dict(equals) != dict(context):
        return False
    return subset is None or set(subset.items()) <= set(context.items())
