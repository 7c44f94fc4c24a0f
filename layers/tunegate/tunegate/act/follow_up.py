"""Looking again at what ends without an event: imports, copies, deployments and throughputs."""

import json
from typing import TYPE_CHECKING

from tunegate.errors import aws_call
from tunegate.job_facts import State
from tunegate.subject import Kind
from tunegate.subject_rows import SubjectRow

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def look_again(sqs: "SQSClient", queue: str, row: SubjectRow, seconds: int) -> bool:
    """Have a subject looked at again in a while, where no event will tell. Returns whether it will be.

    A customization job has events of its own, and reconcile for those that are lost.
    """
    if row.state is not State.RUNNING or row.subject.kind is Kind.CUSTOMIZATION_JOB or not row.created_at:
        return False
    enqueue(sqs, queue, row.subject.arn, seconds)
    return True


def enqueue(sqs: "SQSClient", queue: str, arn: str, seconds: int = 0) -> None:
    """Put a subject on the jobs queue."""
    with aws_call("Asking for another look"):
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"subject": arn}), DelaySeconds=seconds)
