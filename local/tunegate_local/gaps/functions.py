"""Gaps in which calls to Lambda IAM is asked about."""

import re

from ministack.core import iam_actions

_MAPPING = re.compile(r"/event-source-mappings/[^/]+/?$")
_ON_ONE = {"GET": "GetEventSourceMapping", "PUT": "UpdateEventSourceMapping", "DELETE": "DeleteEventSourceMapping"}


def changes_of_mappings_need_leave() -> None:
    """Ministack asks nobody's leave to change, turn off or delete an event source mapping; AWS does.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
    """
    action_of = iam_actions._lambda_action

    def lambda_action(method: str, path: str) -> str | None:
        if _MAPPING.search(path) and method in _ON_ONE:
            return _ON_ONE[method]
        action: str | None = action_of(method, path)
        return action

    iam_actions._lambda_action = lambda_action
