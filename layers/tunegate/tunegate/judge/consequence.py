"""What follows from a conclusion: decided here, carried out in `act`."""

from dataclasses import dataclass

from tunegate.job_facts import Description, State
from tunegate.job_rules import JobRules, Mode
from tunegate.judge.jobs import Conclusion
from tunegate.subject import Approval, Kind
from tunegate.verdict_tags import APPROVED, HELD, REJECTED, TOLERATED


@dataclass(frozen=True, slots=True)
class Consequence:
    """`stop` a running job; `mark` a model or endpoint with a verdict tag, empty for none; `remove` what invokes it."""

    stop: bool = False
    mark: str = ""
    remove: bool = False


def consequence(described: Description, conclusion: Conclusion, rules: JobRules) -> Consequence:
    """In audit mode nothing is stopped or taken away, and what would have been is marked as tolerated."""
    kind = described.subject.kind
    rejected = conclusion.approval is Approval.REJECTED
    enforced = rejected and rules.mode is Mode.ENFORCE
    if kind is Kind.CUSTOMIZATION_JOB:
        return Consequence(stop=enforced and described.state is State.RUNNING)
    if not (kind.is_model or kind.is_endpoint) or conclusion.approval is Approval.ADMITTED:
        return Consequence()
    deletable = kind.is_endpoint or (kind is Kind.IMPORTED_MODEL and rules.delete_rejected_imports)
    return Consequence(mark=_mark(conclusion.approval, rules.mode), remove=enforced and deletable)


def _mark(approval: Approval, mode: Mode) -> str:
    if approval is Approval.APPROVED:
        return APPROVED
    if mode is Mode.AUDIT:
        return TOLERATED
    return REJECTED if approval is Approval.REJECTED else HELD
