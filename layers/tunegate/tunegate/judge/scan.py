"""The judgement of a whole scan: its shards' reports become one decision, or a hold where a shard is missing."""

from collections.abc import Iterable, Sequence

from tunegate.judge.answers import not_told, told
from tunegate.judge.reasons import reason_of
from tunegate.judge.verdict import held, judge_text
from tunegate.model import Decision, ObjectVersion, Verdict
from tunegate.policy import Policy
from tunegate.scan.report import ShardReport, merge
from tunegate.service_answers import Answer
from tunegate.steps import Inspection, ShardResult


def missing_shards(inspection: Inspection, results: Sequence[ShardResult]) -> str:
    """Why the scan is not whole, in words; empty where every shard was scanned exactly once."""
    for result in results:
        if result.error is not None:
            return reason_of(result.error.Error, result.error.Cause)
    if sorted(result.index for result in results) != [shard.index for shard in inspection.shards]:
        return "not every part of the file was scanned"
    return ""


def judge_scan(
    subject: ObjectVersion,
    inspection: Inspection,
    reports: Iterable[ShardReport],
    policy: Policy,
    expected_key: str,
    answers: Sequence[Answer] = (),
) -> Decision:
    """The decision on a file none of whose shards is missing; `reports` in the shards' order, read one by one.

    What was found flags a file whoever has not answered; without every answer that is waited for, none is clean.
    """
    decision = judge_text(subject, inspection.file.facts(), merge(reports), policy, expected_key, told(answers))
    missing = not_told(inspection.waits, answers)
    if missing and decision.verdict is Verdict.CLEAN:
        return held(subject, missing, policy.digest)
    return decision
