"""The foundation models on offer here: those of Amazon's that can be customized, and one that cannot.

Ids and what each supports: https://docs.aws.amazon.com/bedrock/latest/userguide/custom-models.html
"""

from typing import Any

from tunegate_local.detectors.wire import Call, ServiceError
from tunegate_local.services.bedrock.store import Caller, Operations

_TEXT, _TEXT_AND_IMAGES = ["TEXT"], ["TEXT", "IMAGE"]
_TUNED = ["FINE_TUNING", "DISTILLATION"]
# Model id: name, what it takes, how it can be customized, how it is served.
_MODELS: dict[str, tuple[str, list[str], list[str], list[str]]] = {
    "amazon.nova-micro-v1:0": ("Nova Micro", _TEXT, [], ["ON_DEMAND"]),
    "amazon.nova-micro-v1:0:128k": ("Nova Micro", _TEXT, _TUNED, ["PROVISIONED"]),
    "amazon.nova-lite-v1:0": ("Nova Lite", _TEXT_AND_IMAGES, [], ["ON_DEMAND"]),
    "amazon.nova-lite-v1:0:300k": ("Nova Lite", _TEXT_AND_IMAGES, _TUNED, ["PROVISIONED"]),
    "amazon.nova-pro-v1:0": ("Nova Pro", _TEXT_AND_IMAGES, [], ["ON_DEMAND"]),
    "amazon.nova-pro-v1:0:300k": ("Nova Pro", _TEXT_AND_IMAGES, _TUNED, ["PROVISIONED"]),
    "amazon.titan-text-express-v1": ("Titan Text Express", _TEXT, [], ["ON_DEMAND"]),
    "amazon.titan-text-express-v1:0:8k": (
        "Titan Text Express", _TEXT, ["FINE_TUNING", "CONTINUED_PRE_TRAINING"], ["PROVISIONED"],
    ),
}  # fmt: skip


def foundation_arn(identifier: str, region: str) -> str:
    """The ARN of a foundation model, of which there is one for all accounts."""
    return identifier if identifier.startswith("arn:") else f"arn:aws:bedrock:{region}::foundation-model/{identifier}"


def model_id(identifier: str) -> str:
    """The id in a foundation model's ARN; an id is its own."""
    return identifier.rsplit("foundation-model/", 1)[-1]


def model_name(identifier: str) -> str:
    """What a foundation model is called in listings of custom models: its id without the version."""
    return model_id(identifier).split(":", 1)[0]


def foundation_model(identifier: str, region: str) -> dict[str, Any] | None:
    """What GetFoundationModel says of a model on offer."""
    known = _MODELS.get(model_id(identifier))
    if known is None or identifier not in (model_id(identifier), foundation_arn(model_id(identifier), region)):
        return None
    name, inputs, customizations, inference = known
    return {
        "modelArn": foundation_arn(model_id(identifier), region),
        "modelId": model_id(identifier),
        "modelName": name,
        "providerName": "Amazon",
        "inputModalities": inputs,
        "outputModalities": _TEXT,
        "responseStreamingSupported": True,
        "customizationsSupported": customizations,
        "inferenceTypesSupported": inference,
        "modelLifecycle": {"status": "ACTIVE"},
    }


def operations() -> Operations:
    """GetFoundationModel and ListFoundationModels."""
    return {"GetFoundationModel": _get, "ListFoundationModels": _list}


def _get(call: Call, caller: Caller) -> dict[str, Any]:
    found = foundation_model(call.parameters["modelIdentifier"], caller.region)
    if found is None:
        raise ServiceError("ResourceNotFoundException", "Could not resolve the foundation model from the identifier.")
    return {"modelDetails": found}


def _list(call: Call, caller: Caller) -> dict[str, Any]:
    asked = call.parameters
    models = [foundation_model(identifier, caller.region) or {} for identifier in _MODELS]
    for parameter, member in (
        ("byCustomizationType", "customizationsSupported"),
        ("byOutputModality", "outputModalities"),
        ("byInferenceType", "inferenceTypesSupported"),
    ):
        if parameter in asked:
            models = [model for model in models if asked[parameter] in model[member]]
    if "byProvider" in asked:
        models = [model for model in models if model["providerName"].lower() == asked["byProvider"].lower()]
    return {"modelSummaries": models}
