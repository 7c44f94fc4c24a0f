"""Custom models, also those made elsewhere."""

from tunegate_local.detectors.wire import Call, ServiceError
from tunegate_local.services.bedrock import access, keys, roles
from tunegate_local.services.bedrock.catalog import model_name
from tunegate_local.services.bedrock.data import Data
from tunegate_local.services.bedrock.listing import page
from tunegate_local.services.bedrock.running import failing, later
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

# What a model imported from SageMaker is taken to be based on; AWS finds that out from its files.
IMPORTED_BASE = "amazon.nova-lite-v1:0:300k"


class CustomModels:
    """The operations on custom models."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def operations(self) -> Operations:
        """By name."""
        return {
            "CreateCustomModel": self._create,
            "GetCustomModel": self._get,
            "ListCustomModels": self._list,
            "DeleteCustomModel": self._delete,
        }

    def _create(self, call: Call, caller: Caller) -> Details:
        store = self._estate.of(caller)
        return store.once(call, lambda: self._start(call.parameters, caller, store))

    def _start(self, asked: Details, caller: Caller, store: Store) -> Details:
        """The door for models that were trained in SageMaker."""
        if len({"modelSourceConfig", "customModelDataSource"} & asked.keys()) != 1:
            raise ServiceError("ValidationException", "Name either a modelSourceConfig or a customModelDataSource.")
        require_free(asked["modelName"], store)
        arn = store.arn(f"custom-model/imported/{new_id()}")
        tags = tags_of(asked.get("modelTags"))
        access.require_tagging(caller, arn, tags)
        role = None
        if "roleArn" in asked:
            roles.require_pass(caller, asked["roleArn"])
            # The documented role is the one for imports, whose trust names their jobs:
            # https://docs.aws.amazon.com/bedrock/latest/userguide/create-custom-model-sdks.html
            source = store.arn(f"model-import-job/{new_id()}")
            role = roles.assume(asked["roleArn"], store.account, store.region, source)
        grant = keys.grant_for(caller, asked.get("modelKmsKeyArn"))
        created = now()
        details = {
            "modelArn": arn,
            "modelName": asked["modelName"],
            "baseModelArn": f"arn:aws:bedrock:{store.region}::foundation-model/{IMPORTED_BASE}",
            "customizationType": "IMPORTED",
            "creationTime": created,
            "modelStatus": "Creating",
            **({"modelKmsKeyArn": grant.key_arn} if grant else {}),
        }
        model = store.custom_models.add(Resource(arn, asked["modelName"], created, details, tags, grant))
        source = asked.get("modelSourceConfig", {}).get("s3DataSource", {}).get("s3Uri")
        later(store, self._estate.stage_seconds(), lambda: _import(model, role, source), model.name)
        return {"modelArn": arn}

    def _get(self, call: Call, caller: Caller) -> Details:
        return self._estate.of(caller).custom_models.get(call.parameters["modelIdentifier"]).details

    def _list(self, call: Call, caller: Caller) -> Details:
        store = self._estate.of(caller)

        def summary(model: Resource) -> Details:
            base = {"baseModelName": model_name(model.details["baseModelArn"]), "ownerAccountId": store.account}
            return {**model.details, **base}

        base = {"baseModelArnEquals": "baseModelArn", "foundationModelArnEquals": "baseModelArn"}
        return page(call, store.custom_models, "modelSummaries", summary, modelStatus="modelStatus", **base)

    def _delete(self, call: Call, caller: Caller) -> Details:
        store = self._estate.of(caller)
        with store.lock:
            model = store.custom_models.get(call.parameters["modelIdentifier"])
            uses = (*store.throughputs, *store.deployments)
            if any(model.arn == use.details["modelArn"] for use in uses):
                raise ServiceError(
                    "ConflictException", "The model is in use by a deployment or provisioned throughput."
                )
            store.custom_models.remove(model)
            keys.retire(model)
        return {}


def _import(model: Resource, role: roles.Session | None, source: str | None) -> None:
    def fail(message: str) -> None:
        keys.retire(model)
        model.details = {**model.details, "modelStatus": "Failed", "failureMessage": message}

    with failing(fail):
        keys.require_usable(model.grant)
        if source is not None and role is not None:
            Data(role, None).sample(source)
        model.details = {**model.details, "modelStatus": "Active"}


def require_free(name: str, store: Store) -> None:
    """Raises ConflictException where a custom model has this name."""
    if store.custom_models.find(name):
        raise ServiceError("ConflictException", "The provided model name is currently in use.")
