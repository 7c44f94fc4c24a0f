"""Gaps in CloudFormation's resources for the ground: trails and flow logs."""

import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import cloudtrail, ec2
from ministack.services.cloudformation import provisioners

type Properties = dict[str, Any]


def trails_are_resources() -> None:
    """`AWS::CloudTrail::Trail`, made by the same calls as through the API; `IsLogging` starts it.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudtrail-trail.html
    """
    provisioners._RESOURCE_HANDLERS["AWS::CloudTrail::Trail"] = {
        "create": _create_trail,
        "update": _update_trail,
        "delete": _delete_trail,
    }


def flow_logs_are_resources() -> None:
    """`AWS::EC2::FlowLog`, and what DescribeFlowLogs tells of one beyond what ministack does.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-flowlog.html
    """
    provisioners._RESOURCE_HANDLERS["AWS::EC2::FlowLog"] = {
        "create": _create_flow_log,
        "delete": _delete_flow_log,
    }
    ec2._ACTION_MAP["CreateFlowLogs"] = _with_delivery(ec2._create_flow_logs)
    ec2._ACTION_MAP["DescribeFlowLogs"] = _with_delivery_told(ec2._describe_flow_logs)


def _create_trail(logical_id: str, props: Properties, stack_name: str) -> tuple[str, Properties]:
    name = props.get("TrailName") or f"{stack_name}-{logical_id}"
    _answered(cloudtrail._create_trail({"Name": name, **_trail_of(props)}))
    return name, _configured(name, props)


def _update_trail(
    physical_id: str, old_props: Properties, new_props: Properties, _stack_name: str
) -> tuple[str, Properties]:
    if old_props.get("TrailName") != new_props.get("TrailName"):
        raise ValueError("A trail cannot be renamed in the embedded cloud")
    _answered(cloudtrail._update_trail({"Name": physical_id, **_trail_of(new_props)}))
    return physical_id, _configured(physical_id, new_props)


def _delete_trail(physical_id: str, _props: Properties) -> None:
    cloudtrail._delete_trail({"Name": physical_id})


def _trail_of(props: Properties) -> Properties:
    return {
        "S3BucketName": props["S3BucketName"],
        "S3KeyPrefix": props.get("S3KeyPrefix", ""),
        "IsMultiRegionTrail": _true(props.get("IsMultiRegionTrail")),
        "IncludeGlobalServiceEvents": _true(props.get("IncludeGlobalServiceEvents", True)),
        "EnableLogFileValidation": _true(props.get("EnableLogFileValidation")),
        "KmsKeyId": props.get("KMSKeyId", ""),
    }


def _configured(name: str, props: Properties) -> Properties:
    """What a trail records, and whether it does; the resource's attributes."""
    for member in ("EventSelectors", "AdvancedEventSelectors"):
        if props.get(member):
            _answered(cloudtrail._put_event_selectors({"TrailName": name, member: props[member]}))
    logging = cloudtrail._start_logging if _true(props.get("IsLogging")) else cloudtrail._stop_logging
    _answered(logging({"Name": name}))
    return {"Arn": cloudtrail._trail_arn(name), "SnsTopicArn": ""}


def _create_flow_log(_logical_id: str, props: Properties, _stack_name: str) -> tuple[str, Properties]:
    before = set(ec2._flow_logs.keys())
    asked = {"LogDestinationType": "cloud-watch-logs", **props}
    status, _, answer = ec2._ACTION_MAP["CreateFlowLogs"](
        {"ResourceId.1": [props["ResourceId"]], **{name: [str(value)] for name, value in asked.items()}}
    )
    if status >= 300:
        raise ValueError(answer.decode())
    [created] = set(ec2._flow_logs.keys()) - before
    return created, {"Id": created}


def _delete_flow_log(physical_id: str, _props: Properties) -> None:
    ec2._flow_logs.pop(physical_id, None)


def _with_delivery(create: Any) -> Any:
    def create_flow_logs(asked: Mapping[str, Any]) -> Any:
        role, to_logs = ec2._p(asked, "DeliverLogsPermissionArn"), ec2._p(asked, "LogDestinationType") != "s3"
        if to_logs and not role:
            return ec2._error(
                "InvalidParameter", "DeliverLogsPermissionArn can't be empty if destination is CW Logs", 400
            )
        before = set(ec2._flow_logs.keys())
        answer = create(asked)
        group = ec2._p(asked, "LogGroupName") or _group_name(ec2._p(asked, "LogDestination"))
        for made in set(ec2._flow_logs.keys()) - before:
            ec2._flow_logs[made] |= {
                "DeliverLogsPermissionArn": role,
                "LogGroupName": group if to_logs else "",
                "MaxAggregationInterval": ec2._p(asked, "MaxAggregationInterval") or "600",
            }
        return answer

    return create_flow_logs


def _with_delivery_told(describe: Any) -> Any:
    def describe_flow_logs(asked: Mapping[str, Any]) -> Any:
        status, headers, body = describe(asked)
        for name, log in ec2._flow_logs.items():
            told = "".join(
                f"<{member[0].lower()}{member[1:]}>{escape(log[member])}</{member[0].lower()}{member[1:]}>"
                for member in ("DeliverLogsPermissionArn", "LogGroupName", "MaxAggregationInterval")
                if log.get(member)
            )
            start = f"<flowLogId>{name}</flowLogId>"
            body = body.replace(start.encode(), (start + told).encode())
        return status, headers, body

    return describe_flow_logs


def _group_name(arn: str) -> str:
    """`arn:aws:logs:region:account:log-group:name`, perhaps with `:*` after it."""
    return arn.split(":log-group:", 1)[-1].removesuffix(":*")


def _answered(answer: tuple[int, dict[str, str], bytes]) -> dict[str, Any]:
    status, _, body = answer
    if status >= 300:
        raise ValueError(body.decode())
    parsed: dict[str, Any] = json.loads(body or b"{}")
    return parsed


def _true(value: Any) -> bool:
    return str(value).lower() == "true"
