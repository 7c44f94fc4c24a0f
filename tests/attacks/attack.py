"""What an attack is, and how it ends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from attacks.attacker import Attacker, RefusedError
from attacks.ground import Ground

PREVENTED, DETECTED, NEITHER = "prevented", "detected", "neither"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`by` is the statement, control or lack of a permission that prevented or detected it."""

    outcome: str
    by: str


def prevented(by: str) -> Outcome:
    """The call was let through and had no effect; `by` says what took it away."""
    return Outcome(PREVENTED, by)


def detected(by: str | None) -> Outcome:
    """An alert, or nothing where None: then the attack worked and nobody knows."""
    return Outcome(DETECTED, by) if by else Outcome(NEITHER, "")


type Run = Callable[[Attacker, Ground], Outcome]


@dataclass(frozen=True, slots=True)
class Attack:
    """`run` does it; it returns only where nothing refused it, with what a probe then found.

    `duty` tells whether the attacker's role is there to do this very thing, which is no attack then.
    """

    name: str
    run: Run
    duty: Callable[[Attacker, Ground], bool] = lambda attacker, ground: False


def carry_out(attack: Attack, attacker: Attacker, ground: Ground) -> Outcome | None:
    """How it ended; None where it is the attacker's duty."""
    if attack.duty(attacker, ground):
        return None
    try:
        return attack.run(attacker, ground)
    except RefusedError as refused:
        return Outcome(PREVENTED, str(refused))


def row(attack: Attack, attacker: Attacker, outcome: Outcome) -> dict[str, Any]:
    return {"name": attack.name, "as": attacker.name, "outcome": outcome.outcome, "by": outcome.by}
