"""Model customization jobs: create, get, list, stop."""

from typing import Any

from tunegate_local.detectors.wire import Call, ServiceError
from tunegate_local.services.bedrock import access, keys, network, roles
from tunegate_local.services.bedrock.catalog import foundation_model, model_id
from tunegate_local.services.bedrock.listing import page
from tunegate_local.services.bedrock.store import (
    Caller,
    Details,
    Estate,
    Operations,
    Resource,
    Store,
    new_id,
    now,
    tags_of,
)
from tunegate_local.services.bedrock.training import STAGES, Training

# More than any model allows.
MOST_EPOCHS = 100
ENDED = ("Completed", "Failed", "Stopped")
_KEPT = (
    "jobName", "clientRequestToken", "roleArn", "hyperParameters", "trainingDataConfig", "outputDataConfig",
    "vpcConfig", "customizationConfig",
)  # fmt: skip


class Customizations:
    """The operations on customization jobs."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._running: dict[str, Training] = {}

    def operations(self) -> Operations:
        """By name."""
        return {
            "CreateModelCustomizationJob": self._create,
            "GetModelCustomizationJob": self._get,
            "ListModelCustomizationJobs": self._list,
            "StopModelCustomizationJob": self._stop,
        }

    def _create(self, call: Call, caller: Caller) -> Details:
        store = self._estate.of(caller)
        return store.once(call, lambda: self._start(call.parameters, caller, store))

    def _start(self, asked: dict[str, Any], caller: Caller, store: Store) -> Details:
        base = _base(asked, store)
        _require_source(asked)
        _require_epochs(asked.get("hyperParameters", {}))
        _require_free(asked, store)
        network.require_vpc(asked.get("vpcConfig"))
        job_arn = store.arn(f"model-customization-job/{base}/{new_id()}")
        model_arn = store.arn(f"custom-model/{base}/{new_id()}")
        job_tags, model_tags = tags_of(asked.get("jobTags")), tags_of(asked.get("customModelTags"))
        access.require_tagging(caller, job_arn, job_tags)
        access.require_tagging(caller, model_arn, model_tags)
        roles.require_pass(caller, asked["roleArn"])
        roles.assume(asked["roleArn"], store.account, store.region, job_arn)
        custom_base = store.custom_models.find(asked["baseModelIdentifier"])
        if custom_base is not None and custom_base.grant is not None:
            keys.require_decrypt(caller, custom_base.grant.key_arn)
        grant = keys.grant_for(caller, asked.get("customModelKmsKeyId"))
        job = Resource(job_arn, asked["jobName"], now(), _details(asked, job_arn, base, store), job_tags, grant)
        if grant:
            job.details["outputModelKmsKeyArn"] = grant.key_arn
        store.customizations.add(job)
        model = Resource(model_arn, asked["customModelName"], now(), {}, model_tags)
        training = self._running[job_arn] = Training(self._estate, store, job, model)
        training.start()
        return {"jobArn": job_arn}

    def _get(self, call: Call, caller: Caller) -> Details:
        store = self._estate.of(caller)
        with store.lock:
            return dict(store.customizations.get(call.parameters["jobIdentifier"]).details)

    def _list(self, call: Call, caller: Caller) -> Details:
        jobs = self._estate.of(caller).customizations
        return page(call, jobs, "modelCustomizationJobSummaries", _summary, statusEquals="status")

    def _stop(self, call: Call, caller: Caller) -> Details:
        store = self._estate.of(caller)
        with store.lock:
            job = store.customizations.get(call.parameters["jobIdentifier"])
            if job.details["status"] in ENDED:
                raise ServiceError("ConflictException", "The job has already ended and cannot be stopped.")
            self._running[job.arn].stop()
        return {}


def _base(asked: dict[str, Any], store: Store) -> str:
    """The id of the foundation model to customize, which supports that kind of customization."""
    named = asked["baseModelIdentifier"]
    custom = store.custom_models.find(named)
    model = foundation_model(custom.details["baseModelArn"] if custom else named, store.region)
    if model is None:
        raise ServiceError("ValidationException", "The provided model identifier is invalid.")
    kind = asked.get("customizationType", "FINE_TUNING")
    # The model's list has no word for reinforcement fine-tuning; what can be fine-tuned is taken for capable of it.
    if kind.removeprefix("REINFORCEMENT_") not in model["customizationsSupported"]:
        raise ServiceError("ValidationException", f"The base model does not support customization by {kind}.")
    return model_id(model["modelId"])


def _require_source(asked: dict[str, Any]) -> None:
    source = asked["trainingDataConfig"]
    if len({"s3Uri", "invocationLogsConfig"} & source.keys()) != 1:
        raise ServiceError("ValidationException", "Training data comes from either s3Uri or invocationLogsConfig.")


def _require_epochs(hyperparameters: dict[str, str]) -> None:
    count = hyperparameters.get("epochCount", "1")
    if not (count.isdecimal() and 1 <= int(count) <= MOST_EPOCHS):
        raise ServiceError("ValidationException", f"epochCount must be a whole number from 1 to {MOST_EPOCHS}.")


def _require_free(asked: dict[str, Any], store: Store) -> None:
    if store.customizations.find(asked["jobName"]):
        raise ServiceError("ConflictException", "The provided job name is currently in use.")
    pending = (job for job in store.customizations if job.details["status"] not in ENDED)
    taken = {job.details["outputModelName"] for job in pending} | {model.name for model in store.custom_models}
    if asked["customModelName"] in taken:
        raise ServiceError("ConflictException", "The provided model name is currently in use.")


def _details(asked: dict[str, Any], job_arn: str, base: str, store: Store) -> Details:
    created = now()
    details = {name: asked[name] for name in _KEPT if name in asked}
    not_started = {"status": "NotStarted", "creationTime": created, "lastModifiedTime": created}
    return {
        "hyperParameters": {},
        **details,
        "jobArn": job_arn,
        "outputModelName": asked["customModelName"],
        "status": "InProgress",
        "statusDetails": dict.fromkeys(STAGES, not_started),
        "creationTime": created,
        "lastModifiedTime": created,
        "baseModelArn": f"arn:aws:bedrock:{store.region}::foundation-model/{base}",
        "validationDataConfig": asked.get("validationDataConfig", {"validators": []}),
        "customizationType": asked.get("customizationType", "FINE_TUNING"),
    }


def _summary(job: Resource) -> Details:
    renamed = {"outputModelArn": "customModelArn", "outputModelName": "customModelName"}
    return {renamed.get(name, name): value for name, value in job.details.items()}
