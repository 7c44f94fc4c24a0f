"""CloudFormation custom resource: model invocations are logged, where nobody has arranged for that yet."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.act.invocation_logging import take_down, turn_on
from tunegate.custom_resource import answer
from tunegate.handler import clients, guarded, logger, setting


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: CloudFormation's Create, Update or Delete. The stack is answered whatever happens."""
    with answer(event, context.log_stream_name) as attributes:
        group, role = setting("LOG_GROUP_NAME"), setting("LOGGING_ROLE_ARN")
        if event["RequestType"] == "Delete":
            changed = take_down(clients("bedrock"), group, role)
        else:
            changed = turn_on(clients("bedrock"), group, role)
        attributes["Changed"] = str(changed).lower()
        logger.info("Invocation logging", request=event["RequestType"], changed=changed)
