"""Why a file is held, from an error as Step Functions caught it."""

import json

_OURS = frozenset({"PermanentError", "RetryableError", "GoneError", "UnexpectedError"})
_IN_WORDS = {
    "States.Timeout": "a step of the scan took longer than it may",
    "States.TaskFailed": "a step of the scan failed",
    "States.DataLimitExceeded": "too many parts of the scan failed at once",
    "States.ExceedToleratedFailureThreshold": "a part of the scan failed",
    "Sandbox.Timedout": "a step of the scan took longer than it may",
    "Runtime.OutOfMemory": "a step of the scan ran out of memory",
    "Runtime.ExitError": "a step of the scan ran out of memory or was ended",
}


def reason_of(error: str, cause: str) -> str:
    """A reason fit for an alert. Only our own errors' messages are repeated: any other could quote what was read."""
    if error in _OURS:
        message = _message(cause)
        if message:
            return message
    return _IN_WORDS.get(error, f"a step of the scan failed with {error}")


def _message(cause: str) -> str:
    try:
        document = json.loads(cause)
    except json.JSONDecodeError:
        return ""
    return str(document.get("errorMessage", "")) if isinstance(document, dict) else ""
