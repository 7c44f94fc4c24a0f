"""Provisioned throughput: one way to serve a model."""

from datetime import timedelta

from tunegate_local.detectors.wire import Call, ServiceError
from tunegate_local.services.bedrock import access
from tunegate_local.services.bedrock.catalog import foundation_model
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

_COMMITMENTS = {"OneMonth": timedelta(days=30), "SixMonths": timedelta(days=180)}


class Throughputs:
    """The operations on provisioned throughput."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def operations(self) -> Operations:
        """By name."""
        return {
            "CreateProvisionedModelThroughput": self._create,
            "GetProvisionedModelThroughput": self._get,
            "ListProvisionedModelThroughputs": self._list,
            "UpdateProvisionedModelThroughput": self._update,
            "DeleteProvisionedModelThroughput": self._delete,
        }

    def _create(self, call: Call, caller: Caller) -> Details:
        store = self._estate.of(caller)
        return store.once(call, lambda: self._start(call.parameters, caller, store))

    def _start(self, asked: Details, caller: Caller, store: Store) -> Details:
        model_arn, foundation_arn = _model(asked["modelId"], store)
        _require_free(asked["provisionedModelName"], store)
        arn, tags = store.arn(f"provisioned-model/{new_id()}"), tags_of(asked.get("tags"))
        access.require_tagging(caller, arn, tags)
        created = now()
        details = {
            "provisionedModelArn": arn,
            "provisionedModelName": asked["provisionedModelName"],
            "modelArn": model_arn,
            "desiredModelArn": model_arn,
            "foundationModelArn": foundation_arn,
            "modelUnits": asked["modelUnits"],
            "desiredModelUnits": asked["modelUnits"],
            "status": "Creating",
            "creationTime": created,
            "lastModifiedTime": created,
        }
        if "commitmentDuration" in asked:
            details["commitmentDuration"] = asked["commitmentDuration"]
            details["commitmentExpirationTime"] = created + _COMMITMENTS[asked["commitmentDuration"]]
        throughput = store.throughputs.add(Resource(arn, asked["provisionedModelName"], created, details, tags))
        self._settle(store, throughput)
        return {"provisionedModelArn": arn}

    def _settle(self, store: Store, throughput: Resource) -> None:
        def serve() -> None:
            desired = throughput.details["desiredModelArn"]
            change = {"modelArn": desired, "status": "InService", "lastModifiedTime": now()}
            throughput.details = {**throughput.details, **change}

        later(store, self._estate.stage_seconds(), serve, throughput.name)

    def _get(self, call: Call, caller: Caller) -> Details:
        return self._estate.of(caller).throughputs.get(call.parameters["provisionedModelId"]).details

    def _list(self, call: Call, caller: Caller) -> Details:
        equal = {"statusEquals": "status", "modelArnEquals": "modelArn"}
        found = self._estate.of(caller).throughputs
        return page(call, found, "provisionedModelSummaries", lambda throughput: throughput.details, **equal)

    def _update(self, call: Call, caller: Caller) -> Details:
        store, asked = self._estate.of(caller), call.parameters
        with store.lock:
            throughput = store.throughputs.get(asked["provisionedModelId"])
            if throughput.details["status"] != "InService":
                raise ServiceError("ValidationException", "The provisioned throughput is not in service.")
            name = asked.get("desiredProvisionedModelName", throughput.name)
            if name != throughput.name:
                _require_free(name, store)
            throughput.name = name
            change: Details = {"provisionedModelName": name, "lastModifiedTime": now()}
            if "desiredModelId" in asked:
                desired, foundation_arn = _model(asked["desiredModelId"], store)
                if foundation_arn != throughput.details["foundationModelArn"]:
                    raise ServiceError("ValidationException", "The desired model has another base model.")
                change |= {"desiredModelArn": desired, "status": "Updating"}
            throughput.details = {**throughput.details, **change}
        self._settle(store, throughput)
        return {}

    def _delete(self, call: Call, caller: Caller) -> Details:
        store = self._estate.of(caller)
        with store.lock:
            throughput = store.throughputs.get(call.parameters["provisionedModelId"])
            if throughput.details.get("commitmentExpirationTime", now()) > now():
                raise ServiceError("ConflictException", "The commitment of the provisioned throughput has not ended.")
            store.throughputs.remove(throughput)
        return {}


def _model(identifier: str, store: Store) -> tuple[str, str]:
    """The ARNs of a model that can be provisioned and of its foundation model."""
    custom = store.custom_models.find(identifier)
    if custom is not None:
        if custom.details["modelStatus"] != "Active":
            raise ServiceError("ValidationException", "The custom model is not active.")
        return custom.arn, custom.details["baseModelArn"]
    known = foundation_model(identifier, store.region)
    if known is None:
        raise ServiceError("ResourceNotFoundException", "The requested model could not be found.")
    if "PROVISIONED" not in known["inferenceTypesSupported"]:
        raise ServiceError("ValidationException", "The model does not support provisioned throughput.")
    return known["modelArn"], known["modelArn"]


def _require_free(name: str, store: Store) -> None:
    if store.throughputs.find(name):
        raise ServiceError("ValidationException", "The provisioned model name is currently in use.")
