"""Errors a user can do something about: one line that says what."""

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from tunegate.errors import RetryableError, TunegateError, error_code
from tunegate.policy import PolicyError

NO_TELLING = 2
"""The exit code of a command that could not do what was asked, and of a scan that could not tell."""


class CommandError(Exception):
    """Ends a command with one line on stderr and an exit code."""

    def __init__(self, message: str, exit_code: int = NO_TELLING) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def explain(error: BaseException) -> str | None:
    """The line for an error that is the user's to mend, or None for one that is ours and deserves its traceback."""
    if isinstance(error, CommandError):
        return str(error)
    return next((line for reader in _READERS if (line := reader(error)) is not None), None)


def _of_library(error: BaseException) -> str | None:
    if isinstance(error, RetryableError):
        return f"{error}. It may pass: try again."
    if isinstance(error, PolicyError):
        return f"The policy document is not valid: {error}"
    return str(error) if isinstance(error, TunegateError) else None


def _of_aws(error: BaseException) -> str | None:
    if isinstance(error, ClientError):
        return _of_answer(error)
    if isinstance(error, BotoCoreError):
        return _HINTS.get(type(error).__name__, f"AWS could not be asked: {error}")
    return None


def _of_answer(error: ClientError) -> str:
    operation, code = error.operation_name, error_code(error)
    if "AccessDenied" in code or code in {"403", "UnauthorizedOperation"}:
        return (
            f"AWS refused {operation}: use the uploader's role to upload, the launcher's to train and import, "
            "and the operator's for everything else."
        )
    if code in _STALE:
        return f"AWS did not accept your credentials ({code}): sign in again."
    return f"AWS answered {operation} with {code}: {error.response.get('Error', {}).get('Message', '')}".rstrip(": ")


def _of_system(error: BaseException) -> str | None:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return None


_READERS: tuple[Callable[[BaseException], str | None], ...] = (_of_library, _of_aws, _of_system)
_STALE = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
    }
)
_HINTS = {
    "NoCredentialsError": "No AWS credentials: sign in, or run `tunegate up` and export what it prints.",
    "PartialCredentialsError": "The AWS credentials are incomplete: sign in again.",
    "NoRegionError": "No AWS Region: set AWS_REGION, or export what `tunegate up` prints.",
    "ProfileNotFound": "AWS_PROFILE names no profile: set it to one that `aws configure list-profiles` lists.",
    "EndpointConnectionError": "AWS does not answer: check the network and AWS_ENDPOINT_URL, or run `tunegate up`.",
    "ConnectTimeoutError": "AWS does not answer in time: check the network and AWS_ENDPOINT_URL.",
}
