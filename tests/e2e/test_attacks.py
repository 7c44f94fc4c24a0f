"""A fixed part of the attacks, as those who are most likely to try; `make attacks` tries all of them as everybody."""

from collections.abc import Iterator

import pytest

from attacks.attack import DETECTED, NEITHER, PREVENTED, carry_out
from attacks.attacker import Attacker
from attacks.ground import Ground
from attacks.principals import attackers
from attacks.table import ATTACKS
from contract.templates import properties
from e2e.conftest import Deployment
from e2e.job_world import JobWorld

BY_NAME = {attack.name: attack for attack in ATTACKS}
EVERYBODY = (
    "read unscanned data",
    "carry data out of the gate's buckets",
    "forge the verdict tag on upload",
    "delete a quarantined version",
    "delete it past its retention",
    "raise a false alert",
    "forge an event",
    "replace the policy in force",
    "forge the findings behind a verdict",
)
"""Refused to everybody whose duty it is not, function roles included."""
SOME = {
    "uploader": (
        "write to approved",
        "forge the verdict tag by tagging",
        "forge the verdict tag by copy",
        "swap the object while it is scanned",
        "delete an upload before its verdict",
        "write down that a file is clean",
        "note an alert as sent",
    ),
    "operator": ("propose a weaker policy", "release a quarantined file", "start a scan with a forged verdict"),
    "launcher": ("launch a job on what is not clean", "train on what lies in intake"),
    "invoker": ("invoke a rejected model", "invoke a model that was not judged"),
    "data scientist with bedrock:*": ("train on what lies in intake", "run a job without the network"),
    "customization role": ("write to approved", "read what is in quarantine"),
    "function settle-object": ("forge the verdict tag on put", "note an alert as sent"),
    "function send-alert": ("write down that a file is clean",),
    "function gather-models": ("settle another file with a clean model",),
    "administrator": ("write to approved", "read secrets in logs and records"),
}


@pytest.fixture(scope="module")
def ground(deployment: Deployment) -> Iterator[Ground]:
    world = JobWorld(deployment)
    world.stage_seconds(0.3)
    ground = Ground(world)
    world.data = ground.clean.key
    yield ground
    world.deliver_events()


@pytest.fixture(scope="module")
def everybody(ground: Ground) -> dict[str, Attacker]:
    return {attacker.name: attacker for attacker in attackers(ground.world)}


@pytest.mark.parametrize("name", EVERYBODY)
def test_nobody_gets_away_with_it(ground: Ground, everybody: dict[str, Attacker], name: str) -> None:
    ended = {who: carry_out(BY_NAME[name], attacker, ground) for who, attacker in everybody.items()}
    outcomes = {who: outcome for who, outcome in ended.items() if outcome is not None}
    assert {who for who, outcome in outcomes.items() if outcome.outcome == NEITHER} == set()
    assert all(outcome.outcome == PREVENTED and outcome.by for outcome in outcomes.values())
    assert len(outcomes) > len(everybody) / 2, "a duty of this many is none"


@pytest.mark.parametrize(("who", "name"), [(who, name) for who, names in SOME.items() for name in names])
def test_an_attack_is_prevented_or_told(ground: Ground, everybody: dict[str, Attacker], who: str, name: str) -> None:
    outcome = carry_out(BY_NAME[name], everybody[who], ground)
    assert outcome is not None
    assert outcome.outcome in (PREVENTED, DETECTED)
    assert outcome.by


def test_every_function_and_state_machine_is_among_the_attackers(everybody: dict[str, Attacker]) -> None:
    kinds = [name.split()[0] for name in everybody]
    assert kinds.count("function") == len(properties("AWS::Serverless::Function"))
    assert kinds.count("state") == len(properties("AWS::Serverless::StateMachine"))
