"""Tags of every kind of resource."""

from tunegate_local.detectors.wire import Call, ServiceError
from tunegate_local.services.bedrock.store import Caller, Details, Estate, Operations, Resource, require_few, tags_of


class Tagging:
    """The operations on tags."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def operations(self) -> Operations:
        """By name."""
        return {"TagResource": self._tag, "UntagResource": self._untag, "ListTagsForResource": self._list}

    def _tag(self, call: Call, caller: Caller) -> Details:
        resource = self._resource(call, caller)
        tags = {**resource.tags, **tags_of(call.parameters["tags"])}
        require_few(tags)
        resource.tags = tags
        return {}

    def _untag(self, call: Call, caller: Caller) -> Details:
        resource = self._resource(call, caller)
        resource.tags = {k: v for k, v in resource.tags.items() if k not in call.parameters["tagKeys"]}
        return {}

    def _list(self, call: Call, caller: Caller) -> Details:
        tags = self._resource(call, caller).tags
        return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}

    def _resource(self, call: Call, caller: Caller) -> Resource:
        found = self._estate.of(caller).find(call.parameters["resourceARN"])
        if found is None:
            raise ServiceError("ResourceNotFoundException", "The requested resource could not be found.")
        return found
