"""Gaps in which resource an IAM policy is asked about, and with which condition keys."""

import json
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import iam, kms

type Body = Mapping[str, Any]

# Whose `Name` or `Rule` is a rule's.
_RULE_CALLS = ("PutRule", "DescribeRule", "EnableRule", "DisableRule", "DeleteRule", "PutTargets", "RemoveTargets",
               "ListTargetsByRule")  # fmt: skip
# Of EC2's descriptions these may be allowed of one resource; all others only of every one.
_DESCRIBES_ONE = ("DescribeVpcAttribute", "DescribeInstanceAttribute", "DescribeVolumeAttribute")


def calls_are_about_the_resources_aws_asks_of() -> None:
    """Ministack asks IAM about other ARNs than AWS for rules, roles below a path, aliases, log streams, descriptions.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
    https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
    https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html (the stream in the role's policy)
    """
    arn_of = iam_actions.extract_resource_arn

    def extract_resource_arn(
        service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, params: Any, region: str,
        account: str,
    ) -> str:  # fmt: skip
        named: str = arn_of(service, method, path, headers, body, params, region, account)
        name = headers.get("x-amz-target", "").rpartition(".")[2] or iam_actions._query_param(params, "Action")
        match service:
            case "events" if name in _RULE_CALLS:
                return _rule(_parsed(body), named, region, account)
            case "kms":
                return _key(name, named)
            case "iam" if ":role/" in named:
                role = iam._roles.get(named.rsplit("/", 1)[-1])
                return str(role["Arn"]) if role else named
            case "ec2" if name.startswith("Describe") and name not in _DESCRIBES_ONE:
                return "*"
            case "logs" if name in ("CreateLogStream", "PutLogEvents"):
                return f"{named}:log-stream:{_parsed(body).get('logStreamName', '')}"
            case "logs" if name == "DescribeLogGroups" and named == "*":
                # As its refusals name it.
                return f"arn:aws:logs:{region}:{account}:log-group::log-stream:"
        return named

    iam_actions.extract_resource_arn = extract_resource_arn


def keys_are_asked_about_with_their_context() -> None:
    """A policy on a key sees whose account calls, the encryption context, and what a new grant would allow whom.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    """
    context_of, enforce = iam_actions.request_tag_context, iam_evaluator.enforce

    def request_tag_context(service: str, action: str, body: bytes, params: Any) -> dict[str, Any]:
        context: dict[str, Any] = context_of(service, action, body, params)
        return context | _key_context(_parsed(body)) if service == "kms" else context

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


def _rule(asked: Body, named: str, region: str, account: str) -> str:
    """A rule of the default bus is `rule/<name>`, of another `rule/<bus>/<name>`."""
    name = asked.get("Rule") or asked.get("Name")
    if not name:
        return named
    bus = str(asked.get("EventBusName") or "default").rpartition("/")[2]
    of_bus = "" if bus == "default" else f"{bus}/"
    return f"arn:aws:events:{region}:{account}:rule/{of_bus}{name}"


def _key(name: str, named: str) -> str:
    if name == "ListAliases":
        return "*"
    if name in ("CreateAlias", "UpdateAlias", "DeleteAlias"):
        return named
    key = kms._resolve_key(named)
    return str(key["Arn"]) if key else named


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


def _parsed(body: bytes) -> Body:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
