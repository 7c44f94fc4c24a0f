"""Gaps in which resource an IAM policy is asked about."""

import json
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_actions
from ministack.services import iam, kms

type Body = Mapping[str, Any]

# Whose `Name` or `Rule` is a rule's.
_RULE_CALLS = ("PutRule", "DescribeRule", "EnableRule", "DisableRule", "DeleteRule", "PutTargets", "RemoveTargets",
               "ListTargetsByRule")  # fmt: skip
# Of EC2's descriptions these may be allowed of one resource; all others only of every one.
_DESCRIBES_ONE = ("DescribeVpcAttribute", "DescribeInstanceAttribute", "DescribeVolumeAttribute")


def calls_are_about_the_resources_aws_asks_of() -> None:
    """Ministack asks IAM about other ARNs than AWS for rules, roles below a path, aliases, logs, alarms, descriptions.

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
                return _rule(parsed(body), named, region, account)
            case "kms":
                return _key(name, named)
            case "iam" if ":role/" in named:
                role = iam._roles.get(named.rsplit("/", 1)[-1])
                return str(role["Arn"]) if role else named
            case "ec2" if name.startswith("Describe") and name not in _DESCRIBES_ONE:
                return "*"
            case "monitoring" if name == "DescribeAlarms":
                return f"arn:aws:cloudwatch:{region}:{account}:alarm:*"
            case "logs" if name in ("CreateLogStream", "PutLogEvents"):
                return f"{named}:log-stream:{parsed(body).get('logStreamName', '')}"
            case "logs" if name == "DescribeLogGroups" and named == "*":
                # As its refusals name it.
                return f"arn:aws:logs:{region}:{account}:log-group::log-stream:"
        return named

    iam_actions.extract_resource_arn = extract_resource_arn


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


def parsed(body: bytes) -> Body:
    """The members of a JSON request; none where it is not one."""
    try:
        members = json.loads(body or b"{}")
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}
