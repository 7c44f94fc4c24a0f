"""One child of the distributed map: scans a shard of a text file and leaves its report in the evidence bucket."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.evidence import Evidence
from tunegate.handler import about, client, count, guarded, patient_client, setting
from tunegate.observe.objects import ObjectSource
from tunegate.observe.policies import policy_by_digest
from tunegate.scan.screen import Screen
from tunegate.scan.services import checks_for
from tunegate.scan.shard import TextFile, scan_shard
from tunegate.steps import ShardTask

s3 = client("s3")
services = cache(patient_client)
screen = Screen()


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: a `ShardTask`. Returns a `ShardResult`."""
    task = ShardTask.model_validate(event)
    about(task.object.version())
    policy = policy_by_digest(s3, setting("POLICY_BUCKET"), task.file.policy_digest)
    buckets = frozenset({setting("INTAKE_BUCKET"), setting("APPROVED_BUCKET")})
    source = ObjectSource(s3, task.object.version(), task.file.size)
    file = TextFile(source, task.file.content, task.file.gzipped, buckets)
    report = scan_shard(file, task.shard, checks_for(policy, screen, services, _guardrail()), policy)
    Evidence(s3, setting("EVIDENCE_BUCKET")).put_shard(task.scan_id, task.shard.index, report)
    count("RecordsScanned", report.records)
    return {"index": task.shard.index}


def _guardrail() -> tuple[str, str] | None:
    guardrail_id = os.environ.get("GUARDRAIL_ID", "")
    return (guardrail_id, os.environ.get("GUARDRAIL_VERSION", "DRAFT")) if guardrail_id else None
