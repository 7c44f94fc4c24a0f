"""The ledger's rows: how decisions and alerts are written to DynamoDB and read back.

A decision is one row, written once. Its partition is the object's key, so that one query tells a file's whole story.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from tunegate.model import Category, Decision, Finding, ObjectVersion, Severity, Verdict

MOST_FINDINGS = 100
"""Findings a row carries; all of them are in the evidence bucket. Keeps a row far below DynamoDB's 400 KB."""


class Entity(StrEnum):
    """What a row is about; the partition of the index `recent`, sorted by `at`."""

    DECISION = "decision"
    ALERT = "alert"
    POLICY = "policy"
    SUBJECT = "subject"
    BREACH = "breach"
    GAP = "gap"
    ORIGIN = "origin"
    WAITING = "waiting"
    ANSWERED = "answered"


class Action(StrEnum):
    """What led to a decision."""

    SCAN = "scan"
    RELEASE = "release"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision as the ledger holds it. `at` is ISO 8601 in UTC; `evidence` the key of the full report.

    `upload` is the prefix of the model upload that a file was judged with. The upload has a row of its own, `whole`,
    whose key is the prefix; an object may have the same key.
    `readers` are the ARNs of jobs that read a version before it was revoked, the first few of them.
    """

    decision: Decision
    action: Action
    scan_id: str
    at: str
    order: str
    destination: ObjectVersion | None = None
    evidence: str = ""
    actor: str = ""
    upload: str = ""
    readers: tuple[str, ...] = ()
    whole: bool = False

    @property
    def key(self) -> dict[str, str]:
        return {"pk": partition(self.decision.subject.key), "sk": f"{self.action}#{self.scan_id}"}

    def to_item(self) -> dict[str, Any]:
        """The row as plain types that boto3's TypeSerializer takes."""
        decision = self.decision
        item: dict[str, Any] = self.key | {
            "entity": Entity.DECISION.value,
            "at": self.at,
            "action": self.action.value,
            "scan_id": self.scan_id,
            "bucket": decision.subject.bucket,
            "key": decision.subject.key,
            "version_id": decision.subject.version_id,
            "order": self.order,
            "verdict": decision.verdict.value,
            "policy_digest": decision.policy_digest,
            "reason": decision.reason,
            "findings": [finding_to_json(finding, Decimal) for finding in decision.findings[:MOST_FINDINGS]],
            "findings_total": len(decision.findings),
            "totals": dict(decision.totals),
            "evidence": self.evidence,
            "actor": self.actor,
            "upload": self.upload,
            "readers": list(self.readers),
            "whole": self.whole,
        }
        if self.destination is not None:
            item["destination"] = {"bucket": self.destination.bucket, "version_id": self.destination.version_id}
        return item

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "DecisionRow":
        subject = ObjectVersion(item["bucket"], item["key"], item["version_id"])
        destination = item.get("destination")
        return cls(
            Decision(
                subject,
                Verdict(item["verdict"]),
                item["policy_digest"],
                tuple(finding_from_json(finding) for finding in item["findings"]),
                item["reason"],
                {kind: int(count) for kind, count in item["totals"].items()},
            ),
            Action(item["action"]),
            item["scan_id"],
            item["at"],
            item["order"],
            ObjectVersion(destination["bucket"], item["key"], destination["version_id"]) if destination else None,
            item["evidence"],
            item["actor"],
            item.get("upload", ""),
            tuple(item.get("readers", ())),
            item.get("whole", False),
        )


def partition(key: str) -> str:
    return f"object#{key}"


def finding_to_json(finding: Finding, number: type = float) -> dict[str, Any]:
    """A finding as plain types; `number` is what scores become, as DynamoDB takes Decimal and JSON takes float."""
    return {
        "category": finding.category.value,
        "type": finding.type,
        "severity": finding.severity.value,
        "flags": finding.flags,
        "line": finding.line,
        "pointer": finding.pointer,
        "count": finding.count,
        "score": number(str(finding.score)),
        "detectors": list(finding.detectors),
        "offsets": [list(span) for span in finding.offsets],
        "file": finding.file,
        "detail": finding.detail,
    }


def finding_from_json(document: Mapping[str, Any]) -> Finding:
    return Finding(
        Category(document["category"]),
        document["type"],
        Severity(document["severity"]),
        bool(document["flags"]),
        int(document["line"]),
        document["pointer"],
        int(document["count"]),
        float(document["score"]),
        tuple(document["detectors"]),
        tuple((int(begin), int(end)) for begin, end in document["offsets"]),
        document.get("file", ""),
        document.get("detail", ""),
    )
