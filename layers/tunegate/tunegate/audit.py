"""The watch's one use case: are the protections that were deployed still there?"""

from dataclasses import asdict, replace
from typing import Any

from tunegate.act.subjects import begin_look, put_evidence, record_findings, record_subject
from tunegate.estate_facts import Deployed
from tunegate.job_facts import Description, State
from tunegate.judge.controls.table import ESTATE_CONTROLS
from tunegate.judge.jobs import Conclusion, judge_estate
from tunegate.observe.estate import estate_facts
from tunegate.subject import ESTATE
from tunegate.subject_rows import SubjectRow, row_of
from tunegate.verify import Gate


def audit(gate: Gate, deployed: Deployed) -> list[dict[str, Any]]:
    """Look at the estate, write down what is broken or unknown, and return every control's state.

    Each is `{"control", "title", "severity", "state": "pass" | "fail" | "unknown", "details"}`.
    """
    observed_at = begin_look(gate.ledger, ESTATE.arn)
    facts = estate_facts(gate.sources.client, deployed, gate.policy.jobs, gate.expected)
    conclusion = judge_estate(facts)
    described = Description(ESTATE, "estate", State.DONE, created_at="")
    row = row_of(described, conclusion, observed_at, gate.policy.jobs.mode, gate.policy.digest)
    states = _states(conclusion)
    row = _with_evidence(gate, row, states)
    if record_subject(gate.ledger, row):
        record_findings(gate.ledger, row, conclusion)
    return states


def _with_evidence(gate: Gate, row: SubjectRow, states: list[dict[str, Any]]) -> SubjectRow:
    document = asdict(row) | {"controls": states}
    return replace(row, evidence=put_evidence(gate.sources.client("s3"), gate.sources.evidence, row, document))


def _states(conclusion: Conclusion) -> list[dict[str, Any]]:
    broken = {breach.control: breach for breach in conclusion.breaches}
    unknown = {control: gap.missing for gap in conclusion.gaps for control in gap.controls}
    states = []
    for control in ESTATE_CONTROLS:
        state, details = "pass", []
        severity = control.severity
        if control.id in broken:
            state, details, severity = "fail", list(broken[control.id].details), broken[control.id].severity
        elif control.id in unknown:
            missing = unknown[control.id]
            state, details = "unknown", [f"{missing.action} on {missing.resource} answered {missing.error}"]
        states.append(
            {
                "control": control.id,
                "title": control.title,
                "severity": severity.value,
                "state": state,
                "details": details,
            }
        )
    return states
