"""What Macie detects by patterns of the account's own, and which text it lets pass.

https://docs.aws.amazon.com/macie/latest/APIReference/custom-data-identifiers.html
https://docs.aws.amazon.com/macie/latest/APIReference/allow-lists.html
"""

import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners

from tunegate_local.detectors.wire import ServiceError

type Answer = dict[str, Any]


class Identifiers:
    """Custom data identifiers and allow lists, by their ids."""

    def __init__(self) -> None:
        self._identifiers: dict[str, tuple[str, re.Pattern[str]]] = {}
        self._allowed: dict[str, re.Pattern[str]] = {}

    def detect(self, text: str, ids: Iterable[str]) -> dict[str, list[int]]:
        """The lines, from 1, in which each identifier's pattern is found, by the identifier's name."""
        found: dict[str, list[int]] = {}
        for name, pattern in (self._of(self._identifiers, one) for one in ids):
            for number, line in enumerate(text.splitlines(), 1):
                found.setdefault(name, []).extend(number for _ in pattern.finditer(line))
        return {name: lines for name, lines in found.items() if lines}

    def allowed(self, ids: Iterable[str]) -> list[re.Pattern[str]]:
        """The patterns of these allow lists."""
        return [self._of(self._allowed, one) for one in ids]

    def are_resources(self) -> None:
        """`AWS::Macie::CustomDataIdentifier` and `AWS::Macie::AllowList` in CloudFormation."""

        def identifier(props: Mapping[str, Any]) -> str:
            self._identifiers[made := secrets.token_hex(16)] = (props["Name"], re.compile(props["Regex"]))
            return made

        def allow_list(props: Mapping[str, Any]) -> str:
            self._allowed[made := secrets.token_hex(16)] = re.compile(props["Criteria"]["Regex"])
            return made

        for kind, make in (("CustomDataIdentifier", identifier), ("AllowList", allow_list)):
            provisioners._RESOURCE_HANDLERS[f"AWS::Macie::{kind}"] = {
                "create": _creating(make),
                "delete": self._delete,
            }

    def _delete(self, physical_id: str, _props: Mapping[str, Any]) -> None:
        self._identifiers.pop(physical_id, None)
        self._allowed.pop(physical_id, None)

    @staticmethod
    def _of[T](known: Mapping[str, T], one: str) -> T:
        try:
            return known[one]
        except KeyError:
            raise ServiceError("ValidationException", "The job names an identifier that does not exist") from None


def _creating(make: Any) -> Any:
    def create(logical_id: str, props: Mapping[str, Any], _stack_name: str) -> tuple[str, Answer]:
        try:
            made = make(props)
        except re.error:
            raise ServiceError("ValidationException", "The pattern is not a regular expression") from None
        arn = f"arn:aws:macie2:{get_region()}:{get_account_id()}:{logical_id.lower()}/{made}"
        return made, {"Id": made, "Arn": arn}

    return create
