"""Copies of custom models: the one way a model leaves its Region, its account or its key."""

from tunegate_local.detectors.wire import Call
from tunegate_local.services.bedrock import access, keys
from tunegate_local.services.bedrock.listing import page
from tunegate_local.services.bedrock.models import require_free
from tunegate_local.services.bedrock.running import failing, later
from tunegate_local.services.bedrock.store import (
    Caller,
    Details,
    Estate,
    Operations,
    Resource,
    Store,
    Tags,
    new_id,
    now,
    tags_of,
)


class Copies:
    """The operations on copy jobs."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def operations(self) -> Operations:
        """By name."""
        return {
            "CreateModelCopyJob": self._create,
            "GetModelCopyJob": self._get,
            "ListModelCopyJobs": self._list,
        }

    def _create(self, call: Call, caller: Caller) -> Details:
        store = self._estate.of(caller)
        return store.once(call, lambda: self._start(call.parameters, caller, store))

    def _start(self, asked: Details, caller: Caller, store: Store) -> Details:
        """The source may be in another Region or account; the copy is made where the call is."""
        source_store = self._estate.at(asked["sourceModelArn"])
        source = source_store.custom_models.get(asked["sourceModelArn"])
        require_free(asked["targetModelName"], store)
        base = source.arn.split("custom-model/", 1)[1].rsplit("/", 1)[0]
        target_arn = store.arn(f"custom-model/{base}/{new_id()}")
        tags = tags_of(asked.get("targetModelTags"))
        access.require_tagging(caller, target_arn, tags)
        if source.grant:
            keys.require_decrypt(caller, source.grant.key_arn)
        grant = keys.grant_for(caller, asked.get("modelKmsKeyId"))
        job_arn, created = store.arn(f"model-copy-job/{new_id()}"), now()
        details = {
            "jobArn": job_arn,
            "status": "InProgress",
            "creationTime": created,
            "targetModelArn": target_arn,
            "targetModelName": asked["targetModelName"],
            "sourceAccountId": source_store.account,
            "sourceModelArn": source.arn,
            "sourceModelName": source.name,
            "targetModelTags": asked.get("targetModelTags", []),
            **({"targetModelKmsKeyArn": grant.key_arn} if grant else {}),
        }
        # Lists filter copy jobs by the name of the model they make.
        job = store.copies.add(Resource(job_arn, asked["targetModelName"], created, details, {}, grant))
        later(store, self._estate.stage_seconds(), lambda: _copy(store, job, source, tags), job.name)
        return {"jobArn": job_arn}

    def _get(self, call: Call, caller: Caller) -> Details:
        return self._estate.of(caller).copies.get(call.parameters["jobArn"]).details

    def _list(self, call: Call, caller: Caller) -> Details:
        equal = {
            "statusEquals": "status",
            "sourceAccountEquals": "sourceAccountId",
            "sourceModelArnEquals": "sourceModelArn",
        }
        jobs = self._estate.of(caller).copies
        return page(call, jobs, "modelCopyJobSummaries", lambda job: job.details, **equal)


def _copy(store: Store, job: Resource, source: Resource, tags: Tags) -> None:
    def fail(message: str) -> None:
        keys.retire(job)
        job.details = {**job.details, "status": "Failed", "failureMessage": message}

    with failing(fail):
        keys.require_usable(source.grant)
        keys.require_usable(job.grant)
        created, arn = now(), job.details["targetModelArn"]
        copied = {name: value for name, value in source.details.items() if name != "modelKmsKeyArn"}
        details = {**copied, "modelArn": arn, "modelName": job.name, "creationTime": created, "modelStatus": "Active"}
        if job.grant:
            details["modelKmsKeyArn"] = job.grant.key_arn
        store.custom_models.add(Resource(arn, job.name, created, details, tags, job.grant))
        job.details = {**job.details, "status": "Completed"}
