"""Where a request comes from: through which VPC endpoint, as a header says.

On AWS the network knows; on one machine the request has to say so itself. With the header, policies see the keys
`aws:SourceVpce` and `aws:SourceVpc`, and the endpoint's own policy is asked as well; without it, neither is there.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourcevpce
https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
"""

import json
from contextvars import ContextVar
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import ec2

from tunegate_local.origin import ENDPOINT_HEADER
from tunegate_local.services.raw import Application, Receive, Scope, Send

# The beginning of the IAM actions of an endpoint's service, where it is not how the service's own name begins.
_ACTIONS = {"bedrock-runtime": "bedrock", "bedrock-agent-runtime": "bedrock", "monitoring": "cloudwatch"}

_endpoint: ContextVar[str] = ContextVar("endpoint", default="")


def located(application: Application) -> Application:
    """The application, with each request's endpoint remembered while it is answered."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        named = dict(scope.get("headers", ())).get(ENDPOINT_HEADER.encode(), b"")
        _endpoint.set(named.decode("latin-1"))
        await application(scope, receive, send)

    return serve


def endpoints_count() -> None:
    """From now on policies see the endpoint, and the endpoint's policy is asked."""
    resolve, evaluate = iam_evaluator._resolve_condition_key, iam_evaluator.evaluate

    def resolve_condition_key(key: str, context: Any) -> Any:
        if key.lower() not in ("aws:sourcevpce", "aws:sourcevpc"):
            return resolve(key, context)
        endpoint = _through(context.action)
        if endpoint is None:
            return None
        return endpoint["VpcEndpointId"] if key.lower() == "aws:sourcevpce" else endpoint["VpcId"]

    def evaluate_too(context: Any, *policies: Any, **named: Any) -> Any:
        result = evaluate(context, *policies, **named)
        endpoint = _through(context.action)
        if result.decision != "Allow" or endpoint is None or not endpoint.get("PolicyDocument"):
            return result
        return evaluate(context, [_statements(endpoint["PolicyDocument"], context.principal_arn)])

    iam_evaluator._resolve_condition_key = resolve_condition_key
    iam_evaluator.evaluate = evaluate_too


def _through(action: str) -> dict[str, Any] | None:
    """The request's endpoint, if it is one of the service asked; what that service then asks of another is not."""
    found: dict[str, Any] | None = ec2._vpc_endpoints.get(_endpoint.get()) if _endpoint.get() else None
    if found is None:
        return None
    service = str(found["ServiceName"]).split(".", 3)[-1]
    return found if _ACTIONS.get(service, service.partition(".")[0]) == action.partition(":")[0] else None


def _statements(document: Any, principal: str) -> Any:
    """Those statements of an endpoint's policy that are about the caller."""
    policy = json.loads(document) if isinstance(document, str) else document
    said = policy.get("Statement", [])
    mine = [
        statement
        for statement in ([said] if isinstance(said, dict) else said)
        if iam_evaluator._principal_matches(statement.get("Principal"), principal)
    ]
    return iam_evaluator.parse_policy_document({"Statement": mine})
