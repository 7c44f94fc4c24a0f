"""The decision that a model upload's row says: its judgement, unless a file could not be moved to where it belongs."""

from tunegate.judge.reasons import reason_of
from tunegate.judge.verdict import held
from tunegate.model import Decision
from tunegate.service_answers import StepError
from tunegate.steps import RecordTask


def upload_decision(task: RecordTask) -> Decision:
    """A failed step holds the upload, and so does a file that failed to move: a person has to look."""
    subject = task.object.version()
    if task.error is not None:
        return held(subject, reason_of(task.error.Error, task.error.Cause))
    if task.judgement is None:
        return held(subject, "the scan ended without a verdict")
    errors = [StepError.model_validate(one["error"]) for one in task.settled if one.get("error")]
    if errors:
        reason = f"{len(errors)} of its files could not be moved: {reason_of(errors[0].Error, errors[0].Cause)}"
        return held(subject, reason, task.judgement.policy_digest)
    return task.judgement.decision(subject)
