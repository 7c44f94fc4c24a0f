"""Alerts: what a person is told of a decision. Written from the ledger's row alone, which holds no raw text."""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tunegate.model import GONE, Category, Finding, Severity, Verdict
from tunegate.report.alert import Alert, text_of
from tunegate.report.job_alerts import job_alert
from tunegate.rows import Action, DecisionRow, Entity
from tunegate.shown import spelled_out

_MOST_LISTED = 5

_WHY = {
    Category.PII: "A model trained on personal data can repeat it to anybody who may call the model.",
    Category.SECRET: "A secret in training data is in every copy of the model: whoever holds it can use it.",
    Category.PROMPT_ATTACK: "Training on attack prompts teaches the model to obey them.",
    Category.TOXICITY: "Training on toxic text makes the model produce it.",
    Category.MALWARE: "Whoever opens the data may run what is hidden in it.",
    Category.UNSAFE_MODEL: "Loading this model can run code that somebody put in it.",
    Category.ENCRYPTION: "Data outside your own key is outside your control: you cannot take access to it away.",
    Category.FORMAT: "Bedrock may refuse the file, or train on something other than what was scanned.",
}


def alert_of(item: Mapping[str, Any]) -> Alert | None:
    """The alert a ledger row calls for, or None where nobody needs to act."""
    if item.get("entity") == Entity.POLICY:
        return _policy(item)
    if item.get("entity") in {Entity.BREACH, Entity.GAP}:
        return job_alert(item)
    if item.get("entity") != Entity.DECISION:
        return None
    row = DecisionRow.from_item(item)
    if row.action is Action.REVOKE:
        return _revoked(row)
    if row.upload:
        # A file of a model: the upload's own row tells of all of them.
        return None
    if row.action is Action.RELEASE:
        return _released(row)
    return {Verdict.FLAGGED: _flagged, Verdict.HELD: _held}.get(row.decision.verdict, lambda _: None)(row)


def _flagged(row: DecisionRow) -> Alert:
    worst = _worst(row)
    quarantine = row.destination.bucket if row.destination else "quarantine"
    if row.whole:
        steps = [
            "Look at which file holds what: " + _command("findings", row),
            "Ask the uploader for a mended model, and upload all of its files again under the same prefix.",
        ]
        where = f"All its files were moved to quarantine, below {row.decision.subject.key}. Bedrock cannot read them."
        return _of_decision(row, f"Model quarantined: {row.decision.subject.key}", worst, where, steps)
    steps = [
        "Look at where the findings are: " + _command("findings", row),
        "Ask the uploader for a cleaned file, and upload that under the same key.",
        "If you have reviewed the file and it may be used: " + _command("release", row) + " --reason '...'",
    ]
    where = f"It was moved to quarantine: s3://{quarantine}/{row.decision.subject.key}. Bedrock cannot read it."
    return _of_decision(row, f"Training file quarantined: {row.decision.subject.key}", worst, where, steps)


def _revoked(row: DecisionRow) -> Alert:
    steps = [
        "Look at where the findings are: " + _command("findings", row),
        *(f"See what became of the job that read it: tunegate jobs {shlex.quote(arn)}" for arn in row.readers),
        "Ask the uploader for a cleaned file, and upload that under the same key.",
        "If you have reviewed the file and it may be used: " + _command("release", row) + " --reason '...'",
    ]
    read = "; ".join(row.readers) or "no job that the gate has seen"
    where = f"It had been approved, and read by: {read}. Bedrock can read it no more; a copy is kept in quarantine."
    return _of_decision(row, f"Approved training file revoked: {row.decision.subject.key}", _worst(row), where, steps)


def _worst(row: DecisionRow) -> Finding:
    return max((one for one in row.decision.findings if one.flags), key=lambda finding: finding.severity.rank)


def _released(row: DecisionRow) -> Alert:
    """Somebody overruled a scan: on-call hears of it, for whoever holds the right to may also misuse it."""
    steps = [
        "If you know of it, nothing.",
        "If nobody asked for it: find in CloudTrail who invoked the release function, and take that right away.",
        "Find the jobs that have read it: tunegate jobs",
    ]
    where = f"Its copy is in {row.destination.bucket if row.destination else 'approved'}, where Bedrock can read it."
    what = f"{row.actor} released a quarantined file: {row.decision.reason}"
    why = "A file in which something was found can now be trained on."
    title = f"Training file released: {row.decision.subject.key}"
    released = _of_decision(row, title, None, where, steps, what=what, why=why)
    scan_id, release, which = row.scan_id.partition("-release-")
    return replace(
        released,
        # The same for every row of one release, of which a copy that is made again has one of its own.
        alert_id=f"{scan_id}{release}{which.partition('-')[0]}",
        severity=Severity.MEDIUM,
        category="release",
        verdict="released",
    )


