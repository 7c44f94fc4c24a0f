"""A scan waits: its task token is kept until the service answers, or sent back at once where it has."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.act.waiting import Waiting
from tunegate.handler import about, clients, count, guarded, logger, setting
from tunegate.steps import AwaitTask


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: an `AwaitTask`. Returns whether the answer was there."""
    task = AwaitTask.model_validate(event)
    version = task.object.version()
    about(version)
    answered = Waiting(clients("dynamodb"), setting("LEDGER_TABLE"), clients("stepfunctions")).ask(
        version, task.service, task.token
    )
    count("ScansWaiting")
    logger.info("Waiting", service=task.service, answered=answered)
    return {"answered": answered}
