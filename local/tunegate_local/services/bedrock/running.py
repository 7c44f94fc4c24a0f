"""What takes time: work that goes on after its request was answered."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ministack.core.iam_evaluator import pin_request_origin
from ministack.core.responses import request_scope

from tunegate_local.detectors.wire import ServiceError
from tunegate_local.services.bedrock.store import JobError, Store

logger = logging.getLogger("tunegate_local.services")


def start(store: Store, work: Callable[[], None], name: str) -> None:
    """In a thread of its own, for the store's account and Region, and with nothing else of the request at hand."""

    def run() -> None:
        # A service calls others over TLS, and not from where its caller came.
        pin_request_origin("127.0.0.1", secure_transport=True)
        with request_scope(store.account, store.region):
            try:
                work()
            except Exception:
                logger.exception("%s failed", name)

    threading.Thread(target=run, name=f"bedrock-{name}", daemon=True).start()


def later(store: Store, seconds: float, work: Callable[[], None], name: str) -> None:
    """As `start`, after some seconds."""

    def wait_and_work() -> None:
        time.sleep(seconds)
        work()

    start(store, wait_and_work, name)


@contextmanager
def failing(fail: Callable[[str], None]) -> Iterator[None]:
    """Whatever goes wrong inside becomes a failure message; what should not have gone wrong is logged too."""
    try:
        yield
    except JobError as error:
        fail(str(error))
    except ServiceError as error:
        fail(error.message)
    except Exception:
        fail("Encountered an unexpected error when processing the request, please try again")
        raise
