"""The table as a whole: each control has its cases, its words, and its place."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tunegate.job_facts import JobFacts, State
from tunegate.job_rules import ControlRule, JobRules
from tunegate.judge.controls.control import Control
from tunegate.judge.controls.table import BY_ID, CONTROLS, ESTATE_CONTROLS, JOB_CONTROLS
from tunegate.judge.jobs import controls_of, judge_job
from tunegate.model import Severity
from tunegate.subject import Approval, Kind
from unit import (
    test_controls_encryption,
    test_controls_estate,
    test_controls_guarantees,
    test_controls_identity,
    test_controls_lineage,
    test_controls_models,
    test_controls_network,
)
from unit.estate_world import EstateBreak
from unit.job_world import KINDS, Break, compliant, described

CASES: tuple[Break | EstateBreak, ...] = (
    *test_controls_encryption.BREAKS,
    *test_controls_identity.BREAKS,
    *test_controls_network.BREAKS,
    *test_controls_lineage.BREAKS,
    *test_controls_models.BREAKS,
    *test_controls_estate.BREAKS,
    *test_controls_guarantees.BREAKS,
)
REQUIREMENTS = (Path(__file__).parents[2] / "docs" / "requirements.md").read_text()
# Rules that no public pack and no page of AWS has: they are this gate's own.
OURS = {
    "encryption.key_allowed", "encryption.input_object_key", "encryption.output_object_key",
    "identity.not_shared", "identity.buckets_in_reach", "identity.keys_in_reach", "identity.network_in_reach",
    "identity.boundary", "network.subnets_allowed", "network.security_groups_allowed", "network.subnets_exist",
    "estate.deployed", "estate.subnets", "estate.dns_support", "estate.rules_enabled", "estate.bucket_guarantees",
    "estate.bucket_lifecycle", "estate.gate_roles", "estate.alerts_reach_somebody", "estate.mappings_enabled",
    "estate.ledger_closed",
}  # fmt: skip


def test_every_control_has_a_case_that_breaks_it_alone() -> None:
    assert {case.control for case in CASES} == set(BY_ID)


def test_every_control_that_a_public_rule_pack_knows_has_its_case() -> None:
    sourced = {case.control for case in CASES if re.match(r"(config|prowler|checkov|trendmicro|docs):", case.like)}
    own = {name for name in BY_ID if name.startswith(("lineage.", "model."))} | OURS
    assert set(BY_ID) - own == sourced


@pytest.mark.parametrize("kind", KINDS)
def test_a_compliant_subject_of_each_kind_passes_all_that_applies_to_it(kind: Kind) -> None:
    conclusion = judge_job(compliant(kind))
    assert (conclusion.approval, conclusion.breaches, conclusion.gaps) == (Approval.APPROVED, (), ())
    assert list(conclusion.passed) == [control.id for control in controls_of(kind)]


@pytest.mark.parametrize("state", [State.RUNNING, State.ENDED])
def test_what_is_not_done_is_admitted_and_not_approved(state: State) -> None:
    assert judge_job(compliant(Kind.CUSTOMIZATION_JOB, state)).approval is Approval.ADMITTED


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_subject_goes_unjudged(kind: Kind) -> None:
    assert list(controls_of(kind))


def test_ids_are_unique_and_named_by_their_subject() -> None:
    assert len(BY_ID) == len(CONTROLS)
    assert {name.partition(".")[0] for name in BY_ID} == {
        "encryption", "identity", "network", "lineage", "model", "estate"
    }  # fmt: skip


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_each_control_says_what_it_is_and_what_to_do(control: Control[JobFacts]) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z0-9_]+", control.id)
    assert not control.title.endswith(".")
    assert control.remedy.endswith((".", ".)"))
    assert control.requirement
    for requirement in control.requirement:
        assert f"| {requirement} |" in REQUIREMENTS


def test_the_estate_blocks_nothing_and_everything_else_does() -> None:
    assert not any(control.blocking for control in ESTATE_CONTROLS)
    assert all(control.blocking for control in JOB_CONTROLS)


def test_the_policy_may_have_a_control_report_only_and_weigh_it_anew() -> None:
    rule = ControlRule(blocking=False, severity=Severity.LOW)
    facts = described(vpc=None)(compliant(Kind.CUSTOMIZATION_JOB))
    facts = replace(facts, rules=JobRules(controls={"network.job_in_vpc": rule}))
    conclusion = judge_job(facts)
    assert conclusion.approval is Approval.APPROVED
    assert [(b.control, b.severity, b.blocking) for b in conclusion.breaches] == [
        ("network.job_in_vpc", Severity.LOW, False)
    ]
