"""Guardrails as resources. What one finds is `tunegate_local.detectors.guardrails`'s to say; nothing here blocks."""

from typing import Any

from tunegate_local.detectors.wire import Call, ServiceError
from tunegate_local.services.bedrock import access, keys
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

_NOT_SHOWN = ("tags", "clientRequestToken", "kmsKeyId", "guardrailIdentifier", "crossRegionConfig")


class Guardrails:
    """The operations on guardrails. A resource's name is its id, by which it is found; its versions are beside it."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def operations(self) -> Operations:
        """By name."""
        return {
            "CreateGuardrail": self._create,
            "CreateGuardrailVersion": self._create_version,
            "GetGuardrail": self._get,
            "ListGuardrails": self._list,
            "UpdateGuardrail": self._update,
            "DeleteGuardrail": self._delete,
        }

    def _create(self, call: Call, caller: Caller) -> Details:
        store = self._estate.of(caller)
        return store.once(call, lambda: self._make(call.parameters, caller, store))

    def _make(self, asked: Details, caller: Caller, store: Store) -> Details:
        if any(guardrail.details["name"] == asked["name"] for guardrail in store.guardrails):
            raise ServiceError("ConflictException", "Another guardrail in this account already has this name.")
        identifier, created = new_id(), now()
        arn, tags = store.arn(f"guardrail/{identifier}"), tags_of(asked.get("tags"))
        access.require_tagging(caller, arn, tags)
        grant = keys.grant_for(caller, asked.get("kmsKeyId"))
        details = {
            **_shown(asked, store),
            "guardrailId": identifier,
            "guardrailArn": arn,
            "version": "DRAFT",
            "status": "READY",
            "createdAt": created,
            "updatedAt": created,
            **({"kmsKeyArn": grant.key_arn} if grant else {}),
        }
        store.guardrails.add(Resource(arn, identifier, created, details, tags, grant))
        return {"guardrailId": identifier, "guardrailArn": arn, "version": "DRAFT", "createdAt": created}

    def _create_version(self, call: Call, caller: Caller) -> Details:
        store, asked = self._estate.of(caller), call.parameters

        def make() -> Details:
            guardrail = store.guardrails.get(asked["guardrailIdentifier"])
            versions = store.guardrail_versions.setdefault(guardrail.arn, {})
            number = str(len(versions) + 1)
            said = {"description": asked["description"]} if "description" in asked else {}
            versions[number] = {**guardrail.details, **said, "version": number}
            return {"guardrailId": guardrail.name, "version": number}

        return store.once(call, make)

    def _get(self, call: Call, caller: Caller) -> Details:
        asked = call.parameters
        return version_of(self._estate.of(caller), asked["guardrailIdentifier"], asked.get("guardrailVersion", "DRAFT"))

    def _list(self, call: Call, caller: Caller) -> Details:
        store, asked = self._estate.of(caller), call.parameters
        listed = list(store.guardrails)
        if "guardrailIdentifier" in asked:
            guardrail = store.guardrails.get(asked["guardrailIdentifier"])
            versions = store.guardrail_versions.get(guardrail.arn, {}).values()
            listed = [guardrail] + [
                Resource(f"{guardrail.arn}:{v['version']}", "", v["createdAt"], v) for v in versions
            ]

        def summary(guardrail: Resource) -> Details:
            return {
                **guardrail.details,
                "id": guardrail.details["guardrailId"],
                "arn": guardrail.details["guardrailArn"],
            }

        return page(call, listed, "guardrails", summary)

    def _update(self, call: Call, caller: Caller) -> Details:
        store, asked = self._estate.of(caller), call.parameters
        guardrail = store.guardrails.get(asked["guardrailIdentifier"])
        kept = ("guardrailId", "guardrailArn", "version", "status", "createdAt", "kmsKeyArn")
        same = {name: guardrail.details[name] for name in kept if name in guardrail.details}
        if "kmsKeyId" in asked:
            grant = keys.grant_for(caller, asked["kmsKeyId"])
            keys.retire(guardrail)
            guardrail.grant = grant
            same["kmsKeyArn"] = grant.key_arn if grant else ""
        guardrail.details = {**_shown(asked, store), **same, "updatedAt": now()}
        return {name: guardrail.details[name] for name in ("guardrailId", "guardrailArn", "version", "updatedAt")}

    def _delete(self, call: Call, caller: Caller) -> Details:
        store, asked = self._estate.of(caller), call.parameters
        guardrail = store.guardrails.get(asked["guardrailIdentifier"])
        if "guardrailVersion" in asked:
            version_of(store, guardrail.arn, asked["guardrailVersion"])
            del store.guardrail_versions[guardrail.arn][asked["guardrailVersion"]]
        else:
            store.guardrails.remove(guardrail)
            store.guardrail_versions.pop(guardrail.arn, None)
            keys.retire(guardrail)
        return {}


def version_of(store: Store, identifier: str, version: str) -> Details:
    """A version of a guardrail, the working draft being one; ResourceNotFoundException where there is none."""
    guardrail = store.guardrails.get(identifier)
    versions = {"DRAFT": guardrail.details, **store.guardrail_versions.get(guardrail.arn, {})}
    if version not in versions:
        raise ServiceError("ResourceNotFoundException", "The guardrail has no such version.")
    return versions[version]


def _shown(asked: Details, store: Store) -> Details:
    """A configuration as GetGuardrail tells it: the same, without `Config` at the end of its members' names."""
    shown: Details = {_bare(name): _renamed(value) for name, value in asked.items() if name not in _NOT_SHOWN}
    profile = asked.get("crossRegionConfig", {}).get("guardrailProfileIdentifier")
    if profile:
        name = profile.rsplit("/", 1)[-1]
        arn = store.arn(f"guardrail-profile/{name}")
        shown["crossRegionDetails"] = {"guardrailProfileId": name, "guardrailProfileArn": arn}
    return shown


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {_bare(name): _renamed(item) for name, item in value.items()}
    return [_renamed(item) for item in value] if isinstance(value, list) else value


def _bare(name: str) -> str:
    return name.removesuffix("Config")
