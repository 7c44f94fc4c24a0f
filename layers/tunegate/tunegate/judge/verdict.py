"""The judgement of a training file: facts and a scan report under a policy give findings and one verdict."""

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

from tunegate.facts import Content, Encryption, ObjectFacts
from tunegate.model import Category, Decision, Detection, Finding, ObjectVersion, Place, Verdict
from tunegate.scan.report import Entry, ShardReport, Subject

if TYPE_CHECKING:
    from tunegate.policy import Policy

_UNREADABLE = {
    Content.UNREADABLE: "it is neither JSON lines nor UTF-8 text, and nothing here can read it",
    Content.MODEL: "it is a file of a model upload, which is judged as a whole",
}


def judge_text(
    subject: ObjectVersion,
    facts: ObjectFacts,
    report: ShardReport,
    policy: "Policy",
    expected_key: str | None,
    told: Iterable[Detection] = (),
) -> Decision:
    """The decision on one file. `expected_key` None leaves encryption out, as in the pre-flight: there is none yet.

    `told` is what services found that look at files in their own way: of malware, even in what is no text.
    """
    found = [detection for detection in told if policy.keeps(detection)]
    unreadable = _UNREADABLE.get(facts.content)
    if unreadable and not any(policy.rule(one.category, one.type).flags for one in found):
        return held(subject, unreadable, policy.digest)
    judged = ShardReport(report.lines, report.records, report.shapes, dict(report.entries), dict(report.totals))
    of_form = () if unreadable else _form(report)
    return _judged(subject, judged, chain(of_form, encryption_faults(facts.encryption, expected_key), found), policy)


def judge_told(subject: ObjectVersion, told: Iterable[Detection], policy: "Policy") -> Decision:
    """The decision by what a service found alone, as in a file that was approved before."""
    return _judged(subject, ShardReport(), (one for one in told if policy.keeps(one)), policy)


def _judged(subject: ObjectVersion, judged: ShardReport, more: Iterable[Detection], policy: "Policy") -> Decision:
    for detection in more:
        judged.add(detection)
    findings = tuple(sorted(findings_of(judged, policy), key=_most_severe_first))
    verdict = Verdict.FLAGGED if _flags(judged, policy) else Verdict.CLEAN
    totals = {f"{category}/{kind}": count for (category, kind), count in judged.totals.items()}
    return Decision(subject, verdict, policy.digest, findings, _reason(findings), totals)


def held(subject: ObjectVersion, reason: str, policy_digest: str = "") -> Decision:
    """The decision when it could not be told."""
    return Decision(subject, Verdict.HELD, policy_digest, reason=reason)


def findings_of(report: ShardReport, policy: "Policy") -> Iterable[Finding]:
    return (_finding(subject, entry, policy) for subject, entry in report.entries.items())


def _finding(subject: Subject, entry: Entry, policy: "Policy") -> Finding:
    rule = policy.rule(subject.category, subject.type)
    return Finding(
        subject.category,
        subject.type,
        rule.severity,
        rule.flags,
        subject.line,
        subject.pointer,
        entry.count,
        round(entry.score, 3),
        tuple(sorted(entry.detectors)),
        tuple(entry.offsets),
    )


def _flags(report: ShardReport, policy: "Policy") -> bool:
    # By the totals, not by the listed places: a report may list fewer than it counts.
    return any(policy.rule(category, kind).flags for category, kind in report.totals)


def _form(report: ShardReport) -> Iterable[Detection]:
    if report.records == 0 and not report.totals:
        yield Detection(Category.FORMAT, "no_records", Place(), detector="form")


def encryption_faults(encryption: Encryption | None, expected_key: str | None) -> Iterable[Detection]:
    if expected_key is None:
        return
    if encryption is None or encryption.algorithm not in ("aws:kms", "aws:kms:dsse"):
        yield Detection(Category.ENCRYPTION, "not_customer_managed_key", Place(), detector="s3")
    elif encryption.key != expected_key:
        yield Detection(Category.ENCRYPTION, "unexpected_key", Place(), detector="s3")


def _most_severe_first(finding: Finding) -> tuple[bool, int, int, str, str]:
    return (not finding.flags, -finding.severity.rank, finding.line, finding.pointer, finding.type)


def _reason(findings: tuple[Finding, ...]) -> str:
    """What flags the file, most severe first: `pii/SSN (3), secret/private_key (1)`."""
    counts: dict[str, int] = {}
    for finding in findings:
        if finding.flags:
            name = f"{finding.category}/{finding.type}"
            counts[name] = counts.get(name, 0) + finding.count
    return ", ".join(f"{name} ({count})" for name, count in counts.items())
