"""The decision that a model upload's row says: its judgement, unless a file could not be moved to where it belongs."""

from tunegate.judge.reasons import reason_of
from tunegate.judge.verdict import held
from tunegate.model import Decision
from tunegate.steps import RecordTask


def upload_decision(task: RecordTask) -> Decision:
    """A failed step holds the upload, and so does a file that failed to move: a person has to look."""
    subject = task.object.version()
    if task.error is not None:
        return held(subject, reason_of(task.error.Error, task.error.Cause))
    if task.judgement is None:
        return held(subject, "the scan ended without a verdict")
    stuck = sum(file.ended == "not moved" for file in task.settled)
    if stuck:
        reason = f"{stuck} of its files could not be moved: the status of each says why"
        return held(subject, reason, task.judgement.policy_digest)
    return task.judgement.decision(subject)
