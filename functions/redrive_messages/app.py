"""An operator asks → the dead letters are counted, or given back to what should have had them."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from tunegate.act.redrive import redrive
from tunegate.errors import PermanentError
from tunegate.handler import clients, count, guarded, logger, setting
from tunegate.observe.dead_letters import dead_letter_queues


class Redrive(BaseModel):
    """What `tunegate redrive` asks for: the queue to empty, or none to be told of all."""

    queue: str | None = None


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: a `Redrive`. Returns `{"queues": [...]}`, or `{"queue", "given_back", "left": [...], "moving"}`."""
    asked = Redrive.model_validate(event)
    sqs = clients("sqs")
    queues = dead_letter_queues(clients("cloudwatch"), sqs, setting("PREFIX"), setting("ALERTS_TOPIC_ARN"))
    if asked.queue is None:
        return {"queues": [asdict(queue) for queue in queues]}
    named = next((queue for queue in queues if queue.name == asked.queue), None)
    if named is None:
        raise PermanentError(f"{asked.queue} is no dead-letter queue of this stack")
    done = redrive(sqs, clients("lambda"), named)
    count("Redriven", done.given_back)
    logger.info("Redriven", queue=done.queue, given_back=done.given_back, left=list(done.left), moving=done.moving)
    return asdict(done)
