"""Detection runs in processes of its own, which load models; who may have what detected is asked here."""

import os
from collections.abc import Callable, Sequence

import urllib3

from tunegate_local.detectors.wire import Call, Request, Response, ServiceError
from tunegate_local.services.mounting import Caller, wire

# Where those processes listen; set for the emulator by `tunegate_local.cloud`.
GUARDRAILS_URL = "TUNEGATE_LOCAL_GUARDRAILS_URL"
COMPREHEND_URL = "TUNEGATE_LOCAL_COMPREHEND_URL"
SECONDS = 120
_SENT = ("accept", "amz-sdk-invocation-id", "authorization", "content-type", "smithy-protocol", "x-amz-date",
         "x-amz-security-token", "x-amz-target")  # fmt: skip
_KEPT = ("content-type", "smithy-protocol", "x-amzn")


class Detector:
    """Operations that another process answers, once IAM allows them."""

    def __init__(
        self,
        service: str,
        operations: Sequence[str],
        prefix: str,
        variable: str,
        resource: Callable[[Call, Caller], str],
    ) -> None:
        """`prefix` begins the operations' IAM actions, `variable` holds the process's URL."""
        self.wire = wire(service, operations)
        self._prefix, self._resource = prefix, resource
        self._url = os.environ.get(variable)
        self._pool = urllib3.PoolManager(maxsize=64, retries=False)

    def answer(self, request: Request, caller: Caller) -> Response:
        """As `mounting.Part`."""
        call = self.wire.parse(request)
        caller.require(f"{self._prefix}:{call.operation.name}", self._resource(call, caller), service=self._prefix)
        return self._forward(request)

    def _forward(self, request: Request) -> Response:
        headers = {name: request.headers[name] for name in _SENT if name in request.headers}
        try:
            if self._url is None:
                raise ServiceError("ServiceUnavailableException", "No detector runs beside this emulator.")
            answer = self._pool.request(
                request.method, self._url + request.path, body=request.body, headers=headers, timeout=SECONDS
            )
        except urllib3.exceptions.HTTPError as error:
            raise ServiceError("ServiceUnavailableException", "The detector does not answer.") from error
        kept = {name.lower(): value for name, value in answer.headers.items() if name.lower().startswith(_KEPT)}
        return Response(answer.status, kept, answer.data)


def guardrails() -> Detector:
    """ApplyGuardrail and InvokeGuardrailChecks."""
    return Detector(
        "bedrock-runtime", ("ApplyGuardrail", "InvokeGuardrailChecks"), "bedrock", GUARDRAILS_URL, _guardrail
    )


def comprehend() -> Detector:
    """What Comprehend detects in one text. Its classifiers are resources, all else has none."""
    operations = ("ClassifyDocument", "ContainsPiiEntities", "DetectDominantLanguage", "DetectPiiEntities",
                  "DetectToxicContent")  # fmt: skip
    return Detector(
        "comprehend", operations, "comprehend", COMPREHEND_URL, lambda call, _: call.parameters.get("EndpointArn", "*")
    )


def _guardrail(call: Call, caller: Caller) -> str:
    """A guardrail's ARN; checks without a guardrail have no resource."""
    identifier = call.parameters.get("guardrailIdentifier")
    if identifier is None:
        return "*"
    if identifier.startswith("arn:"):
        return str(identifier)
    return f"arn:aws:bedrock:{caller.region}:{caller.account}:guardrail/{identifier}"
