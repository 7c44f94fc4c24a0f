"""Reading AWS so that what could not be read is known as such."""

from collections.abc import Callable

from botocore.exceptions import ClientError

from tunegate.errors import PermanentError, aws_call, error_code
from tunegate.job_facts import Known, Unknown

type Absent = Callable[[ClientError], bool]
"""Tells the errors by which a service says that there is none of what was asked for."""


def read[T](action: str, resource: str, call: Callable[[], T]) -> Known[T]:
    """What the call answers, or `Unknown` naming the IAM action it takes. Errors that may pass rise as retryable."""
    try:
        with aws_call(f"Reading by {action}"):
            return call()
    except PermanentError as error:
        return Unknown(action, resource, _code(error))


def read_or[T, D](action: str, resource: str, call: Callable[[], T], absent: Absent, default: D) -> Known[T | D]:
    """The same, with `default` where the service says that there is none."""
    return read(action, resource, lambda: answer_or(call, absent, default))


def answer_or[T, D](call: Callable[[], T], absent: Absent, default: D) -> T | D:
    """What the call answers, or `default` where the service says that there is none."""
    try:
        return call()
    except ClientError as error:
        if absent(error):
            return default
        raise


def saying(*codes: str, words: tuple[str, ...] = ()) -> Absent:
    """Errors of these codes; with `words`, those whose message has one of them: some services tell by that alone."""

    def absent(error: ClientError) -> bool:
        message = str(error).lower()
        return error_code(error) in codes and (not words or any(word.lower() in message for word in words))

    return absent


def _code(error: PermanentError) -> str:
    """The service's error code where a service answered, else what went wrong in our words."""
    cause = error.__cause__
    return error_code(cause) if isinstance(cause, ClientError) else str(error)
