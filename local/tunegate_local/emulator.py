"""The AWS emulator of the embedded cloud: ministack with IAM evaluated, its gaps closed, and services of ours in it."""

import asyncio
import os
import resource
import signal
import tempfile
from pathlib import Path
from typing import cast

HOST = "127.0.0.1"
ACCOUNT_ID = "111122223333"
REGION = "us-east-1"
# Ministack treats the key it is started with as the account's root user, which no policy binds.
ACCESS_KEY_ID = "TUNEGATELOCALROOT"
SECRET_ACCESS_KEY = "tunegate-local-root"  # noqa: S105  (opens nothing but a process on this machine)


def serve(port: int) -> None:
    """Serve AWS on `port` of the loopback interface until told to stop; its state goes with it."""
    _allow_many_files()
    with tempfile.TemporaryDirectory(prefix="tunegate-aws-") as state:
        _configure(port, Path(state))
        asyncio.run(_serve(port))


def _configure(port: int, state: Path) -> None:
    # Ministack reads its settings when it is imported, so this comes before any import of it. The functions' workers
    # inherit this environment: that is how the endpoint variables reach them.
    os.environ.update(
        AUTH="true",
        LAMBDA_EXECUTOR="local",
        GATEWAY_PORT=str(port),
        MINISTACK_HOST=HOST,
        MINISTACK_ACCOUNT_ID=ACCOUNT_ID,
        MINISTACK_REGION=REGION,
        AWS_ACCESS_KEY_ID=ACCESS_KEY_ID,
        AWS_SECRET_ACCESS_KEY=SECRET_ACCESS_KEY,
        STATE_DIR=str(state / "state"),
        S3_DATA_DIR=str(state / "s3"),
        TMPDIR=str(state),
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        # Invocations that wait for a process each hold a thread, and what they wait for needs threads too.
        MINISTACK_WORKER_THREADS="512",
    )
    tempfile.tempdir = str(state)


async def _serve(port: int) -> None:
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config
    from hypercorn.typing import ASGIFramework
    from ministack.app import app

    from tunegate_local import gaps, services
    from tunegate_local.services.calls import calls

    application = services.mount(app)
    gaps.close()
    calls.watch()
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    await hypercorn_serve(cast(ASGIFramework, application), config, shutdown_trigger=stop.wait)


def _allow_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
