"""First step of a launch: the job is created as the gate wants jobs to be."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from tunegate.environment import names
from tunegate.errors import PermanentError
from tunegate.handler import clients, count, guarded, logger, setting
from tunegate.launch import Ground, LaunchRequest, launch


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: `{"request": LaunchRequest, "token": execution name}`. Returns `{"arn"}`."""
    ground = Ground(
        setting("CUSTOMIZATION_ROLE_ARN"),
        setting("IMPORT_ROLE_ARN"),
        setting("MODEL_KEY_ARN"),
        names("SUBNET_IDS"),
        names("SECURITY_GROUP_IDS"),
        setting("APPROVED_BUCKET"),
        setting("OUTPUT_BUCKET"),
    )
    arn = launch(clients("bedrock"), clients("s3"), ground, _request(event["request"]), event["token"])
    count("JobsLaunched")
    logger.info("Launched", subject=arn)
    return {"arn": arn}


def _request(asked: Any) -> LaunchRequest:
    try:
        return LaunchRequest.model_validate(asked)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_input=False)]
        raise PermanentError("; ".join(faults)) from None
