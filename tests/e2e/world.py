"""What a test may ask of the embedded cloud besides AWS's operations."""

import json
import urllib.request
from typing import Any

from e2e.conftest import Deployment


def control(deployment: Deployment, what: str, asked: dict[str, Any], method: str = "PUT") -> None:
    url = f"{deployment.cloud.environment()['AWS_ENDPOINT_URL']}/_tunegate/{what}"
    request = urllib.request.Request(url, json.dumps(asked).encode(), method=method)
    with urllib.request.urlopen(request):
        pass
