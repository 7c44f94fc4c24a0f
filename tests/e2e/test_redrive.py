"""Nothing is lost in a dead-letter queue: what fails ends there, raises its alarm, and comes back when redriven."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from e2e.conftest import Deployment, wait_for
from e2e.job_world import JobWorld
from tunegate.subject import Approval
from tunegate_cli.main import app

EVENTS = Path(__file__).parents[2] / "events"
CLEAN = b'{"prompt": "What is the capital of Italy?", "completion": "Rome is the capital of Italy."}\n'
FLAGGED = b'{"prompt": "My social security number is 536-22-8127.", "completion": "Thank you."}\n'


@pytest.fixture
def command(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`tunegate` with the rights of an operator, and no others."""
    session = deployment._credentials(deployment.outputs["OperatorRoleArn"])
    for name, value in deployment.cloud.environment().items():
        monkeypatch.setenv(name, value)
    for name, value in session.items():
        monkeypatch.setenv(name.upper(), value)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def impatient(deployment: Deployment, request: pytest.FixtureRequest) -> Iterator[str]:
    """The uploads queue, or the one of another output, giving a failed message out again after a second."""
    url, sqs = deployment.outputs[getattr(request, "param", "UploadsQueueUrl")], deployment.client("sqs")
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    yield url
    sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


@contextmanager
def forbidden(deployment: Deployment, role: str, action: str) -> Iterator[None]:
    """A cause to mend: the role may not do what it has to."""
    iam = deployment.client("iam")
    denied = {"Effect": "Deny", "Action": action, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    iam.put_role_policy(RoleName=role, PolicyName="forbidden", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="forbidden")


def url_of(deployment: Deployment, queue: str) -> str:
    url: str = deployment.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]
    return url


def depth(deployment: Deployment, queue: str, *, given_out: bool = False) -> int:
    """How many messages wait, and how many were given out and not yet taken."""
    names = ["ApproximateNumberOfMessages", *(["ApproximateNumberOfMessagesNotVisible"] if given_out else [])]
    url = url_of(deployment, queue)
    counts = deployment.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(counts[name]) for name in names)


def raised(deployment: Deployment, queue: str) -> list[str]:
    """The alarms that what is in the queue raises, by what they watch: CloudWatch would take minutes to say so."""
    alarms = deployment.client("cloudwatch").describe_alarms(AlarmNamePrefix="tunegate-")["MetricAlarms"]
    watching = [
        alarm
        for alarm in alarms
        if (alarm.get("Namespace"), alarm.get("MetricName")) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
        and alarm["Dimensions"] == [{"Name": "QueueName", "Value": queue}]
    ]
    assert all(alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold" for alarm in watching)
    assert all(deployment.outputs["AlertsTopicArn"] in alarm["AlarmActions"] for alarm in watching)
    return [alarm["AlarmName"] for alarm in watching if depth(deployment, queue) >= alarm["Threshold"]]


def test_an_upload_nobody_could_start_a_scan_of_comes_back_and_is_settled(
    deployment: Deployment, command: Any, impatient: str
) -> None:
    letters = "tunegate-uploads-dead-letters"
    with forbidden(deployment, "tunegate-start-scan", "states:StartExecution"):
        upload = deployment.put("redrive/lost.jsonl", CLEAN)
        wait_for("the dead letter", lambda: depth(deployment, letters) or None)
        assert raised(deployment, letters) == [letters]
        assert deployment.decisions(upload.key) == []
        listed = {one["name"]: one for one in json.loads(command("redrive", "--json").stdout)["queues"]}
        assert listed[letters]["messages"] == 1
        assert "tunegate redrive uploads-dead-letters" in listed[letters]["meaning"]
    assert deployment.versions("IntakeBucket", upload.key), "what waits in a queue waits in intake"

    done = command("redrive", "uploads-dead-letters")
    assert done.exit_code == 0, done.output
    assert deployment.settled(upload).decision.verdict == "clean"
    assert depth(deployment, letters) == 0
    assert len(deployment.decisions(upload.key)) == 1


@pytest.mark.parametrize("impatient", ["JobsQueueUrl"], indirect=True)
def test_a_job_nobody_could_verify_comes_back_and_is_judged(
    deployment: Deployment, command: Any, impatient: str
) -> None:
    letters, world = "tunegate-jobs-dead-letters", JobWorld(deployment)
    world.approve(world.data)
    with forbidden(deployment, "tunegate-verify-job", "dynamodb:*"):
        job = world.start(customModelKmsKeyId=None)
        wait_for("the dead letter", lambda: depth(deployment, letters) or None)
        assert raised(deployment, letters) == [letters]
        assert world.row(job) is None
        # Several events tell of a job, and each becomes a dead letter.
        wait_for("the others", lambda: depth(deployment, "tunegate-jobs", given_out=True) == 0 or None)

    done = command("redrive", "jobs-dead-letters")
    assert done.exit_code == 0, done.output
    assert world.decided(job, lambda row: row.approval is Approval.REJECTED)
    assert world.alert_on(job, "encryption.job_model_key")
    assert depth(deployment, letters) == 0


def test_a_message_that_fails_whenever_it_comes_stays_a_dead_letter(
    deployment: Deployment, command: Any, impatient: str
) -> None:
    letters = "tunegate-uploads-dead-letters"
    deployment.client("sqs").send_message(QueueUrl=impatient, MessageBody="no event at all")
    wait_for("the dead letter", lambda: depth(deployment, letters) or None)
    assert raised(deployment, letters) == [letters]
    assert command("redrive", "uploads-dead-letters").exit_code == 0
    assert depth(deployment, letters) == 0
    wait_for("the dead letter again", lambda: depth(deployment, letters) or None)
    sqs, url = deployment.client("sqs"), url_of(deployment, letters)
    [poison] = sqs.receive_message(QueueUrl=url)["Messages"]
    assert poison["Body"] == "no event at all"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=poison["ReceiptHandle"])


