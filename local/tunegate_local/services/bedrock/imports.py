"""Custom Model Import: the jobs, and the models they bring in.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-import-model.html
"""

import json
import time
from typing import Any

from tunegate_local.detectors.wire import Call, ServiceError
from tunegate_local.services.bedrock import access, keys, network, roles
from tunegate_local.services.bedrock.data import Data
from tunegate_local.services.bedrock.listing import page
from tunegate_local.services.bedrock.running import failing, start
from tunegate_local.services.bedrock.store import (
    Caller,
    Details,
    Estate,
    JobError,
    Operations,
    Resource,
    Store,
    Tags,
    new_id,
    now,
    tags_of,
)

_KEPT = ("jobName", "importedModelName", "roleArn", "modelDataSource", "vpcConfig")
_READ = ("config.json", "tokenizer_config.json")


class Imports:
    """The operations on import jobs and imported models."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def operations(self) -> Operations:
        """By name."""
        return {
            "CreateModelImportJob": self._create,
            "GetModelImportJob": self._get_job,
            "ListModelImportJobs": self._list_jobs,
            "GetImportedModel": self._get_model,
            "ListImportedModels": self._list_models,
            "DeleteImportedModel": self._delete_model,
        }

    def _create(self, call: Call, caller: Caller) -> Details:
        store = self._estate.of(caller)
        return store.once(call, lambda: self._start(call.parameters, caller, store))

    def _start(self, asked: Details, caller: Caller, store: Store) -> Details:
        _require_free(asked, store)
        network.require_vpc(asked.get("vpcConfig"))
        job_arn, model_arn = store.arn(f"model-import-job/{new_id()}"), store.arn(f"imported-model/{new_id()}")
        job_tags, model_tags = tags_of(asked.get("jobTags")), tags_of(asked.get("importedModelTags"))
        access.require_tagging(caller, job_arn, job_tags)
        access.require_tagging(caller, model_arn, model_tags)
        roles.require_pass(caller, asked["roleArn"])
        roles.assume(asked["roleArn"], store.account, store.region, job_arn)
        grant = keys.grant_for(caller, asked.get("importedModelKmsKeyId"))
        created = now()
        details = {
            **{name: asked[name] for name in _KEPT if name in asked},
            "jobArn": job_arn,
            "status": "InProgress",
            "creationTime": created,
            "lastModifiedTime": created,
            **({"importedModelKmsKeyArn": grant.key_arn} if grant else {}),
        }
        job = store.imports.add(Resource(job_arn, asked["jobName"], created, details, job_tags, grant))
        start(store, lambda: self._run(store, job, model_arn, model_tags), job.name)
        return {"jobArn": job_arn}

    def _run(self, store: Store, job: Resource, model_arn: str, tags: Tags) -> None:
        def fail(message: str) -> None:
            keys.retire(job)
            _end(job, {"status": "Failed", "failureMessage": message})

        with failing(fail):
            role = roles.assume(job.details["roleArn"], store.account, store.region, job.arn)
            with network.interfaces(job.details.get("vpcConfig"), role, job.arn):
                files = self._read(job, role)
            with store.lock:
                store.imported_models.add(_model(job, model_arn, tags, files))
                _end(job, {"status": "Completed", "importedModelArn": model_arn})

    def _read(self, job: Resource, role: roles.Session) -> dict[str, bytes]:
        """The files, read twice as a customization job does: what is imported is what is there in the end."""
        files: dict[str, bytes] = {}
        for _ in range(2):
            time.sleep(self._estate.stage_seconds())
            keys.require_usable(job.grant)
            data = Data(role, network.endpoint(job.details.get("vpcConfig"), role.region))
            files = data.files(job.details["modelDataSource"]["s3DataSource"]["s3Uri"], _READ)
            _require_model(files)
        return files

    def _get_job(self, call: Call, caller: Caller) -> Details:
        return self._estate.of(caller).imports.get(call.parameters["jobIdentifier"]).details

    def _list_jobs(self, call: Call, caller: Caller) -> Details:
        jobs = self._estate.of(caller).imports
        return page(call, jobs, "modelImportJobSummaries", lambda job: job.details, statusEquals="status")

    def _get_model(self, call: Call, caller: Caller) -> Details:
        return self._estate.of(caller).imported_models.get(call.parameters["modelIdentifier"]).details

    def _list_models(self, call: Call, caller: Caller) -> Details:
        return page(call, self._estate.of(caller).imported_models, "modelSummaries", lambda model: model.details)

    def _delete_model(self, call: Call, caller: Caller) -> Details:
        store = self._estate.of(caller)
        with store.lock:
            model = store.imported_models.get(call.parameters["modelIdentifier"])
            store.imported_models.remove(model)
            keys.retire(model)
        return {}


def _require_free(asked: dict[str, Any], store: Store) -> None:
    if store.imports.find(asked["jobName"]):
        raise ServiceError("ConflictException", "The provided job name is currently in use.")
    pending = {job.details["importedModelName"] for job in store.imports if job.details["status"] == "InProgress"}
    if asked["importedModelName"] in pending or store.imported_models.find(asked["importedModelName"]):
        raise ServiceError("ConflictException", "The provided model name is currently in use.")


def _require_model(files: dict[str, bytes]) -> None:
    if not any(name.endswith(".safetensors") for name in files):
        raise JobError("No model weights in Safetensors format were found at the provided Amazon S3 location.")
    if "config.json" not in files:
        raise JobError("The file config.json was not found at the provided Amazon S3 location.")


def _model(job: Resource, arn: str, tags: Tags, files: dict[str, bytes]) -> Resource:
    config, tokenizer = _json(files, "config.json"), _json(files, "tokenizer_config.json")
    architectures = config.get("architectures") or ["unknown"]
    created = now()
    details = {
        "modelArn": arn,
        "modelName": job.details["importedModelName"],
        "jobName": job.name,
        "jobArn": job.arn,
        "modelDataSource": job.details["modelDataSource"],
        "creationTime": created,
        "modelArchitecture": str(architectures[0]),
        "instructSupported": "chat_template" in tokenizer,
        **({"modelKmsKeyArn": job.grant.key_arn} if job.grant else {}),
    }
    return Resource(arn, job.details["importedModelName"], created, details, tags, job.grant)


def _json(files: dict[str, bytes], name: str) -> dict[str, Any]:
    """A JSON object among the files; one that is missing says nothing."""
    try:
        read = json.loads(files.get(name, b"{}"))
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise JobError(f"The file {name} could not be parsed.")
    return read


def _end(job: Resource, change: Details) -> None:
    ended = now()
    job.details = {**job.details, **change, "lastModifiedTime": ended, "endTime": ended}
