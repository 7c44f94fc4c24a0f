"""Which IAM action, resources and condition keys each operation is allowed or denied by.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_bedrock.html
"""

from collections.abc import Iterator
from typing import Any

from tunegate_local.detectors.wire import Call
from tunegate_local.services.bedrock.catalog import foundation_arn, model_id
from tunegate_local.services.bedrock.store import Caller, Shelf, Store, Tags

# The request's member that names the resource, and the kind of resource it names.
_NAMED = {
    "GetModelCustomizationJob": ("jobIdentifier", "model-customization-job"),
    "StopModelCustomizationJob": ("jobIdentifier", "model-customization-job"),
    "GetModelImportJob": ("jobIdentifier", "model-import-job"),
    "GetModelCopyJob": ("jobArn", "model-copy-job"),
    "CreateModelCopyJob": ("sourceModelArn", "custom-model"),
    "GetCustomModel": ("modelIdentifier", "custom-model"),
    "DeleteCustomModel": ("modelIdentifier", "custom-model"),
    "CreateCustomModelDeployment": ("modelArn", "custom-model"),
    "GetImportedModel": ("modelIdentifier", "imported-model"),
    "DeleteImportedModel": ("modelIdentifier", "imported-model"),
    "GetProvisionedModelThroughput": ("provisionedModelId", "provisioned-model"),
    "UpdateProvisionedModelThroughput": ("provisionedModelId", "provisioned-model"),
    "DeleteProvisionedModelThroughput": ("provisionedModelId", "provisioned-model"),
    "GetCustomModelDeployment": ("customModelDeploymentIdentifier", "custom-model-deployment"),
    "UpdateCustomModelDeployment": ("customModelDeploymentIdentifier", "custom-model-deployment"),
    "DeleteCustomModelDeployment": ("customModelDeploymentIdentifier", "custom-model-deployment"),
    "TagResource": ("resourceARN", ""),
    "UntagResource": ("resourceARN", ""),
    "ListTagsForResource": ("resourceARN", ""),
    "GetGuardrail": ("guardrailIdentifier", "guardrail"),
    "UpdateGuardrail": ("guardrailIdentifier", "guardrail"),
    "DeleteGuardrail": ("guardrailIdentifier", "guardrail"),
    "CreateGuardrailVersion": ("guardrailIdentifier", "guardrail"),
}
_TAG_MEMBERS = ("tags", "jobTags", "customModelTags", "importedModelTags", "modelTags", "targetModelTags")


def require(call: Call, caller: Caller, store: Store) -> None:
    """Raises AccessDeniedException unless the caller may make this call."""
    asked = _request_tags(call.parameters)
    for arn in _resources(call, store):
        resource = store.find(arn)
        caller.require(
            f"bedrock:{call.operation.name}", arn, {**asked, **resource_tags(resource.tags if resource else None)}
        )


def require_tagging(caller: Caller, arn: str, tags: Tags) -> None:
    """Raises AccessDeniedException unless the caller may give a new resource these tags."""
    if tags:
        caller.require("bedrock:TagResource", arn, {**_tag_context(list(tags.items())), "aws:TagKeys": list(tags)})


def resource_tags(tags: Tags | None) -> dict[str, Any]:
    """The condition keys of a resource's tags."""
    return {f"aws:ResourceTag/{key}": value for key, value in (tags or {}).items()}


def _resources(call: Call, store: Store) -> Iterator[str]:
    name, asked = call.operation.name, call.parameters
    match name:
        case "CreateModelCustomizationJob":
            base = asked["baseModelIdentifier"]
            yield _model(base, store)
            yield store.arn(f"custom-model/{model_id(_base_of(base, store))}/*")
        case "CreateProvisionedModelThroughput":
            yield _model(asked["modelId"], store)
        case "GetFoundationModel":
            yield foundation_arn(asked["modelIdentifier"], store.region)
        case _ if name in _NAMED:
            member, kind = _NAMED[name]
            yield _named(asked[member], kind, store)
        case _:
            yield "*"


def _named(identifier: str, kind: str, store: Store) -> str:
    if identifier.startswith("arn:"):
        return identifier
    found = _shelf(kind, store).find(identifier)
    return found.arn if found else store.arn(f"{kind}/{identifier}")


def _shelf(kind: str, store: Store) -> Shelf:
    return {
        "model-customization-job": store.customizations,
        "model-import-job": store.imports,
        "model-copy-job": store.copies,
        "custom-model": store.custom_models,
        "imported-model": store.imported_models,
        "provisioned-model": store.throughputs,
        "custom-model-deployment": store.deployments,
        "guardrail": store.guardrails,
    }[kind]


def _model(identifier: str, store: Store) -> str:
    """A custom model's ARN where the identifier is one's, else a foundation model's."""
    custom = store.custom_models.find(identifier)
    if custom:
        return custom.arn
    return identifier if identifier.startswith("arn:") else foundation_arn(identifier, store.region)


def _base_of(identifier: str, store: Store) -> str:
    custom = store.custom_models.find(identifier)
    return str(custom.details["baseModelArn"]) if custom else identifier


def _request_tags(asked: dict[str, Any]) -> dict[str, Any]:
    pairs = [(tag["key"], tag["value"]) for member in _TAG_MEMBERS for tag in asked.get(member, [])]
    context = _tag_context(pairs)
    keys = list(dict.fromkeys([key for key, _ in pairs] + asked.get("tagKeys", [])))
    return {**context, "aws:TagKeys": keys} if keys else context


def _tag_context(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    values: dict[str, list[str]] = {}
    for key, value in pairs:
        values.setdefault(f"aws:RequestTag/{key}", []).append(value)
    return {key: given[0] if len(set(given)) == 1 else given for key, given in values.items()}
