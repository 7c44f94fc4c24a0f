"""What every function shares: structured logs, metrics, traces, and an end to exceptions that could carry text.

An exception's message can hold what was being parsed, and Lambda writes it to logs and to the execution history.
So only Tunegate's own errors leave a function as they are; of any other, only its type and place are told.
"""

import functools
import os
import traceback
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from tunegate.errors import PermanentError, TunegateError
from tunegate.model import ObjectVersion

logger = Logger()
metrics = Metrics(namespace="Tunegate")
# Every call to AWS is traced; the other libraries that X-Ray would look for and load are not in use here.
tracer = Tracer(patch_modules=("botocore",))
# Not every function counts something.
warnings.filterwarnings("ignore", "No application metrics")

CLIENT_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=5, read_timeout=60)
"""A short retry for what passes in seconds; what lasts longer is retried by the queue or the state machine."""
PATIENT_CONFIG = Config(retries={"mode": "adaptive", "total_max_attempts": 6}, connect_timeout=5, read_timeout=60)
"""For services called once a record: slows itself down to the rate they grant, so that a shard is not begun anew."""

type Handler[Event] = Callable[[Event, LambdaContext], Any]


class UnexpectedError(PermanentError):
    """A defect: named by the type of the exception and the line it came from, without its message."""


def guarded[Event](handler: Handler[Event]) -> Handler[Event]:
    """Wrap a function's handler with traces, metrics and the guard described above."""

    @functools.wraps(handler)
    def run(event: Event, context: LambdaContext) -> Any:
        try:
            return handler(event, context)
        except TunegateError as error:
            logger.warning("Not done", error=str(error), kind=type(error).__name__)
            _reraise(type(error), str(error))
        except Exception as error:  # noqa: BLE001
            # The one place that may catch everything: what leaves here is logged, retried or held, never dropped.
            message = _placed(error)
            logger.error("Unexpected error", error=message)  # noqa: TRY400
            _reraise(UnexpectedError, message)

    wrapped: Handler[Event] = tracer.capture_lambda_handler(
        metrics.log_metrics(run), capture_response=False, capture_error=False
    )
    return wrapped


def reported[Record](handle: Callable[[Record], None]) -> Callable[[Record], None]:
    """Wrap what handles one record of a batch, so that a record that fails is told of before it goes back."""

    @functools.wraps(handle)
    def run(record: Record) -> None:
        try:
            handle(record)
        except TunegateError as error:
            logger.warning("Not done", error=str(error), kind=type(error).__name__)
            raise
        except Exception as error:  # the batch keeps it from leaving with its message
            logger.error("Unexpected error", error=_placed(error))  # noqa: TRY400
            raise

    return run


def about(version: ObjectVersion) -> None:
    """Put the object version on every log line and trace of this invocation."""
    logger.set_correlation_id(f"{version.bucket}/{version.key}/{version.version_id}")
    tracer.put_annotation("object_version", version.digest)


def count(name: str, value: float = 1) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def client(service: str) -> Any:
    """An AWS client with this product's retries and timeouts."""
    return boto3.client(service, config=CLIENT_CONFIG)  # type: ignore[call-overload]


@functools.cache
def clients(service: str) -> Any:
    """The same, made when first asked for: for functions that use many services, not all of them every time."""
    return client(service)


def patient_client(service: str) -> Any:
    """The same for a service that a scan calls many times."""
    return boto3.client(service, config=PATIENT_CONFIG)  # type: ignore[call-overload]


def setting(name: str) -> str:
    """A required setting from the function's environment."""
    value = os.environ.get(name)
    if not value:
        raise PermanentError(f"the setting {name} is missing from this function's environment")
    return value


def _placed(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name}, {os.path.basename(frame.filename)}:{frame.lineno}"


def _reraise(kind: type[TunegateError], message: str) -> NoReturn:
    raise kind(message) from None