def _held(row: DecisionRow) -> Alert:
    if row.whole:
        steps = [
            "Look at what is known: " + _command("status", row),
            "Mend the cause, then upload any file of it again, or all of them where some could not be moved.",
        ]
        where = f"Its files stay in intake (s3://{row.decision.subject.bucket}), where Bedrock cannot read them."
        return _of_decision(row, f"Model held, not scanned: {row.decision.subject.key}", None, where, steps)
    if row.decision.reason == GONE:
        return _gone(row)
    steps = [
        "Look at what is known: " + _command("status", row),
        "Mend the cause, then scan again: " + _command("rescan", row),
    ]
    where = (
        f"It stays in intake (s3://{row.decision.subject.bucket}), where Bedrock cannot read it, until it is scanned."
    )
    return _of_decision(row, f"Training file held, not scanned: {row.decision.subject.key}", None, where, steps)


def _gone(row: DecisionRow) -> Alert:
    steps = [
        "Look at what is known: " + _command("status", row),
        "Find out who deleted it: nobody but the gate and the break-glass role may, so ask who took on that role.",
        "If the file is wanted, ask the uploader to upload it again under the same key.",
    ]
    where = f"It was in intake (s3://{row.decision.subject.bucket}), and is in no bucket of the gate any more."
    return _of_decision(row, f"Training file gone, not scanned: {row.decision.subject.key}", None, where, steps)


def _of_decision(
    row: DecisionRow, title: str, worst: Finding | None, where: str, steps: list[str], what: str = "", why: str = ""
) -> Alert:
    decision = row.decision
    severity = worst.severity if worst else Severity.HIGH
    category = worst.category.value if worst else "held"
    unknown = "Unknown is not clean: what could not be scanned is not trained on."
    title = spelled_out(title)
    facts = {
        "What": what or _summary(row),
        "Where": f"{where} (upload version {decision.subject.version_id})",
        "Why it matters": why or (_WHY[worst.category] if worst else unknown),
    }
    text = text_of(title, facts, steps)
    details = {
        "reason": decision.reason,
        "totals": dict(decision.totals),
        "policy_digest": decision.policy_digest,
        "destination": row.destination.bucket if row.destination else "",
        "next_steps": steps,
    }
    subject = decision.subject
    return Alert(
        row.scan_id, row.at, title, text, severity, category, decision.verdict.value,
        subject.bucket, subject.key, subject.version_id, details,
    )  # fmt: skip


def _summary(row: DecisionRow) -> str:
    if row.decision.verdict is Verdict.HELD:
        return f"The scan could not tell: {row.decision.reason}"
    reasons = row.decision.reason.split(", ")
    more = f" and {len(reasons) - _MOST_LISTED} more kinds" if len(reasons) > _MOST_LISTED else ""
    lines = sorted({finding.line for finding in row.decision.findings if finding.flags and finding.line})
    at = f"; first at line {lines[0]}" if lines else ""
    details = [f"{one.file or 'the upload'}: {one.detail}" for one in row.decision.findings if one.flags and one.detail]
    at += f"; {'; '.join(details[:_MOST_LISTED])}" if details else ""
    return f"Found {', '.join(reasons[:_MOST_LISTED])}{more}{at}."


def _command(verb: str, row: DecisionRow) -> str:
    return f"tunegate {verb} {shlex.quote(row.decision.subject.key)}"


def _policy(item: Mapping[str, Any]) -> Alert:
    """A refusal, or that another policy is in force: whoever may propose one can also have nothing flagged any more."""
    if item["verdict"] == "refused":
        title = "Policy document refused: the last good one stays in force"
        what, why = item["reason"], "the change you meant is not in force."
        steps = [
            "Mend the named fields, check with: tunegate policy check FILE",
            "Propose it again: tunegate policy put FILE",
        ]
    else:
        title = "Policy put in force"
        what = f"Verdicts are given by the policy {item['reason']} from now on."
        why = "a weaker policy lets through what another would have flagged."
        steps = [
            "If you know of it, nothing.",
            "Look at it: tunegate policy show",
            f"If nobody told you of it: find in CloudTrail who put version {item['version_id']} of s3://{item['bucket']}/"
            f"{item['key']}, take that right away, and put the earlier policy in force again: tunegate policy put FILE",
        ]
    text = text_of(title, {"What": what, "Why it matters": why}, steps)
    return Alert(
        item["pk"], item["at"], title, text, Severity.MEDIUM, "policy", item["verdict"],
        item["bucket"], item["key"], item["version_id"], {"reason": item["reason"], "next_steps": steps},
    )  # fmt: skip
