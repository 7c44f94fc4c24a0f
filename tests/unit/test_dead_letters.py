"""What a dead letter stands for: the event a function should have had, or the time of records nobody was told of."""

import json
from pathlib import Path
from typing import Any

import pytest

from tunegate.errors import PermanentError
from tunegate.observe.dead_letters import call_of

EVENTS = Path(__file__).parents[2] / "events"


def sample(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return read


def test_what_a_rule_could_not_deliver_goes_to_its_target_as_it_was() -> None:
    call = call_of(sample("dead_letter_of_a_rule"))
    assert call.function.endswith(":function:tunegate-take-answer")
    assert (call.payload, call.waits) == (sample("guardduty_scan_result"), False)


def test_what_a_function_failed_on_goes_to_that_function_whatever_its_version() -> None:
    call = call_of(sample("dead_letter_of_a_function"))
    assert call.function == "arn:aws:lambda:us-east-1:111122223333:function:tunegate-accept-policy"
    assert (call.payload, call.waits) == (sample("policy_proposed"), False)


def test_of_what_a_stream_gave_up_the_time_is_asked_for_and_the_answer_awaited() -> None:
    call = call_of(sample("dead_letter_of_a_stream"))
    assert call.function.endswith(":tunegate-send-alert")
    window = {"begin": "2026-11-22T10:00:01Z", "end": "2026-11-22T10:00:04Z"}
    assert (call.payload, call.waits) == ({"untold": window}, True)


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[]",
        "{}",
        '{"requestContext": {"functionArn": "arn:aws:sns:us-east-1:111122223333:topic"}, "requestPayload": {}}',
        '{"requestContext": {"functionArn": "arn:aws:lambda:us-east-1:111122223333:function:f"}}',
        '{"requestContext": {"functionArn": "arn:aws:lambda:us-east-1:111122223333:function:f"}, '
        '"DDBStreamBatchInfo": {"approximateArrivalOfFirstRecord": "yesterday"}}',
        "[" * 100_000,
    ],
)
def test_a_message_of_nobody_is_refused(body: str) -> None:
    with pytest.raises(PermanentError):
        call_of({"Body": body})
