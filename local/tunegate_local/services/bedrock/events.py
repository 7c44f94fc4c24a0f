"""The one event Bedrock itself publishes of what is built here: that a customization job changed its state.

https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-eventbridge-how-it-works.html
Whether AWS publishes the first state too is not documented; here it does.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from queue import SimpleQueue

from ministack.core.responses import request_scope

from tunegate_local.services.bedrock.store import Details, Resource, Store

CUSTOMIZATION = "Model Customization Job State Change"
_SAME = (
    "jobName", "jobArn", "outputModelName", "roleArn", "failureMessage", "baseModelArn", "hyperParameters",
    "trainingDataConfig", "outputDataConfig",
)  # fmt: skip
_TIMES = ("creationTime", "lastModifiedTime", "endTime")


class Announcements:
    """Publishes in order, and outside of any lock: what an event sets off may ask about the job at once."""

    def __init__(self, publish: Callable[[str, str, Details, list[str]], None]) -> None:
        self._publish = publish
        self._waiting: SimpleQueue[tuple[Store, Details]] = SimpleQueue()
        threading.Thread(target=self._run, name="bedrock-events", daemon=True).start()

    def add(self, store: Store, job: Resource, model_arn: str) -> None:
        """Tells of the state the job is in now."""
        self._waiting.put((store, customization(job, model_arn)))

    def _run(self) -> None:
        while True:
            store, detail = self._waiting.get()
            with request_scope(store.account, store.region):
                self._publish("aws.bedrock", CUSTOMIZATION, detail, [detail["jobArn"]])


def customization(job: Resource, model_arn: str) -> Details:
    """The event's `detail`: no VPC, key or tags, and validation data not as the API has it."""
    known = job.details
    detail = {
        "version": "0.0",
        **{name: known[name] for name in _SAME if name in known},
        "outputModelArn": model_arn,
        "jobStatus": known["status"],
        **{name: _written(known[name]) for name in _TIMES if name in known},
    }
    validators = known["validationDataConfig"]["validators"]
    return {**detail, "validationDataConfig": {"s3Uri": validators[0]["s3Uri"]}} if validators else detail


def _written(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
