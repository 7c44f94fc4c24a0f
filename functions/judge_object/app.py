"""The judgement of a scan: all shards' reports, under the policy it began with, become one verdict."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.evidence import Evidence
from tunegate.handler import about, clients, guarded, logger, setting
from tunegate.judge.scan import judge_scan, missing_shards
from tunegate.judge.verdict import held
from tunegate.observe.policies import policy_by_digest
from tunegate.steps import Judgement, JudgeTask


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: a `JudgeTask`. Returns a `Judgement`."""
    task = JudgeTask.model_validate(event)
    subject = task.object.version()
    about(subject)
    evidence = Evidence(clients("s3"), setting("EVIDENCE_BUCKET"))
    missing = missing_shards(task.inspection, task.results)
    if missing:
        decision = held(subject, missing, task.inspection.file.policy_digest)
    else:
        policy = policy_by_digest(clients("s3"), setting("POLICY_BUCKET"), task.inspection.file.policy_digest)
        reports = (evidence.get_shard(task.scan_id, shard.index) for shard in task.inspection.shards)
        decision = judge_scan(subject, task.inspection, reports, policy, setting("DATA_KEY_ARN"), task.answers)
    logger.info("Judged", verdict=decision.verdict, findings=len(decision.findings))
    return Judgement.of(decision, evidence.put_findings(task.scan_id, decision)).model_dump(mode="json")
