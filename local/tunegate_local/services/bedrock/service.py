"""The control plane, put together: every operation asks IAM before it does anything."""

from collections.abc import Callable

from tunegate_local.detectors.wire import Call
from tunegate_local.services.bedrock import access, catalog
from tunegate_local.services.bedrock.copies import Copies
from tunegate_local.services.bedrock.customization import Customizations
from tunegate_local.services.bedrock.deployments import Deployments
from tunegate_local.services.bedrock.guardrails import Guardrails
from tunegate_local.services.bedrock.imports import Imports
from tunegate_local.services.bedrock.invocation_logging import InvocationLogging
from tunegate_local.services.bedrock.models import CustomModels
from tunegate_local.services.bedrock.store import Caller, Details, Estate, Operations
from tunegate_local.services.bedrock.tagging import Tagging
from tunegate_local.services.bedrock.throughput import Throughputs

_PARTS = (
    Customizations,
    CustomModels,
    Copies,
    Imports,
    Throughputs,
    Deployments,
    Guardrails,
    InvocationLogging,
    Tagging,
)


class Bedrock:
    """Operations by name, for mounting."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        every: Operations = catalog.operations()
        for part in _PARTS:
            every |= part(estate).operations()
        self.operations = {name: self._allowed(act) for name, act in every.items()}

    def _allowed(self, act: Callable[[Call, Caller], Details]) -> Callable[[Call, Caller], Details]:
        def answer(call: Call, caller: Caller) -> Details:
            access.require(call, caller, self._estate.of(caller))
            return act(call, caller)

        return answer
