"""`jobs`: what the ledger holds of jobs and models, told to people and to programs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tunegate.act.ledger import Ledger, write_once
from tunegate.act.subjects import put_manifest, record_findings, record_subject
from tunegate.job_facts import Unknown
from tunegate.job_rules import Mode
from tunegate.judge.jobs import Breach, Conclusion, Gap
from tunegate.model import Severity, Verdict
from tunegate.subject import ESTATE, Approval, Kind
from tunegate.subject_rows import SubjectRow, row_of
from unit.cli_world import OUTPUTS, World, refused, world
from unit.job_world import KINDS, compliant
from unit.policy_world import ARNS, MODEL_KEY

JOB = ARNS[Kind.CUSTOMIZATION_JOB]
AT = "2026-11-22T10:00:00.000Z"
BREACHES = (
    Breach("network.job_in_vpc", Severity.CRITICAL, True, ("the job names no VPC",)),
    Breach("identity.boundary", Severity.MEDIUM, False, tuple(f"way {i}" for i in range(30))),
)
GAPS = (Gap(Unknown("kms:GetKeyPolicy", MODEL_KEY, "AccessDenied"), ("encryption.key_policy_closed",)),)


@dataclass
class FakeSqs:
    sent: list[tuple[str, str]] = field(default_factory=list)

    def send_message(self, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> None:
        self.sent.append((QueueUrl, MessageBody))


@pytest.fixture
def account() -> Iterator[World]:
    with world() as made:
        made.fakes["sqs"] = FakeSqs()
        yield made


def seen(account: World, kind: Kind, at: str = AT, **changes: Any) -> SubjectRow:
    """Write what the gate found of a compliant subject."""
    described = compliant(kind).described
    conclusion = Conclusion(described.subject, Approval.APPROVED)
    row = replace(row_of(described, conclusion, at, Mode.ENFORCE, "d" * 64), **changes)
    assert record_subject(Ledger(account.dynamodb, "ledger"), row)
    return row


def rejected(account: World) -> SubjectRow:
    facts = compliant(Kind.CUSTOMIZATION_JOB)
    conclusion = Conclusion(facts.described.subject, Approval.REJECTED, BREACHES, GAPS)
    row = row_of(facts.described, conclusion, AT, Mode.ENFORCE, "d" * 64)
    assert isinstance(facts.manifest, tuple)
    manifest = put_manifest(account.s3, "evidence", JOB, facts.manifest)
    row = replace(row, done="stopped the job", manifest=manifest, status="Stopped")
    ledger = Ledger(account.dynamodb, "ledger")
    assert record_subject(ledger, row)
    record_findings(ledger, row, conclusion)
    return row


def listed(account: World) -> list[dict[str, Any]]:
    result = account.run("jobs", "--json")
    assert result.exit_code == 0, result.output
    subjects: list[dict[str, Any]] = json.loads(result.stdout)["subjects"]
    return subjects


def test_what_the_gate_saw_is_listed_newest_first_and_the_estate_is_not(account: World) -> None:
    for hour, kind in enumerate(KINDS):
        seen(account, kind, f"2026-11-22T{hour:02}:00:00.000Z")
    seen(account, Kind.CUSTOMIZATION_JOB, "2026-11-22T23:00:00.000Z", subject=ESTATE)
    assert [subject["kind"] for subject in listed(account)] == [kind.value for kind in reversed(KINDS)]


def test_the_table_says_what_each_is_and_why(account: World) -> None:
    rejected(account)
    result = account.run("jobs")
    line = next(line for line in result.stdout.splitlines() if JOB in line)
    for part in ("2026-11-22 10:00:00", "support-tone", "rejected", "network.job_in_vpc"):
        assert part in line
    assert "\x1b" not in result.stdout


def test_nothing_seen_yet_says_how_to_begin(account: World) -> None:
    assert "tunegate train" in account.run("jobs").stdout
    assert listed(account) == []


def test_one_subject_is_told_with_its_breaches_gaps_manifest_and_what_was_done(account: World) -> None:
    rejected(account)
    result = account.run("jobs", JOB)
    assert result.exit_code == 0, result.output
    for part in (
        "support-tone: rejected", JOB, "Stopped", "stopped the job", "network.job_in_vpc", "the job names no VPC",
        "kms:GetKeyPolicy", "AccessDenied", "encryption.key_policy_closed", "and 10 more",
        "s3://tunegate-approved/team-a/train.jsonl", "v-train",
    ):  # fmt: skip
        assert part in result.stdout
    assert "tunegate explain" in result.stderr


def test_programs_get_the_same(account: World) -> None:
    rejected(account)
    document = json.loads(account.run("jobs", JOB, "--json").stdout)
    assert set(document) == {"subject", "breaches", "gaps", "manifest"}
    assert document["subject"]["approval"] == "rejected"
    assert document["subject"]["breaches"] == ["network.job_in_vpc", "identity.boundary"]
    assert [breach["control"] for breach in document["breaches"]] == ["identity.boundary", "network.job_in_vpc"]
    assert document["breaches"][0]["details_total"] == 30
    assert document["gaps"][0]["action"] == "kms:GetKeyPolicy"
    assert document["manifest"][0]["key"] == "team-a/train.jsonl"
    assert "pk" not in document["subject"]


def test_what_is_mended_is_told_no_more(account: World) -> None:
    row = replace(rejected(account), observed_at="2026-11-22T11:00:00.000Z", approval=Approval.APPROVED)
    ledger = Ledger(account.dynamodb, "ledger")
    record_subject(ledger, row)
    record_findings(ledger, row, Conclusion(row.subject, Approval.APPROVED))
    document = json.loads(account.run("jobs", JOB, "--json").stdout)
    assert (document["breaches"], document["gaps"]) == ([], [])


def test_a_manifest_that_cannot_be_read_is_said_and_the_rest_is_told(account: World) -> None:
    rejected(account)

    def refuse(**_: Any) -> None:
        raise refused("GetObject", "AccessDenied")

    account.s3.meta.events.register("before-call.s3.GetObject", refuse)
    result = account.run("jobs", JOB)
    assert result.exit_code == 0
    assert "network.job_in_vpc" in result.stdout
    assert "GetObject answered AccessDenied" in result.stderr


def test_a_subject_without_inputs_has_no_manifest(account: World) -> None:
    seen(account, Kind.DEPLOYMENT)
    assert json.loads(account.run("jobs", ARNS[Kind.DEPLOYMENT], "--json").stdout)["manifest"] is None


def test_a_subject_never_seen_is_one_line_that_says_what_to_do(account: World) -> None:
    result = account.run("jobs", JOB)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert f"tunegate jobs {JOB} --verify" in result.stderr


@pytest.mark.parametrize("arguments", [("not-an-arn",), ("arn:aws:s3:::bucket",), ("not-an-arn", "--verify")])
def test_what_is_no_subject_is_one_line(account: World, arguments: tuple[str, ...]) -> None:
    result = account.run("jobs", *arguments)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert account.fakes["sqs"].sent == []


def test_verify_puts_the_subject_on_the_jobs_queue(account: World) -> None:
    result = account.run("jobs", JOB, "--verify")
    assert result.exit_code == 0
    ((queue, body),) = account.fakes["sqs"].sent
    assert (queue, json.loads(body)) == (OUTPUTS["JobsQueueUrl"], {"subject": JOB})
    assert f"tunegate jobs {JOB}" in result.stdout
    assert json.loads(account.run("jobs", JOB, "--verify", "--json").stdout) == {"subject": JOB, "asked": True}


def test_verify_of_everything_is_not_asked_for(account: World) -> None:
    result = account.run("jobs", "--verify")
    assert (result.exit_code, account.fakes["sqs"].sent) == (2, [])
    assert "--verify" in result.stderr


def test_a_name_cannot_command_the_terminal(account: World) -> None:
    seen(account, Kind.CUSTOM_MODEL, name="a\x1b[31mb[red]")
    assert "a\\x1b[31mb[red]" in account.run("jobs").stdout


def test_files_and_alerts_are_told_as_before_beside_the_new_rows(account: World) -> None:
    rejected(account)
    account.decide(account.put("a.jsonl"), Verdict.HELD)
    write_once(
        account.dynamodb, "ledger",
        {"pk": "alert#1", "sk": "alert", "entity": "alert", "at": AT, "severity": "critical", "category": "network",
         "verdict": "rejected", "bucket": "", "key": "support-tone", "version_id": "", "title": "breaks it"},
    )  # fmt: skip
    assert [state["key"] for state in json.loads(account.run("status", "--json").stdout)["objects"]] == ["a.jsonl"]
    assert [alert["title"] for alert in json.loads(account.run("alerts", "--json").stdout)["alerts"]] == ["breaks it"]
    assert "support-tone" in account.run("alerts").stdout
    assert account.run("findings", "a.jsonl").exit_code == 0
