"""Policy documents as IAM, KMS, S3 and EC2 hand them out, into statements of one form."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from tunegate.errors import PermanentError
from tunegate.job_facts import Document, Statement

_EFFECTS = frozenset({"Allow", "Deny"})


def parse_document(document: str | Mapping[str, Any] | None) -> Document:
    """A policy document: a mapping, JSON, or URL-encoded JSON as IAM has it.

    Raises `PermanentError` for one that is broken, or missing where it was asked for.
    """
    try:
        parsed = json.loads(_decoded(document)) if isinstance(document, str) else document
        return tuple(_statement(statement) for statement in _listed(parsed["Statement"]))  # type: ignore[index]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise PermanentError("the policy document cannot be read") from None


def _decoded(document: str) -> str:
    return unquote(document) if document.lstrip().startswith("%") else document


def _statement(statement: Mapping[str, Any]) -> Statement:
    if statement["Effect"] not in _EFFECTS:
        raise ValueError("no effect IAM knows")
    return Statement(
        statement["Effect"],
        _words(statement.get("Action")),
        _words(statement.get("NotAction")),
        _words(statement.get("Resource")),
        _words(statement.get("NotResource")),
        _principals(statement.get("Principal")),
        _principals(statement.get("NotPrincipal")),
        {
            operator: {key: _words(values) for key, values in keys.items()}
            for operator, keys in statement.get("Condition", {}).items()
        },
        statement.get("Sid", ""),
    )


def _principals(principal: Any) -> dict[str, tuple[str, ...]]:
    if principal is None:
        return {}
    if isinstance(principal, str):
        return {"AWS": (principal,)}
    return {kind: _words(names) for kind, names in principal.items()}


def _words(value: Any) -> tuple[str, ...]:
    """One or many, as text: conditions also hold numbers and truth values."""
    return tuple(
        str(item).lower() if isinstance(item, bool) else str(item) for item in ([] if value is None else _listed(value))
    )


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
