"""How a request to the embedded cloud says through which VPC endpoint it comes: on AWS the network knows."""

from typing import Any

ENDPOINT_HEADER = "x-tunegate-vpc-endpoint"


def through(client: Any, endpoint: str) -> Any:
    """The boto3 client, its requests coming in by that endpoint."""
    client.meta.events.register(
        "before-sign.*", lambda request, **_: request.headers.add_header(ENDPOINT_HEADER, endpoint)
    )
    return client
