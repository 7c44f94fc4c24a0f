"""One child of the distributed map: scans a shard of a text file and leaves its report in the evidence bucket."""

import os
from collections.abc import Callable
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.errors import RetryableError
from tunegate.evidence import Evidence
from tunegate.handler import about, clients, count, guarded, patient_client, setting
from tunegate.observe.objects import ObjectSource
from tunegate.observe.policies import policy_by_digest
from tunegate.scan.cache import AnswersTable
from tunegate.scan.screen import Screen
from tunegate.scan.services import Cloud, checks_for
from tunegate.scan.shard import TextFile, scan_shard
from tunegate.steps import ShardTask

services = cache(patient_client)
screen = Screen()

RESERVE_MILLISECONDS = 90_000
"""Enough for a request that is being retried to end, and for the answers to be written."""


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: a `ShardTask`. Returns a `ShardResult`."""
    task = ShardTask.model_validate(event)
    about(task.object.version())
    policy = policy_by_digest(clients("s3"), setting("POLICY_BUCKET"), task.file.policy_digest)
    buckets = frozenset({setting("INTAKE_BUCKET"), setting("APPROVED_BUCKET")})
    source = ObjectSource(clients("s3"), task.object.version(), task.file.size)
    file = TextFile(source, task.file.content, task.file.gzipped, buckets)
    answers = AnswersTable(clients("dynamodb"), setting("ANSWERS_TABLE"))
    cloud = Cloud(services, _guardrail(), answers, interrupt=_interrupt(context, answers))
    try:
        report = scan_shard(file, task.shard, checks_for(policy, screen, cloud), policy)
    finally:
        answers.flush()
        count("AnswersReused", cloud.tally.repeated + cloud.tally.known)
        count("AnswerTableFailures", answers.failures)
    Evidence(clients("s3"), setting("EVIDENCE_BUCKET")).put_shard(task.scan_id, task.shard.index, report)
    count("RecordsScanned", report.records)
    return {"index": task.shard.index}


def _interrupt(context: LambdaContext, answers: AnswersTable) -> Callable[[], None]:
    def interrupt() -> None:
        if answers.works and context.get_remaining_time_in_millis() < RESERVE_MILLISECONDS:
            raise RetryableError("A throttled service needs longer than one run: the next goes on with its answers")

    return interrupt


def _guardrail() -> tuple[str, str] | None:
    guardrail_id = os.environ.get("GUARDRAIL_ID", "")
    return (guardrail_id, os.environ.get("GUARDRAIL_VERSION", "DRAFT")) if guardrail_id else None
