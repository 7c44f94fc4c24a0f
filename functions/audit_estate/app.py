"""A schedule, a change to what was deployed, or a person → the estate is looked at, and drift is written down."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.audit import audit
from tunegate.environment import deployed, gate
from tunegate.handler import clients, count, guarded, logger


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: not read. Returns `{"controls": [{"control", "title", "severity", "state", "details"}, ...]}`."""
    states = audit(gate(clients), deployed())
    for state in ("pass", "fail", "unknown"):
        count(f"Estate{state.title()}", sum(control["state"] == state for control in states))
    logger.info("Audited", broken=[control["control"] for control in states if control["state"] != "pass"])
    return {"controls": states}