def test_what_a_function_failed_on_is_done_when_given_back(deployment: Deployment, command: Any) -> None:
    letters, key = "tunegate-policy-dead-letters", "proposed/redriven.json"
    letter = json.loads((EVENTS / "dead_letter_of_a_function.json").read_text())
    left = json.loads(letter["Body"])
    left["requestContext"]["functionArn"] = deployment.client("lambda").get_function_configuration(
        FunctionName="tunegate-accept-policy"
    )["FunctionArn"]
    version = {
        "bucket": {"name": deployment.outputs["PolicyBucket"]},
        "object": left["requestPayload"]["detail"]["object"],
    }
    left["requestPayload"]["detail"] |= version
    left["requestPayload"]["detail"]["object"] |= {"key": key, "version-id": "none-such"}
    sqs = deployment.client("sqs")
    sqs.send_message(QueueUrl=url_of(deployment, letters), MessageBody=json.dumps(left))
    assert raised(deployment, letters) == [letters]
    done = command("redrive", "--all")
    assert done.exit_code == 0, done.output
    assert "1 given back" in done.stdout
    assert depth(deployment, letters) == 0
    # A version that does not exist fails there too, so what it failed on is kept again.
    wait_for("the event again", lambda: depth(deployment, letters) or None)
    sqs.purge_queue(QueueUrl=url_of(deployment, letters))


def test_alerts_nobody_got_are_sent_when_redriven_and_once(deployment: Deployment, command: Any) -> None:
    upload = deployment.put("redrive/untold.jsonl", FLAGGED)
    row = deployment.settled(upload)
    wait_for("the alert", lambda: deployment.alerts(upload.key) or None)
    # As if SNS had been away for longer than the stream remembers.
    note = {"pk": {"S": f"alert#{row.scan_id}"}, "sk": {"S": "alert"}}
    table = {"TableName": deployment.outputs["LedgerTable"], "Key": note}
    wait_for("its note", lambda: deployment.client("dynamodb").get_item(**table).get("Item"))
    deployment.client("dynamodb").delete_item(**table)

    letter = json.loads(json.loads((EVENTS / "dead_letter_of_a_stream.json").read_text())["Body"])
    came = datetime.fromisoformat(row.at) + timedelta(seconds=1)
    letter["DDBStreamBatchInfo"] |= {
        f"approximateArrivalOf{which}Record": came.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for which in ("First", "Last")
    }
    letter["requestContext"]["functionArn"] = deployment.client("lambda").get_function_configuration(
        FunctionName="tunegate-send-alert"
    )["FunctionArn"]
    sqs, url = deployment.client("sqs"), url_of(deployment, "tunegate-alert-failures")
    for _ in range(2):
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(letter))
        done = command("redrive", "alert-failures")
        assert done.exit_code == 0, done.output
    assert depth(deployment, "tunegate-alert-failures") == 0
    wait_for("the alert again", lambda: len(deployment.alerts(upload.key)) == 2 or None)
    assert len(deployment.alerts(upload.key)) == 2


def test_only_what_is_a_dead_letter_queue_is_redriven(deployment: Deployment, command: Any) -> None:
    operator = deployment.client("lambda", deployment.outputs["OperatorRoleArn"])
    answer = operator.invoke(FunctionName="tunegate-redrive-messages", Payload=b'{"queue": "tunegate-uploads"}')
    assert "is no dead-letter queue" in answer["Payload"].read().decode()
    assert command("redrive", "uploads").exit_code == 2
