"""The two kinds of error, told apart where AWS is called.

Retryable errors are left to the queue or the state machine. Permanent ones end in the verdict *held*.
Neither carries text from a training file: only operation names, error codes and object names.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)

RETRYABLE_CODES = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "KMSInternalException",
        "LimitExceededException",
        "OperationAborted",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceException",
        "ServiceQuotaExceededException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)


class TunegateError(Exception):
    """Something Tunegate could not do, said in words fit for a log or an alert."""


class RetryableError(TunegateError):
    """It may succeed when tried again."""


class PermanentError(TunegateError):
    """It will not succeed however often it is tried: the file is held with this as its reason."""


@contextmanager
def aws_call(what: str) -> Iterator[None]:
    """Turn botocore's errors into the two kinds; `what` says in the user's words what was being done."""
    try:
        yield
    except ClientError as error:
        raise _of_kind(error, what) from error
    except (HTTPClientError, IncompleteReadError, ResponseStreamingError, ConnectionError, TimeoutError) as error:
        raise RetryableError(f"{what}: {type(error).__name__}") from error
    except BotoCoreError as error:
        raise PermanentError(f"{what}: {type(error).__name__}") from error


def error_code(error: ClientError) -> str:
    """The service's error code, e.g. `NoSuchKey`; HEAD requests answer with the bare status, e.g. `404`."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def _of_kind(error: ClientError, what: str) -> TunegateError:
    code = error_code(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    message = f"{what}: {error.operation_name} answered {code}"
    if code in RETRYABLE_CODES or status >= 500 or status == 429:
        return RetryableError(message)
    return PermanentError(message)
