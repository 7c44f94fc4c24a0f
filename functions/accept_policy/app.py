"""A proposed policy document comes into force, or is refused with the field named."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.act.accept import accept_policy
from tunegate.act.ledger import Ledger
from tunegate.handler import about, clients, guarded, logger, setting
from tunegate.observe.events import object_created


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: S3's `Object Created` for `proposed/`. Returns whether the document was accepted."""
    created = object_created(event)
    if created is None:
        return {"accepted": False}
    about(created.version)
    policy = accept_policy(clients("s3"), Ledger(clients("dynamodb"), setting("LEDGER_TABLE")), created.version)
    logger.info("Policy decided", accepted=policy is not None, digest=policy.digest if policy else "")
    return {"accepted": policy is not None}
