"""Unknown is not a pass: each read of AWS that the job gate and the audit make, denied in turn.

The reads are found by watching an undisturbed run, so that a new one is covered by itself.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from e2e.conftest import Deployment
from e2e.job_world import JobWorld, deployed_of, gate_of
from e2e.test_job_gate import FAST, model_of
from tunegate.audit import audit
from tunegate.errors import PermanentError
from tunegate.subject import Approval, subject_of
from tunegate.verify import verify

# What the gate writes, and the ledger and policy it stands on: without these it fails, and the queue keeps the message.
_OWN = {"dynamodb"}
_WRITES = ("Put", "Tag", "Update", "Delete", "Stop", "Send")


@dataclass
class Watched:
    """Clients that note each operation they are asked for, and deny the one that is named."""

    world: JobWorld
    denied: str = ""
    seen: dict[str, None] = field(default_factory=dict)
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            client = self.world.deployment.client(service)
            client.meta.events.register("before-call.*", self._answer)
            self.clients[service] = client
        return self.clients[service]

    def _answer(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]] | None:
        """Botocore's hook before a request: what it returns stands for the service's answer."""
        name = f"{model.service_model.service_name}:{model.name}"
        self.seen[name] = None
        if name != self.denied:
            return None
        error = {"Error": {"Code": "AccessDeniedException", "Message": "denied"}}
        return SimpleNamespace(status_code=403), error | {"ResponseMetadata": {"HTTPStatusCode": 403}}

    def reads(self) -> list[str]:
        return [
            name for name in self.seen if name.split(":")[0] not in _OWN and not name.split(":")[1].startswith(_WRITES)
        ]


@pytest.fixture(scope="module")
def world(deployment: Deployment) -> Iterator[JobWorld]:
    built = JobWorld(deployment, data="unknown/train.jsonl")
    built.stage_seconds(FAST)
    built.approve(built.data)
    yield built
    built.deliver_events()


@contextmanager
def unseen(world: JobWorld) -> Iterator[str]:
    """A compliant job that has completed without the gate having heard of it."""
    world.drop_events()
    job = world.start()
    assert world.ended(job) == "Completed"
    yield job
    world.deliver_events()


def held_or_left(look: Callable[[], Any]) -> Any:
    """What a look concludes; None where it fails, so that the message goes back to its queue."""
    with suppress(PermanentError):
        return look()
    return None


def test_each_read_of_the_job_gate_denied_gives_no_approval(world: JobWorld) -> None:
    with unseen(world) as job:
        watched = Watched(world)
        [row, *_] = verify(gate_of(world, client=watched.client), subject_of(job))
        assert row.approval is Approval.APPROVED
    reads = watched.reads()
    assert len(reads) > 15
    for name in reads:
        with unseen(world) as job:
            denying = Watched(world, denied=name)
            rows = held_or_left(lambda: verify(gate_of(world, client=denying.client), subject_of(job))) or []  # noqa: B023
            model = world.row(model_of(world, job))
            approved = {row.approval for row in rows} | {model.approval if model else None}
            assert name in denying.seen, f"{name} was not asked for again"
            gaps = [gap for row in rows for gap in row.gaps]
            assert gaps or not rows, f"{name} denied was passed over: {rows}"
            assert approved != {Approval.APPROVED}, name


def test_each_read_of_the_audit_denied_gives_unknown(world: JobWorld) -> None:
    watched = Watched(world)
    states = audit(gate_of(world, client=watched.client), deployed_of(world))
    assert [state for state in states if state["state"] != "pass"] == []
    assert len(watched.reads()) > 15
    for name in watched.reads():
        denying = Watched(world, denied=name)
        found = held_or_left(lambda: audit(gate_of(world, client=denying.client), deployed_of(world)))  # noqa: B023
        unknown = [state for state in found or [] if state["state"] == "unknown"]
        assert found is None or unknown, f"{name} denied was passed over"
    audit(gate_of(world), deployed_of(world))
