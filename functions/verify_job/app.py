"""Jobs queue → each job, model or deployment an event speaks of is looked at again, judged, and dealt with."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.act.follow_up import look_again
from tunegate.act.subjects import record_origin
from tunegate.environment import gate
from tunegate.handler import clients, count, guarded, logger, reported, setting
from tunegate.observe.events import message_in
from tunegate.observe.job_events import hint_in
from tunegate.verify import verify

processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: an SQS batch of EventBridge events or of `{"subject": ARN}`. Returns `{"batchItemFailures": [...]}`."""
    return process_partial_response(event=event, record_handler=_verify, processor=processor, context=context)


@reported
def _verify(record: SQSRecord) -> None:
    hint = hint_in(message_in(record.body))
    now_gate = gate(clients)
    for arn, source in hint.sources.items():
        record_origin(now_gate.ledger, arn, source=source)
    for subject in hint.subjects:
        logger.set_correlation_id(subject.arn)
        for row in verify(now_gate, subject):
            count(f"Subjects{row.approval.value.title()}")
            logger.info(
                "Verified", subject=row.subject.arn, approval=row.approval, breaches=row.breaches, gaps=row.gaps
            )
            look_again(clients("sqs"), setting("JOBS_QUEUE_URL"), row, int(setting("FOLLOW_UP_SECONDS")))
