"""The ledger's stream → one alert for each decision that needs a person. A redrive asks for those of a time gone by."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.handler import clients, count, guarded, logger, reported, setting
from tunegate.report.deliver import deliver
from tunegate.report.untold import rows_of

processor = BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: a batch of DynamoDB stream records, answered by `{"batchItemFailures": [...]}`; or `{"untold": {"begin",
    "end"}}`, the times of records that the stream gave up on, answered by `{"sent": count}`."""
    if "untold" in event:
        rows = rows_of(clients("dynamodb"), setting("LEDGER_TABLE"), event["untold"])
        return {"sent": sum(_deliver(row) for row in rows)}
    return process_partial_response(event=event, record_handler=_send, processor=processor, context=context)


@reported
def _send(record: DynamoDBRecord) -> None:
    row = record.dynamodb.new_image if record.dynamodb else None
    if row:
        _deliver(row)


def _deliver(row: Mapping[str, Any]) -> bool:
    alert = deliver(clients("sns"), clients("dynamodb"), setting("ALERTS_TOPIC_ARN"), setting("LEDGER_TABLE"), row)
    if alert is not None:
        count("AlertsSent")
        logger.info("Alert sent", alert_id=alert.alert_id, severity=alert.severity, verdict=alert.verdict)
    return alert is not None
