"""Attacks on being told: alerts, rules, mappings, queues, records."""

import json
from typing import Any

from botocore.exceptions import ClientError

from attacks import undo
from attacks.attack import Attack, Outcome, detected, prevented
from attacks.attacker import Attacker, RefusedError
from attacks.ground import Ground
from e2e.job_world import RECORDS


def unsubscribe(attacker: Attacker, ground: Ground) -> Outcome:
    with undo.subscription(ground.world) as subscription:
        attacker.client("sns").unsubscribe(SubscriptionArn=subscription)
        return detected(ground.audit_finds("estate.alerts_reach_somebody"))


def topic_policy(attacker: Attacker, ground: Ground) -> Outcome:
    """Let nobody publish, the gate included."""
    topic = ground.name("AlertsTopicArn")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": topic}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    with undo.topic_policy(ground.world):
        attacker.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document)
        return detected(ground.audit_finds("estate.alerts_reach_somebody"))


def disable_rule(attacker: Attacker, ground: Ground) -> Outcome:
    since, events = ground.estate_alerts(), ground.world.client("events")
    try:
        attacker.client("events").disable_rule(Name="tunegate-uploads")
        return detected(ground.estate_alert("estate.rules_enabled", since))
    finally:
        events.enable_rule(Name="tunegate-uploads")


def switch_mapping_off(attacker: Attacker, ground: Ground) -> Outcome:
    mapping = ground.mapping("send-alert")
    try:
        attacker.client("lambda").update_event_source_mapping(UUID=mapping, Enabled=False)
        return detected(ground.audit_finds("estate.mappings_enabled"))
    finally:
        ground.world.client("lambda").update_event_source_mapping(UUID=mapping, Enabled=True)


def empty_queue(attacker: Attacker, ground: Ground) -> Outcome:
    """Purge the uploads, or take them out one by one."""
    sqs, queue = attacker.client("sqs"), ground.name("UploadsQueueUrl")
    # Whoever may not is refused here, before a file is uploaded for them.
    _take_out(sqs, queue)
    upload = ground.world.deployment.put(ground.fresh(), RECORDS)
    _take_out(sqs, queue)
    return prevented("reconcile scans what no event told") if ground.decided_after_all(upload) else detected(None)


def _take_out(sqs: Any, queue: str) -> None:
    try:
        sqs.purge_queue(QueueUrl=queue)
    except RefusedError:
        got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        for message in got.get("Messages", ()):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    except ClientError as error:
        # Once a minute is all SQS does.
        if "PurgeQueueInProgress" not in error.response["Error"]["Code"]:
            raise


def stop_trail(attacker: Attacker, ground: Ground) -> Outcome:
    since, cloudtrail = ground.estate_alerts(), ground.world.client("cloudtrail")
    try:
        attacker.client("cloudtrail").stop_logging(Name="tunegate-trail")
        return detected(ground.estate_alert("estate.trail", since))
    finally:
        cloudtrail.start_logging(Name="tunegate-trail")


def stop_invocation_logging(attacker: Attacker, ground: Ground) -> Outcome:
    since, bedrock = ground.estate_alerts(), ground.world.client("bedrock")
    before = bedrock.get_model_invocation_logging_configuration()["loggingConfig"]
    try:
        attacker.client("bedrock").delete_model_invocation_logging_configuration()
        return detected(ground.estate_alert("estate.invocation_logging", since))
    finally:
        bedrock.put_model_invocation_logging_configuration(loggingConfig=before)


def note_as_sent(attacker: Attacker, ground: Ground) -> Outcome:
    """Write the note by which an alert counts as sent, before it is."""
    key = ground.fresh(".bin")
    with undo.no_events(ground.world):
        upload = ground.world.deployment.put(key, b"\x00" * 64)
        item = {"pk": {"S": f"alert#{upload.digest}"}, "sk": {"S": "alert"}, "entity": {"S": "alert"}}
        attacker.client("dynamodb").put_item(TableName=ground.name("LedgerTable"), Item=item)
    ground.decided_after_all(upload)
    return detected("the alert itself" if ground.alert_about(key) else ground.audit_finds("estate.alerts_sent"))


def pages(attacker: Attacker, ground: Ground) -> bool:
    """Whose duty it is to send alerts, by the topic's policy."""
    return attacker.role in ground.spared("NobodyElseRaisesAlerts", ground.topic_statements())


def false_alert(attacker: Attacker, ground: Ground) -> Outcome:
    attacker.client("sns").publish(TopicArn=ground.name("AlertsTopicArn"), Message="All is well.")
    return detected(None)


ATTACKS = (
    Attack("delete the subscription to alerts", unsubscribe),
    Attack("close the alerts' topic", topic_policy),
    Attack("raise a false alert", false_alert, duty=pages),
    Attack("disable a rule", disable_rule),
    Attack("switch an event source mapping off", switch_mapping_off),
    Attack("empty the uploads queue", empty_queue),
    Attack("note an alert as sent", note_as_sent, duty=pages),
    Attack("stop the trail", stop_trail),
    Attack("turn invocation logging off", stop_invocation_logging),
)
