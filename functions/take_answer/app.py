"""A service's result → the scans that wait for it go on. One that comes first, twice or late changes nothing else."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.act.waiting import Waiting
from tunegate.handler import about, clients, count, guarded, logger, setting
from tunegate.observe.events import MALWARE_PLAN_PROBE
from tunegate.observe.malware import scan_result


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: GuardDuty's scan result of an object in intake. Returns whether a scan went on."""
    version, answer = scan_result(event)
    if version.key == MALWARE_PLAN_PROBE:
        return {"resumed": False}
    about(version)
    resumed = Waiting(clients("dynamodb"), setting("LEDGER_TABLE"), clients("stepfunctions")).answer(version, answer)
    count("AnswersTaken")
    logger.info("Answered", service=answer.service, status=answer.status, resumed=resumed)
    return {"resumed": resumed}
