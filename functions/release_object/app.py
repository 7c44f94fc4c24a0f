"""A reviewed file goes from quarantine to approved, with who released it and why on the ledger."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from tunegate.act.ledger import Ledger
from tunegate.act.promote import Destination
from tunegate.act.release import ReleaseRequest, release
from tunegate.handler import clients, count, guarded, logger, setting
from tunegate.model import Verdict


class Release(BaseModel):
    """What `tunegate release` asks for."""

    key: str
    version_id: str | None = None
    reason: str
    actor: str


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: a `Release`. Returns where the file now is."""
    asked = Release.model_validate(event)
    approved = Destination(setting("APPROVED_BUCKET"), setting("DATA_KEY_ARN"), ranked=True)
    request = ReleaseRequest(asked.key, asked.version_id, asked.reason, asked.actor)
    ledger = Ledger(clients("dynamodb"), setting("LEDGER_TABLE"))
    released = release(clients("s3"), ledger, request, setting("QUARANTINE_BUCKET"), approved)
    count("Released")
    logger.info("Released", actor=asked.actor)
    destination = {"bucket": released.bucket, "version_id": released.version_id}
    return {"destination": destination, "verdict": Verdict.CLEAN.value}
