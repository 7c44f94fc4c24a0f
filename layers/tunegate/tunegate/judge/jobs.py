"""The judgement of one subject: every control that applies to it, and what follows from them together."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tunegate.estate_facts import EstateFacts
from tunegate.job_facts import JobFacts, State, Unknown
from tunegate.job_rules import JobRules
from tunegate.judge.controls.control import Control, Failed, Outcome, Undecided, apply
from tunegate.judge.controls.table import BY_ID, ESTATE_CONTROLS, JOB_CONTROLS
from tunegate.model import Severity
from tunegate.subject import ESTATE, Approval, Kind, Subject


@dataclass(frozen=True, slots=True)
class Breach:
    """A broken control, as the policy weighs it. `details` say in which ways."""

    control: str
    severity: Severity
    blocking: bool
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A permission without which these controls could not be judged."""

    missing: Unknown
    controls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What is decided about a subject. `gaps` make it held, blocking `breaches` rejected, whichever else there is."""

    subject: Subject
    approval: Approval
    breaches: tuple[Breach, ...] = ()
    gaps: tuple[Gap, ...] = ()
    passed: tuple[str, ...] = ()

    @property
    def blocking(self) -> tuple[Breach, ...]:
        return tuple(breach for breach in self.breaches if breach.blocking)

    @property
    def digest(self) -> str:
        """Equal for equal conclusions: what the ledger tells a change by."""
        parts = [self.approval.value, *(f"{b.control}:{b.blocking}:{'|'.join(b.details)}" for b in self.breaches)]
        parts += [f"{gap.missing.action}:{gap.missing.resource}" for gap in self.gaps]
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def judge_job(facts: JobFacts) -> Conclusion:
    """The conclusion on a job, a model or a means to invoke one."""
    subject = facts.described.subject
    outcomes = tuple(apply(control, facts) for control in controls_of(subject.kind))
    breaches, gaps, passed = _sorted_out(outcomes, facts.rules)
    if isinstance(facts.serving, Unknown):
        # No control asks for it, but a model whose endpoints cannot be found cannot be taken out of use.
        gaps = (*gaps, Gap(facts.serving, ()))
    return Conclusion(subject, _approval(facts, breaches, gaps), breaches, gaps, passed)


def judge_estate(facts: EstateFacts) -> Conclusion:
    """The conclusion on the account's protections. Nothing is blocked by it; a gap holds it, a breach rejects it."""
    breaches, gaps, passed = _sorted_out(tuple(apply(control, facts) for control in ESTATE_CONTROLS), facts.rules)
    approval = Approval.REJECTED if breaches else Approval.HELD if gaps else Approval.APPROVED
    return Conclusion(ESTATE, approval, breaches, gaps, passed)


def controls_of(kind: Kind) -> Iterator[Control[JobFacts]]:
    return (control for control in JOB_CONTROLS if kind in control.applies)


def _approval(facts: JobFacts, breaches: Sequence[Breach], gaps: Sequence[Gap]) -> Approval:
    if any(breach.blocking for breach in breaches):
        return Approval.REJECTED
    if gaps:
        return Approval.HELD
    # A job that failed or was stopped has made nothing to approve.
    return Approval.APPROVED if facts.described.state is State.DONE else Approval.ADMITTED


def _sorted_out(
    outcomes: Sequence[Outcome], rules: JobRules
) -> tuple[tuple[Breach, ...], tuple[Gap, ...], tuple[str, ...]]:
    breaches = tuple(_breach(outcome, rules) for outcome in outcomes if isinstance(outcome, Failed))
    undecided: dict[Unknown, list[str]] = {}
    for outcome in outcomes:
        if isinstance(outcome, Undecided):
            undecided.setdefault(outcome.missing, []).append(outcome.control)
    gaps = tuple(Gap(missing, tuple(controls)) for missing, controls in undecided.items())
    passed = tuple(outcome.control for outcome in outcomes if not isinstance(outcome, Failed | Undecided))
    return breaches, gaps, passed


def _breach(failed: Failed, rules: JobRules) -> Breach:
    control = BY_ID[failed.control]
    rule = rules.controls.get(failed.control)
    blocking = control.blocking if rule is None or rule.blocking is None else rule.blocking
    severity = control.severity if rule is None or rule.severity is None else rule.severity
    return Breach(failed.control, severity, blocking, failed.details)
