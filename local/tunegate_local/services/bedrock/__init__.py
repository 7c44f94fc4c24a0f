"""Amazon Bedrock's control plane and model invocation, for the embedded cloud.

Jobs take time, in stages; roles, keys, networks and data are those of the emulator around, and decide for real. What a
model answers, and what training computes, stand for the real thing.
"""

from collections.abc import Callable
from typing import Any

from tunegate_local.services.bedrock.events import Announcements
from tunegate_local.services.bedrock.runtime import BedrockRuntime
from tunegate_local.services.bedrock.service import Bedrock
from tunegate_local.services.bedrock.store import Estate


def make(
    publish: Callable[[str, str, dict[str, Any], list[str]], None], stage_seconds: Callable[[], float]
) -> tuple[Bedrock, BedrockRuntime]:
    """Both services on one estate. `publish` takes an event's source, detail type, detail and resources."""
    estate = Estate(Announcements(publish).add, stage_seconds)
    return Bedrock(estate), BedrockRuntime(estate)
