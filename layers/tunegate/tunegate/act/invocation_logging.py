"""Model invocation logging, which CloudFormation has no resource for.

An account has one configuration in a Region, so one that somebody else has made is never replaced or removed.
"""

from typing import Any

from tunegate.errors import aws_call


def turn_on(bedrock: Any, group: str, role_arn: str) -> bool:
    """Have invocations logged to a log group. False where they are logged already, there or elsewhere."""
    if _configured(bedrock):
        return False
    with aws_call("Turning invocation logging on"):
        bedrock.put_model_invocation_logging_configuration(loggingConfig=_ours(group, role_arn))
    return True


def take_down(bedrock: Any, group: str, role_arn: str) -> bool:
    """Turn off what `turn_on` has turned on. False where the configuration is no longer that one."""
    if _configured(bedrock).get("cloudWatchConfig") != _ours(group, role_arn)["cloudWatchConfig"]:
        return False
    with aws_call("Turning invocation logging off"):
        bedrock.delete_model_invocation_logging_configuration()
    return True


def _configured(bedrock: Any) -> dict[str, Any]:
    with aws_call("Reading the invocation logging configuration"):
        answer = bedrock.get_model_invocation_logging_configuration()
    configured: dict[str, Any] = answer.get("loggingConfig") or {}
    return configured


def _ours(group: str, role_arn: str) -> dict[str, Any]:
    return {
        "cloudWatchConfig": {"logGroupName": group, "roleArn": role_arn},
        "textDataDeliveryEnabled": True,
        "imageDataDeliveryEnabled": True,
        "embeddingDataDeliveryEnabled": True,
        "videoDataDeliveryEnabled": True,
        "audioDataDeliveryEnabled": True,
    }
