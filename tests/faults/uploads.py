"""Several versions of one key: how each is put and told of, what happens between two steps, and what became of each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from faults.account import APPROVED, INTAKE, QUARANTINE
from faults.flows import World
from tunegate.model import ObjectVersion, Verdict
from tunegate.observe.ledger import plain
from tunegate.rows import Entity

KEY = "team/data.jsonl"
CLEAN = b'{"prompt": "What is the capital of France?", "completion": "Paris."}\n'
OTHER = CLEAN.replace(b"France", b"Italy").replace(b"Paris", b"Rome")
CARD = b"4111 1111 1111 1111"
FLAGGED = CLEAN + b'{"prompt": "Which card?", "completion": "It is %b, for my order."}\n' % CARD
HOME = {"clean": APPROVED, "flagged": QUARANTINE, "held": INTAKE}


@dataclass(frozen=True)
class Put:
    """A version in intake, and S3's event of it."""

    version: ObjectVersion
    body: bytes
    order: str

    @property
    def event(self) -> dict[str, Any]:
        version = self.version
        stored = {
            "key": version.key, "size": len(self.body), "version-id": version.version_id, "sequencer": self.order
        }  # fmt: skip
        detail = {"bucket": {"name": version.bucket}, "object": stored, "reason": "PutObject"}
        return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}


def put(world: World, body: bytes, order: str = "01") -> Put:
    """A version of `KEY`, whose bytes are in no other."""
    version = world.account.upload(KEY, body)
    world.promises.uploaded[version.version_id] = body
    if CARD not in body:
        world.promises.readable.add(body)
    return Put(version, body, order)


def tell(world: World, *puts: Put) -> None:
    """S3's events, in this order."""
    for one in puts:
        world.platform.send("start_scan", one.event)


def meanwhile(patch: pytest.MonkeyPatch, world: World, function: str, act: Callable[[], None]) -> None:
    """Have something happen right before a function runs for the first time."""
    platform, due = world.platform, [act]
    original = platform.invoke

    def invoke(name: str, event: Any) -> Any:
        if name == function and due:
            due.pop()()
        return original(name, event)

    patch.setattr(platform, "invoke", invoke)


def decisions(world: World) -> list[dict[str, Any]]:
    """The decisions that the ledger holds, in the order of their times."""
    rows = [row for row in map(plain, world.account.rows()) if row["entity"] == Entity.DECISION]
    return sorted(rows, key=lambda row: str(row["at"]))


def verdicts(world: World) -> dict[str, list[str]]:
    """The verdicts that the ledger holds, by version id, the first one first."""
    found: dict[str, list[str]] = {}
    for row in decisions(world):
        given = found.setdefault(row["version_id"], [])
        # A copy that is made again, to bring the newest forward, has a row with the same verdict.
        if row["verdict"] not in given:
            given.append(row["verdict"])
    return found


def places(world: World, one: Put) -> list[str]:
    """The buckets that a put's bytes are in; only those copies in `approved` that Bedrock may read."""
    return sorted(
        {
            bucket
            for bucket in (INTAKE, APPROVED, QUARANTINE)
            for version, body in world.account.versions(bucket)
            if body == one.body and (bucket != APPROVED or world.account.verdict_on(version) == Verdict.CLEAN)
        }
    )


def settled(world: World, one: Put, verdict: str) -> bool:
    """Whether a put has this verdict and no other, and is where that says and nowhere else."""
    return (verdicts(world)[one.version.version_id], places(world, one)) == ([verdict], [HOME[verdict]])


def current(world: World) -> bytes:
    """What Bedrock would read of the key now."""
    return bytes(world.account.s3.get_object(Bucket=APPROVED, Key=KEY)["Body"].read())


def alerts(world: World) -> list[dict[str, Any]]:
    """What on-call was told of, each thing once, as receivers drop repeats; the first of each."""
    return list({alert["alert_id"]: alert for alert in reversed(world.account.alerts())}.values())
