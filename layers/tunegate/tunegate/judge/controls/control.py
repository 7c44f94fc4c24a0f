"""What a control is, and how one is applied.

A check is a pure function from facts to what is wrong, in words; saying nothing is a pass. It takes a fact that may be
unknown through `known`, which ends the check there: what could not be read is told as unknown and never passed over.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tunegate.job_facts import Known, Unknown
from tunegate.model import Severity
from tunegate.subject import Kind

type Check[Facts] = Callable[[Facts], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Control[Facts]:
    """One line of the table. `requirement` names ids of docs/requirements.md; `remedy` says what to do."""

    id: str
    title: str
    severity: Severity
    blocking: bool
    requirement: tuple[str, ...]
    remedy: str
    applies: frozenset[Kind]
    check: Check[Facts]


@dataclass(frozen=True, slots=True)
class Failed:
    """A control that is broken: each way in which it is."""

    control: str
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Undecided:
    """A control that could not be judged, for want of one fact."""

    control: str
    missing: Unknown


@dataclass(frozen=True, slots=True)
class Passed:
    control: str


type Outcome = Passed | Failed | Undecided


class UnknownFactError(Exception):
    """Ends a check that needs a fact nobody could read."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(unknown.action)
        self.unknown = unknown


def known[T](fact: Known[T]) -> T:
    """The fact, where it could be read; otherwise the check ends undecided."""
    if isinstance(fact, Unknown):
        raise UnknownFactError(fact)
    return fact


def apply[Facts](control: Control[Facts], facts: Facts) -> Outcome:
    """What one control says of the facts. What was found before a fact was missing counts: a failure is a failure."""
    details: list[str] = []
    try:
        for detail in control.check(facts):
            details.append(detail)  # noqa: PERF402  (what came before an unknown fact must be kept)
    except UnknownFactError as error:
        if not details:
            return Undecided(control.id, error.unknown)
    return Failed(control.id, tuple(details)) if details else Passed(control.id)
