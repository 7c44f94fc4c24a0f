"""Invocation of models: who may, whether the model can be used at all, and its answer.

https://docs.aws.amazon.com/bedrock/latest/userguide/inference-invoke.html
"""

import json
import time
from typing import Any

from tunegate_local.detectors.wire import Call, ServiceError
from tunegate_local.services.bedrock import keys
from tunegate_local.services.bedrock.access import resource_tags
from tunegate_local.services.bedrock.catalog import foundation_arn, foundation_model
from tunegate_local.services.bedrock.guardrails import version_of
from tunegate_local.services.bedrock.inference import converse, invoke
from tunegate_local.services.bedrock.invocation_logging import record
from tunegate_local.services.bedrock.store import Caller, Details, Estate, Resource, Store


class BedrockRuntime:
    """Operations by name, for mounting."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self.operations = {"InvokeModel": self._invoke, "Converse": self._converse}

    def _invoke(self, call: Call, caller: Caller) -> Details:
        asked = call.parameters
        self._admit(asked["modelId"], asked.get("guardrailIdentifier"), asked.get("guardrailVersion"), caller)
        body = _json(asked.get("body", b""))
        answer = invoke(body)
        record(self._estate.of(caller), caller, "InvokeModel", asked["modelId"], body, answer)
        return {"body": json.dumps(answer).encode(), "contentType": "application/json"}

    def _converse(self, call: Call, caller: Caller) -> Details:
        started = time.monotonic()
        asked, guardrail = call.parameters, call.parameters.get("guardrailConfig", {})
        identifier, version = guardrail.get("guardrailIdentifier"), guardrail.get("guardrailVersion")
        self._admit(asked["modelId"], identifier, version, caller)
        body = {"messages": asked.get("messages", [])}
        if not body["messages"] or body["messages"][-1]["role"] != "user":
            raise ServiceError("ValidationException", "A conversation must end with a user message.")
        answer = converse(body["messages"])
        record(self._estate.of(caller), caller, "Converse", asked["modelId"], body, answer)
        return {**answer, "metrics": {"latencyMs": int((time.monotonic() - started) * 1000)}}

    def _admit(self, model: str, guardrail: str | None, version: str | None, caller: Caller) -> None:
        """Raises the error of whoever may not invoke this model, or of a model that cannot be invoked."""
        store = self._estate.of(caller)
        arn = foundation_arn(model, caller.region)
        resource = store.find(arn)
        context = resource_tags(resource.tags if resource else None)
        if guardrail:
            guardrail_arn = guardrail if guardrail.startswith("arn:") else store.arn(f"guardrail/{guardrail}")
            numbered = guardrail_arn if version in (None, "", "DRAFT") else f"{guardrail_arn}:{version}"
            context["bedrock:GuardrailIdentifier"] = numbered
        caller.require("bedrock:InvokeModel", arn, context)
        if guardrail:
            _require_guardrail(store, guardrail_arn, version, caller)
        grant = _served(arn, resource, store)
        if grant is not None:
            keys.require_decrypt(caller, grant.key_arn)
            if not keys.is_usable(grant):
                raise ServiceError("AccessDeniedException", "The KMS key of this model cannot be used.")


def _require_guardrail(store: Store, arn: str, version: str | None, caller: Caller) -> None:
    resource = store.guardrails.find(arn)
    caller.require("bedrock:ApplyGuardrail", arn, resource_tags(resource.tags if resource else None))
    if not version:
        raise ServiceError("ValidationException", "A guardrail identifier needs a guardrail version.")
    try:
        version_of(store, arn, version)
    except ServiceError as error:
        message = "The guardrail identifier or version provided in the request does not exist."
        raise ServiceError("ValidationException", message) from error


def _served(arn: str, resource: Resource | None, store: Store) -> Any:
    """The grant on the key of the model that answers at this ARN, if it has a key; an error where nothing answers."""
    if resource is None:
        return _on_demand(arn, store)
    kind = arn.split(":", 5)[5].split("/", 1)[0]
    if kind == "imported-model":
        return resource.grant
    if kind not in ("custom-model-deployment", "provisioned-model"):
        raise ServiceError("ValidationException", "The provided model identifier is invalid.")
    if resource.details["status"] not in ("Active", "InService", "Updating"):
        raise ServiceError("ModelNotReadyException", "The model is not ready for inference.")
    model = store.custom_models.find(resource.details["modelArn"])
    return model.grant if model else None


def _on_demand(arn: str, store: Store) -> None:
    """A foundation model, which has no key of the customer's."""
    model = foundation_model(arn, store.region)
    if model is None:
        kind = arn.split(":", 5)[5].split("/", 1)[0]
        code = "ValidationException" if kind == "foundation-model" else "ResourceNotFoundException"
        raise ServiceError(code, "The provided model identifier is invalid.")
    if "ON_DEMAND" not in model["inferenceTypesSupported"]:
        raise ServiceError("ValidationException", "This model cannot be invoked with on-demand throughput.")


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise ServiceError("ValidationException", "Malformed input request, please reformat your input.") from error
