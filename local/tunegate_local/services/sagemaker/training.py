"""Training jobs.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

from collections.abc import Callable, Mapping
from typing import Any

from tunegate_local.detectors.wire import Call, ServiceError
from tunegate_local.services.mounting import Caller
from tunegate_local.services.sagemaker.account import Answer, Operation, Records, arn_of, later, now, require

EVENT = "SageMaker Training Job State Change"
SERVICE = "sagemaker.amazonaws.com"
# What a job that runs is busy with, in turn; then it is complete.
_STAGES = ("Starting", "Downloading", "Training", "Uploading")
_SUMMARY = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime", "LastModifiedTime",
            "TrainingJobStatus", "SecondaryStatus")  # fmt: skip


class Training:
    """Each stage of a job takes a moment; its changes of state are published."""

    def __init__(self, records: Records, stage_seconds: Callable[[], float]) -> None:
        self._records, self._stage_seconds = records, stage_seconds
        self.operations: Mapping[str, Operation] = {
            "CreateTrainingJob": self._create,
            "DescribeTrainingJob": self._describe,
            "ListTrainingJobs": self._list,
            "StopTrainingJob": self._stop,
        }

    def _create(self, call: Call, caller: Caller) -> Answer:
        asked = call.parameters
        arn = arn_of(caller, "training-job", asked["TrainingJobName"])
        if self._records.has(arn):
            raise ServiceError("ResourceInUse", "Training job names must be unique within an AWS account and region.")
        caller.require("iam:PassRole", asked["RoleArn"], {"iam:PassedToService": SERVICE}, service="iam")
        output = f"{asked['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{asked['TrainingJobName']}/output"
        created = now()
        described = {name: value for name, value in asked.items() if name in _kept(call)} | {
            "TrainingJobArn": arn,
            "TrainingJobStatus": "InProgress",
            "SecondaryStatus": _STAGES[0],
            "SecondaryStatusTransitions": [_transition(_STAGES[0])],
            "StoppingCondition": asked.get("StoppingCondition", {"MaxRuntimeInSeconds": 86400}),
            "ModelArtifacts": {"S3ModelArtifacts": f"{output}/model.tar.gz"},
            "CreationTime": created,
            "LastModifiedTime": created,
        }
        self._records.add(caller, arn, described, asked)
        self._records.tell(EVENT, arn)
        later(self._stage_seconds(), lambda: self._go_on(arn, 1))
        return {"TrainingJobArn": arn}

    def _go_on(self, arn: str, stage: int) -> None:
        with self._records.lock:
            job = self._records.find(arn)
            if job["TrainingJobStatus"] != "InProgress":
                return
            done = stage == len(_STAGES)
            self._change(job, "Completed" if done else "InProgress", "Completed" if done else _STAGES[stage])
            if not done and _STAGES[stage] == "Training":
                job["TrainingStartTime"] = now()
        self._records.tell(EVENT, arn)
        if not done:
            later(self._stage_seconds(), lambda: self._go_on(arn, stage + 1))

    def _stop(self, call: Call, caller: Caller) -> Answer:
        arn, job = self._named(call, caller)
        with self._records.lock:
            if job["TrainingJobStatus"] != "InProgress":
                raise ServiceError(
                    "ValidationException",
                    f"The request was rejected because the training job is in status {job['TrainingJobStatus']}.",
                )
            self._change(job, "Stopping", "Stopping")
        self._records.tell(EVENT, arn)
        later(self._stage_seconds(), lambda: self._stopped(arn))
        return {}

    def _stopped(self, arn: str) -> None:
        with self._records.lock:
            self._change(self._records.find(arn), "Stopped", "Stopped")
        self._records.tell(EVENT, arn)

    def _describe(self, call: Call, caller: Caller) -> Answer:
        return dict(self._named(call, caller)[1])

    def _list(self, call: Call, caller: Caller) -> Answer:
        require(caller, "ListTrainingJobs", "*", {})
        asked = call.parameters
        jobs = [
            job
            for job in self._records.of(caller, "training-job")
            if asked.get("NameContains", "").lower() in job["TrainingJobName"].lower()
            and asked.get("StatusEquals", job["TrainingJobStatus"]) == job["TrainingJobStatus"]
        ]
        if asked.get("SortOrder", "Descending") == "Descending":
            jobs.reverse()
        # The token is how many came before.
        start, size = int(asked.get("NextToken", "0")), asked.get("MaxResults", 10)
        page = [{name: job[name] for name in _SUMMARY if name in job} for job in jobs[start : start + size]]
        more = {"NextToken": str(start + size)} if len(jobs) > start + size else {}
        return {"TrainingJobSummaries": page, **more}

    def _named(self, call: Call, caller: Caller) -> tuple[str, Answer]:
        arn = arn_of(caller, "training-job", call.parameters["TrainingJobName"])
        require(caller, call.operation.name, arn, {})
        return arn, self._records.find(arn)

    @staticmethod
    def _change(job: Answer, status: str, secondary: str) -> None:
        moment = now()
        job["SecondaryStatusTransitions"][-1]["EndTime"] = moment
        transitions = [*job["SecondaryStatusTransitions"], _transition(secondary)]
        job |= {
            "TrainingJobStatus": status,
            "SecondaryStatus": secondary,
            "SecondaryStatusTransitions": transitions,
            "LastModifiedTime": moment,
        }
        if status in ("Completed", "Stopped"):
            job["TrainingEndTime"] = moment


def _transition(secondary: str) -> dict[str, Any]:
    return {"Status": secondary, "StartTime": now()}


def _kept(call: Call) -> frozenset[str]:
    """What Describe tells of what Create was asked."""
    model = call.operation.service_model.operation_model("DescribeTrainingJob")
    return frozenset(model.output_shape.members)  # type: ignore[union-attr]
