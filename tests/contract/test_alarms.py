"""What the alarms watch is there: queues, functions and machines of this stack, and numbers that somebody counts."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from contract.templates import ROOT, properties, text

ALARMS = properties("AWS::CloudWatch::Alarm")
QUEUES = {text(queue["QueueName"]) for queue in properties("AWS::SQS::Queue").values()}
MACHINES = properties("AWS::Serverless::StateMachine")
FUNCTIONS = {text(function["FunctionName"]) for function in properties("AWS::Serverless::Function").values()}


def watched(alarm: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each metric of an alarm, whether it is of one or of an expression."""
    if "MetricName" in alarm:
        yield alarm
    yield from (metric["MetricStat"]["Metric"] for metric in alarm.get("Metrics", []) if "MetricStat" in metric)


@pytest.mark.parametrize("alarm", ALARMS)
def test_each_alarm_watches_something_of_this_stack(alarm: str) -> None:
    for metric in watched(ALARMS[alarm]):
        [dimension] = metric["Dimensions"]
        of, name = dimension["Name"], text(dimension["Value"])
        match metric["Namespace"]:
            case "AWS/SQS":
                assert of == "QueueName"
                assert name in QUEUES
            case "AWS/Lambda":
                assert of == "FunctionName"
                assert name in FUNCTIONS
            case "AWS/States":
                assert of == "StateMachineArn"
                assert dimension["Value"]["Ref"].removesuffix("Arn") in MACHINES
            case other:
                assert (other, of, name) == ("Tunegate", "service", "tunegate")


def test_each_number_an_alarm_watches_is_counted() -> None:
    own = {
        metric["MetricName"]
        for alarm in ALARMS.values()
        for metric in watched(alarm)
        if metric["Namespace"] == "Tunegate"
    }
    sources = "".join(path.read_text() for path in sorted((ROOT / "functions").rglob("app.py")))
    assert own >= {"Held", "ScansStarted", "Verdicts", "Reconciled"}
    assert own <= set(re.findall(r'count\("(\w+)"', sources))


def test_a_queue_that_keeps_what_failed_raises_an_alarm_at_its_first_message() -> None:
    readers = [
        text(event["Properties"]["Queue"])
        for function in properties("AWS::Serverless::Function").values()
        for event in function.get("Events", {}).values()
        if event["Type"] == "SQS"
    ]
    keeping = {name for name in QUEUES if name.endswith(("dead-letters", "alert-failures"))}
    assert len(QUEUES) == len(keeping) + len(readers), "a queue is read by a function, or keeps what failed"
    for name in keeping:
        [alarm] = [
            alarm
            for alarm in ALARMS.values()
            if alarm.get("MetricName") == "ApproximateNumberOfMessagesVisible"
            and [text(dimension["Value"]) for dimension in alarm["Dimensions"]] == [name]
        ]
        assert text(alarm["AlarmName"]) == name
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
        assert (alarm["EvaluationPeriods"], alarm["Statistic"]) == (1, "Maximum")
