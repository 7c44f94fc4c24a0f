"""What leaves a function never carries what it was reading."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tunegate.errors import PermanentError, RetryableError
from tunegate.model import ObjectVersion

SECRET = "the text of a training record"


class Context:
    function_name = "test"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn:aws:lambda:us-east-1:111122223333:function:test"
    aws_request_id = "id"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the functions' logger writes."""
    from tunegate.handler import logger

    written = io.StringIO()
    before = logger.registered_handler.setStream(written)  # type: ignore[attr-defined]
    yield written
    logger.registered_handler.setStream(before)  # type: ignore[attr-defined]


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "tunegate")
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    from tunegate.handler import guarded

    return guarded


def failing(error: Exception) -> Callable[[Any, Any], Any]:
    def handler(event: Any, context: Any) -> Any:
        raise error

    return handler


def test_a_defect_is_told_by_type_and_place_and_never_by_its_message(guarded: Any, log: io.StringIO) -> None:
    with pytest.raises(PermanentError) as told:
        guarded(failing(ValueError(SECRET)))({}, Context())
    assert "ValueError in handler, test_handler.py:" in str(told.value)
    assert type(told.value).__name__ == "UnexpectedError"
    assert "ValueError" in log.getvalue()
    assert SECRET not in log.getvalue() + str(told.value)
    assert told.value.__suppress_context__


@pytest.mark.parametrize("kind", [PermanentError, RetryableError])
def test_our_own_errors_keep_their_kind_and_words(guarded: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="Reading the object"):
        guarded(failing(kind("Reading the object: GetObject answered AccessDenied")))({}, Context())


def test_every_log_line_about_an_object_names_it(guarded: Any, log: io.StringIO) -> None:
    from tunegate.handler import about, logger

    def handler(event: Any, context: Any) -> Any:
        about(ObjectVersion("b", "k", "v"))
        logger.info("Done")
        return {"ok": True}

    assert guarded(handler)({}, Context()) == {"ok": True}
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["correlation_id"] for line in lines if line.get("message") == "Done"] == ["b/k/v"]
