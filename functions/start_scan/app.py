"""Uploads queue → one scan execution for each object version. Duplicate events start nothing."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.act.start import start_scan
from tunegate.handler import about, clients, count, guarded, logger, reported, setting
from tunegate.observe.events import message_in, object_created

processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: an SQS batch of S3 `Object Created` events. Returns `{"batchItemFailures": [...]}`."""
    return process_partial_response(event=event, record_handler=_start, processor=processor, context=context)


@reported
def _start(record: SQSRecord) -> None:
    created = object_created(message_in(record.body))
    if created is None:
        return
    about(created.version)
    if start_scan(clients("stepfunctions"), setting("SCAN_STATE_MACHINE_ARN"), created.version, created.sequencer):
        count("ScansStarted")
        logger.info("Scan started", scan_id=created.version.digest)
