"""How a customization job runs: three stages, each of some seconds, after which there is a model or a failure."""

import threading
import time

from tunegate_local.services.bedrock import keys, network, roles
from tunegate_local.services.bedrock.data import Data, require_jsonl
from tunegate_local.services.bedrock.learning import Learner, Step, training_metrics, validation_metrics
from tunegate_local.services.bedrock.running import failing, start
from tunegate_local.services.bedrock.store import Details, Estate, JobError, Resource, Store, now

STAGES = ("validationDetails", "dataProcessingDetails", "trainingDetails")
# Bedrock makes sure that it can write before it trains.
WRITE_CHECK = ".write_access_check_file.tmp"
_CARRIED = (
    "jobName", "jobArn", "baseModelArn", "customizationType", "hyperParameters", "trainingDataConfig",
    "validationDataConfig", "outputDataConfig", "customizationConfig", "trainingMetrics", "validationMetrics",
)  # fmt: skip
# Stopping is quick, however long the stages are made.
MOST_STOPPING_SECONDS = 1.0


class Training:
    """One job's run. `run` blocks till its end; `stop` may be called meanwhile."""

    def __init__(self, estate: Estate, store: Store, job: Resource, model: Resource) -> None:
        self._estate = estate
        self._store = store
        self._job = job
        self._model = model
        self._stopped = threading.Event()
        self._steps: list[Step] = []
        self._losses: list[float] = []

    def start(self) -> None:
        """Sets out, in a thread of its own."""
        self._publish()
        start(self._store, self.run, self._job.name)

    def stop(self) -> None:
        """Lets the job end at the next opportunity, without a model."""
        with self._store.lock:
            if self._job.details["status"] == "InProgress":
                self._stopped.set()
                self._become("Stopping")

    def run(self) -> None:
        """Through the stages to the end."""
        with failing(lambda message: self._end("Failed", message)):
            role = roles.assume(self._job.details["roleArn"], self._store.account, self._store.region, self._job.arn)
            with network.interfaces(self._job.details.get("vpcConfig"), role, self._job.arn):
                self._go_through_stages(role)

    def _go_through_stages(self, role: roles.Session) -> None:
        for stage, work in zip(STAGES, (self._validate, self._process, self._train), strict=True):
            self._mark(stage, "InProgress")
            if not self._stopped.wait(self._estate.stage_seconds()):
                keys.require_usable(self._job.grant)
                work(Data(role, network.endpoint(self._job.details.get("vpcConfig"), role.region)))
            if self._stopped.is_set():
                self._stopped_at(stage)
                return
            self._mark(stage, "Completed")
        self._end("Completed")

    def _stopped_at(self, stage: str) -> None:
        self._mark(stage, "Stopping")
        time.sleep(min(self._estate.stage_seconds(), MOST_STOPPING_SECONDS))
        self._mark(stage, "Stopped")
        self._end("Stopped")

    def _validate(self, data: Data) -> None:
        data.write(self._job.details["outputDataConfig"]["s3Uri"], WRITE_CHECK, b"")

    def _process(self, data: Data) -> None:
        for uri in (self._source(), *self._validators()):
            for key, body in data.objects(uri):
                require_jsonl(key, body.iter_lines())

    def _train(self, data: Data) -> None:
        """Reads all of the data once more: what counts is what is there now."""
        learner = Learner()
        epochs = int(self._job.details["hyperParameters"].get("epochCount", "1"))
        self._steps = list(learner.train(data.sample(self._source()), epochs))
        if not self._steps:
            raise JobError(f"There is nothing in the training data: {self._source()}")
        self._losses = [learner.loss(data.sample(uri)) for uri in self._validators()]
        folder = f"model-customization-job-{self._job.arn.rsplit('/', 1)[-1]}"
        output = self._job.details["outputDataConfig"]["s3Uri"]
        metrics = training_metrics(self._steps)
        data.write(output, f"{folder}/training_artifacts/step_wise_training_metrics.csv", metrics)
        if self._losses:
            name = "validation_artifacts/post_fine_tuning_validation/validation_metrics.csv"
            data.write(output, f"{folder}/{name}", validation_metrics(self._losses, self._steps[-1]))

    def _source(self) -> str:
        config = self._job.details["trainingDataConfig"]
        source = config if "s3Uri" in config else config["invocationLogsConfig"]["invocationLogSource"]
        return str(source["s3Uri"])

    def _validators(self) -> list[str]:
        return [validator["s3Uri"] for validator in self._job.details["validationDataConfig"]["validators"]]

    def _mark(self, stage: str, status: str) -> None:
        with self._store.lock:
            at = now()
            known = self._job.details["statusDetails"]
            created = known[stage]["creationTime"] if known[stage]["status"] != "NotStarted" else at
            marked = {"status": status, "creationTime": created, "lastModifiedTime": at}
            self._job.details = {
                **self._job.details,
                "statusDetails": {**known, stage: marked},
                "lastModifiedTime": at,
            }

    def _end(self, status: str, failure: str | None = None) -> None:
        with self._store.lock:
            if status == "Completed" and self._stopped.is_set():
                status = "Stopped"
            change: Details = {"endTime": now()}
            if failure is not None:
                change["failureMessage"] = failure
                for stage, details in self._job.details["statusDetails"].items():
                    if details["status"] == "InProgress":
                        self._mark(stage, "Failed")
            if status == "Completed":
                change |= self._results()
                self._keep_model(change)
            else:
                keys.retire(self._job)
            self._become(status, change)

    def _results(self) -> Details:
        results: Details = {
            "outputModelArn": self._model.arn,
            "trainingMetrics": {"trainingLoss": self._steps[-1].loss},
        }
        if self._losses:
            results["validationMetrics"] = [{"validationLoss": loss} for loss in self._losses]
        return results

    def _keep_model(self, results: Details) -> None:
        known = {**self._job.details, **results}
        self._model.created = results["endTime"]
        self._model.grant = self._job.grant
        self._model.details = {
            **{name: known[name] for name in _CARRIED if name in known},
            "modelArn": self._model.arn,
            "modelName": self._model.name,
            "creationTime": self._model.created,
            "modelStatus": "Active",
        }
        if self._job.grant:
            self._model.details["modelKmsKeyArn"] = self._job.grant.key_arn
        self._store.custom_models.add(self._model)

    def _become(self, status: str, change: Details | None = None) -> None:
        """Callers hold the lock, so that states are published in their order."""
        self._job.details = {**self._job.details, **(change or {}), "status": status, "lastModifiedTime": now()}
        self._publish()

    def _publish(self) -> None:
        self._estate.announce(self._store, self._job, self._model.arn)
