"""The embedded detection services, started once for all contract tests, and boto3 clients that speak to them."""

from collections.abc import Iterator
from typing import Any

import pytest

from contract.local_services import Server, client


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """Both services, started side by side and stopped as an operator would stop them."""
    folder = tmp_path_factory.mktemp("services")
    started = {name: Server.start(name, folder / f"{name}.log") for name in ("comprehend", "bedrock-runtime")}
    try:
        for name, server in started.items():
            if not server.becomes_ready():
                pytest.fail(f"{name} did not start:\n{server.output.read_text()}")
        yield started
    finally:
        statuses = {name: server.stop() for name, server in started.items()}
    assert set(statuses.values()) == {0}, f"a service did not stop in order: {statuses}"


@pytest.fixture(scope="session")
def comprehend_endpoint(servers: dict[str, Server]) -> str:
    return servers["comprehend"].endpoint


@pytest.fixture(scope="session")
def bedrock_endpoint(servers: dict[str, Server]) -> str:
    return servers["bedrock-runtime"].endpoint


@pytest.fixture
def comprehend(comprehend_endpoint: str) -> Any:
    return client("comprehend", comprehend_endpoint)


@pytest.fixture
def bedrock(bedrock_endpoint: str) -> Any:
    return client("bedrock-runtime", bedrock_endpoint)
