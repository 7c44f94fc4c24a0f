"""Delivery of alerts: published until SNS has them, then noted, so that a repeated event tells nobody twice."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tunegate.act.ledger import write_once
from tunegate.errors import aws_call
from tunegate.observe.ledger import row_exists
from tunegate.report.alert import Alert, attributes_of, message_of, subject_line
from tunegate.report.alerts import alert_of
from tunegate.rows import Entity

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sns import SNSClient


def deliver(
    sns: "SNSClient", dynamodb: "DynamoDBClient", topic: str, table: str, row: Mapping[str, Any]
) -> Alert | None:
    """Send the alert a ledger row calls for. Returns it, or None where none is due or it was sent before.

    The note is written after SNS accepted the alert: a failure in between repeats it rather than losing it, and
    receivers can tell by `alert_id`.
    """
    alert = alert_of(row)
    if alert is None or row_exists(dynamodb, table, _key(alert)):
        return None
    with aws_call("Publishing the alert"):
        sns.publish(
            TopicArn=topic,
            Subject=subject_line(alert),
            Message=message_of(alert),
            MessageStructure="json",
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes_of(alert).items()
            },
        )
    write_once(dynamodb, table, _note(alert))
    return alert


def _key(alert: Alert) -> dict[str, str]:
    return {"pk": f"alert#{alert.alert_id}", "sk": "alert"}


def _note(alert: Alert) -> dict[str, Any]:
    return _key(alert) | {
        "entity": Entity.ALERT.value,
        "at": alert.at,
        "severity": alert.severity.value,
        "category": alert.category,
        "verdict": alert.verdict,
        "bucket": alert.bucket,
        "key": alert.key,
        "version_id": alert.version_id,
        "title": alert.title,
        "message": alert.text,
    }
