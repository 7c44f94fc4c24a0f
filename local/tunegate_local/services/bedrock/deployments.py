"""Deployments of custom models for inference on demand: the other way to serve one."""

from tunegate_local.detectors.wire import Call, ServiceError
from tunegate_local.services.bedrock import access
from tunegate_local.services.bedrock.listing import page
from tunegate_local.services.bedrock.running import later
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


class Deployments:
    """The operations on custom model deployments."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def operations(self) -> Operations:
        """By name."""
        return {
            "CreateCustomModelDeployment": self._create,
            "GetCustomModelDeployment": self._get,
            "ListCustomModelDeployments": self._list,
            "UpdateCustomModelDeployment": self._update,
            "DeleteCustomModelDeployment": self._delete,
        }

    def _create(self, call: Call, caller: Caller) -> Details:
        store = self._estate.of(caller)
        return store.once(call, lambda: self._start(call.parameters, caller, store))

    def _start(self, asked: Details, caller: Caller, store: Store) -> Details:
        _require_active(asked["modelArn"], store)
        name = asked["modelDeploymentName"]
        if store.deployments.find(name):
            raise ServiceError("ValidationException", "The deployment name is currently in use.")
        arn, tags = store.arn(f"custom-model-deployment/{new_id()}"), tags_of(asked.get("tags"))
        access.require_tagging(caller, arn, tags)
        created = now()
        details = {
            "customModelDeploymentArn": arn,
            "modelDeploymentName": name,
            "modelArn": asked["modelArn"],
            "createdAt": created,
            "status": "Creating",
            "lastUpdatedAt": created,
            **({"description": asked["description"]} if "description" in asked else {}),
        }
        deployment = store.deployments.add(Resource(arn, name, created, details, tags))
        later(store, self._estate.stage_seconds(), lambda: _change(deployment, status="Active"), name)
        return {"customModelDeploymentArn": arn}

    def _get(self, call: Call, caller: Caller) -> Details:
        return self._estate.of(caller).deployments.get(call.parameters["customModelDeploymentIdentifier"]).details

    def _list(self, call: Call, caller: Caller) -> Details:
        def summary(deployment: Resource) -> Details:
            return {**deployment.details, "customModelDeploymentName": deployment.name}

        equal = {"statusEquals": "status", "modelArnEquals": "modelArn"}
        return page(call, self._estate.of(caller).deployments, "modelDeploymentSummaries", summary, **equal)

    def _update(self, call: Call, caller: Caller) -> Details:
        store, model_arn = self._estate.of(caller), call.parameters["modelArn"]
        with store.lock:
            deployment = store.deployments.get(call.parameters["customModelDeploymentIdentifier"])
            _require_active(model_arn, store)
            if deployment.details["status"] != "Active":
                raise ServiceError("ValidationException", "The deployment is not active.")
            _change(deployment, updateDetails={"modelArn": model_arn, "updateStatus": "Updating"})
        done = {"modelArn": model_arn, "updateStatus": "UpdateCompleted"}
        later(
            store,
            self._estate.stage_seconds(),
            lambda: _change(deployment, modelArn=model_arn, updateDetails=done),
            deployment.name,
        )
        return {"customModelDeploymentArn": deployment.arn}

    def _delete(self, call: Call, caller: Caller) -> Details:
        store = self._estate.of(caller)
        store.deployments.remove(store.deployments.get(call.parameters["customModelDeploymentIdentifier"]))
        return {}


def _change(deployment: Resource, **change: object) -> None:
    deployment.details = {**deployment.details, **change, "lastUpdatedAt": now()}


def _require_active(model_arn: str, store: Store) -> None:
    if store.custom_models.get(model_arn).details["modelStatus"] != "Active":
        raise ServiceError("ValidationException", "The custom model is not active.")
