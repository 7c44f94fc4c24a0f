"""The ledger's rows about jobs, models and the estate.

All rows of a subject share a partition: one `subject` row with what holds of it now, one `breach#<control>` row for
each broken control, one `gap#…` row for each missing permission, and an `origin` row that says who made a model.
A breach or a gap that is over is marked `resolved_at`; should it come again, it is opened anew and told anew.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunegate.job_facts import Description, State
from tunegate.job_rules import Mode
from tunegate.judge.jobs import Breach, Conclusion, Gap
from tunegate.rows import Entity
from tunegate.subject import Approval, Kind, Subject

SUBJECT_ROW = "subject"
ORIGIN_ROW = "origin"
_MOST_DETAILS = 20
_DETAIL_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """What holds of a subject. `observed_at` orders rows: what was observed later holds; `at` is when it came to hold.

    `done` says in words what the gate did; `marked` is the verdict tag it decided on; `evidence` and `manifest` are
    keys in the evidence bucket.
    """

    subject: Subject
    name: str
    approval: Approval
    conclusion: str
    at: str
    observed_at: str
    mode: Mode
    policy_digest: str
    state: State = State.DONE
    status: str = ""
    done: str = ""
    marked: str = ""
    makes: str = ""
    key_arn: str = ""
    role_arn: str = ""
    breaches: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    evidence: str = ""
    manifest: str = ""
    created_at: str = ""

    @property
    def is_final(self) -> bool:
        """Whether looking again can only find what changed since: it has ended, and nothing about it is unknown."""
        known = self.approval is not Approval.HELD and not self.gaps
        return known and self.state is not State.RUNNING

    def to_item(self) -> dict[str, Any]:
        """The row as plain types that boto3's TypeSerializer takes."""
        return subject_key(self.subject.arn) | {
            "entity": Entity.SUBJECT.value,
            "kind": self.subject.kind.value,
            "arn": self.subject.arn,
            "name": self.name,
            "approval": self.approval.value,
            "conclusion": self.conclusion,
            "at": self.at,
            "observed_at": self.observed_at,
            "mode": self.mode.value,
            "policy_digest": self.policy_digest,
            "state": self.state.value,
            "status": self.status,
            "done": self.done,
            "marked": self.marked,
            "makes": self.makes,
            "key_arn": self.key_arn,
            "role_arn": self.role_arn,
            "breaches": list(self.breaches),
            "gaps": list(self.gaps),
            "evidence": self.evidence,
            "manifest": self.manifest,
            "created_at": self.created_at,
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "SubjectRow":
        return cls(
            Subject(Kind(item["kind"]), item["arn"]),
            item["name"],
            Approval(item["approval"]),
            item["conclusion"],
            item["at"],
            item["observed_at"],
            Mode(item["mode"]),
            item["policy_digest"],
            State(item["state"]),
            item["status"],
            item["done"],
            item["marked"],
            item["makes"],
            item["key_arn"],
            item["role_arn"],
            tuple(item["breaches"]),
            tuple(item["gaps"]),
            item["evidence"],
            item["manifest"],
            item["created_at"],
        )


def subject_partition(arn: str) -> str:
    return f"subject#{arn}"


def subject_key(arn: str) -> dict[str, str]:
    return {"pk": subject_partition(arn), "sk": SUBJECT_ROW}


def origin_key(arn: str) -> dict[str, str]:
    return {"pk": subject_partition(arn), "sk": ORIGIN_ROW}


def subject_digest(arn: str) -> str:
    """Hex SHA-256 that names a subject in keys and alert ids."""
    return hashlib.sha256(arn.encode()).hexdigest()


def breach_item(row: SubjectRow, breach: Breach) -> dict[str, Any]:
    """The row of a broken control, opened at the time its subject's row was observed."""
    return _open(row, f"breach#{breach.control}", Entity.BREACH) | {
        "control": breach.control,
        "severity": breach.severity.value,
        "blocking": breach.blocking,
        "details": [detail[:_DETAIL_CHARACTERS] for detail in breach.details[:_MOST_DETAILS]],
        "details_total": len(breach.details),
    }


def gap_item(row: SubjectRow, gap: Gap) -> dict[str, Any]:
    """The row of a missing permission."""
    # Short enough for a sort key, and another row for another resource.
    place = hashlib.sha256(gap.missing.resource.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return _open(row, f"gap#{gap.missing.action}#{place}", Entity.GAP) | {
        "action": gap.missing.action,
        "resource": gap.missing.resource,
        "error": gap.missing.error,
        "controls": list(gap.controls),
    }


def _open(row: SubjectRow, sort_key: str, entity: Entity) -> dict[str, Any]:
    return {
        "pk": subject_partition(row.subject.arn),
        "sk": sort_key,
        "entity": entity.value,
        "at": row.observed_at,
        "kind": row.subject.kind.value,
        "arn": row.subject.arn,
        "name": row.name,
        "approval": row.approval.value,
        "mode": row.mode.value,
        "done": row.done,
    }


def row_of(
    described: Description, conclusion: Conclusion, observed_at: str, mode: Mode, policy_digest: str
) -> SubjectRow:
    """The row of a fresh conclusion, before anything is done about it."""
    return SubjectRow(
        conclusion.subject,
        described.name,
        conclusion.approval,
        conclusion.digest,
        observed_at,
        observed_at,
        mode,
        policy_digest,
        state=described.state,
        status=described.status,
        makes=described.makes,
        key_arn=described.key_arn,
        role_arn=described.role_arn,
        breaches=tuple(breach.control for breach in conclusion.breaches),
        gaps=tuple(gap.missing.action for gap in conclusion.gaps),
        created_at=described.created_at,
    )
