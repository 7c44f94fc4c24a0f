"""The flows that are disturbed. Each says what is there before, and what happens; the rest follows by itself."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from faults.account import APPROVED, INTAKE, POLICY, Account
from faults.platform import Platform
from faults.promises import Promises
from tunegate.observe.policies import key_of
from tunegate.policy import Policy, default_policy, parse_policy
from unit.weights_world import CALLS_SYSTEM, MODEL, as_json

CLEAN = b'{"prompt": "What is the capital of France?", "completion": "Paris."}\n'
FLAGGED = CLEAN + b'{"prompt": "Which card?", "completion": "It is 4111 1111 1111 1111, for my order."}\n'
UNREADABLE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
_NEEDED = ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")
GOOD_MODEL = {name: MODEL[name] for name in _NEEDED}
BAD_MODEL = {"config.json": MODEL["config.json"], "optimizer.pt": CALLS_SYSTEM}
UPLOADED_MODEL = "models/llama/"


@dataclass
class World:
    """A flow's surroundings."""

    account: Account
    platform: Platform
    promises: Promises
    noted: dict[str, Any] = field(default_factory=dict)

    def upload(self, key: str, body: bytes, *, may_be_read: bool) -> None:
        """A file put to intake; its event is on its way."""
        version = self.account.upload(key, body)
        self.promises.uploaded[key] = body
        if may_be_read:
            self.promises.readable.add(body)
        stored = {"key": key, "size": len(body), "version-id": version.version_id, "sequencer": "01"}
        self.noted["event"] = _created(INTAKE, stored)


def _created(bucket: str, stored: dict[str, Any]) -> dict[str, Any]:
    detail = {"bucket": {"name": bucket}, "object": stored, "reason": "PutObject"}
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}


@dataclass(frozen=True)
class Flow:
    """`before` is never disturbed; `happens` is, and all that follows from it."""

    name: str
    before: Callable[[World], None]
    happens: Callable[[World], None]


def _clean(world: World) -> None:
    world.upload("team/clean.jsonl", CLEAN, may_be_read=True)


def _flagged(world: World) -> None:
    world.upload("team/flagged.jsonl", FLAGGED, may_be_read=False)


def _held(world: World) -> None:
    world.upload("team/picture.jsonl", UNREADABLE, may_be_read=False)


def _model(files: dict[str, bytes], *, may_be_read: bool) -> Callable[[World], None]:
    def put(world: World) -> None:
        manifest = as_json({"files": [{"name": name, "size": len(body)} for name, body in files.items()]})
        for name, body in {**files, "manifest.json": manifest}.items():
            world.upload(f"{UPLOADED_MODEL}{name}", body, may_be_read=may_be_read)

    return put


_good_model = _model(GOOD_MODEL, may_be_read=True)
_bad_model = _model(BAD_MODEL, may_be_read=False)


def _complete(world: World) -> None:
    """The manifest came last."""
    world.platform.invoke_async("gather_models", world.noted["event"])


def _quiet_model(world: World) -> None:
    """Put an hour ago, without a manifest."""
    then = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=1)
    with patch("moto.s3.models.utcnow", lambda: then):
        for name, body in GOOD_MODEL.items():
            world.upload(f"{UPLOADED_MODEL}{name}", body, may_be_read=True)


def _schedule(world: World) -> None:
    world.platform.invoke_async("gather_models", {})


def _imported(world: World) -> None:
    _good_model(world)
    _complete(world)
    world.platform.settle()
    world.promises.bedrock.import_model(UPLOADED_MODEL)


def _badly_imported(world: World) -> None:
    _imported(world)
    world.promises.bedrock.importing.pop("vpcConfig")
    world.promises.bedrock.may_be_used = False


def _proposed(document: bytes) -> Callable[[World], None]:
    def put(world: World) -> None:
        _put_in_force(world)
        key = "proposed/policy.json"
        version = world.account.s3.put_object(Bucket=POLICY, Key=key, Body=document)["VersionId"]
        stored = {"key": key, "size": len(document), "version-id": version, "sequencer": "01"}
        world.noted["event"] = _created(POLICY, stored)

    return put


def _proposal(world: World) -> None:
    world.platform.invoke_async("accept_policy", world.noted["event"])


def told(world: World) -> None:
    world.platform.send("start_scan", world.noted["event"])


def _settled(put: Callable[[World], None]) -> Callable[[World], None]:
    def settled(world: World) -> None:
        put(world)
        told(world)
        world.platform.settle()

    return settled


def _release(world: World) -> None:
    world.promises.readable.add(FLAGGED)
    asked = {"key": "team/flagged.jsonl", "reason": "made-up test data", "actor": "arn:aws:iam::111122223333:role/o"}
    world.platform.ask("release_object", asked)


def _finding(world: World) -> None:
    """Macie's finding in the file, once it is approved."""
    head = world.account.s3.head_object(Bucket=APPROVED, Key="team/clean.jsonl")
    stored = {"key": "team/clean.jsonl", "versionId": head["VersionId"], "eTag": head["ETag"].strip('"')}
    found = {"type": "USA_SOCIAL_SECURITY_NUMBER", "count": 1, "occurrences": {"lineRanges": [{"start": 1, "end": 1}]}}
    result = {
        "status": {"code": "COMPLETE"},
        "sensitiveData": [{"category": "PERSONAL_INFORMATION", "detections": [found]}],
    }
    detail = {
        "category": "CLASSIFICATION",
        "sample": False,
        "resourcesAffected": {"s3Bucket": {"name": APPROVED}, "s3Object": stored},
        "classificationDetails": {"jobId": "j", "result": result},
    }
    event = {"source": "aws.macie", "detail-type": "Macie Finding", "detail": detail}
    world.platform.invoke_async("revoke_object", event)


def _monitored(world: World) -> None:
    _settled(_clean)(world)
    _put_in_force(world, macie="monitor")


def _waiting(world: World) -> None:
    _put_in_force(world, malware="guardduty")
    _clean(world)

    def answer(waits: dict[str, Any]) -> None:
        at = waits["object"]
        stored = {"bucketName": at["bucket"], "objectKey": at["key"], "versionId": at["version_id"]}
        detail = {
            "scanStatus": "COMPLETED",
            "s3ObjectDetails": stored,
            "scanResultDetails": {"scanResultStatus": "NO_THREATS_FOUND"},
        }
        kind = "GuardDuty Malware Protection Object Scan Result"
        world.platform.invoke_async("take_answer", {"source": "aws.guardduty", "detail-type": kind, "detail": detail})

    world.platform.on_wait = answer


def _put_in_force(world: World, **services: str) -> None:
    policy = _policy(**services)
    for key in ("accepted/current.json", key_of(policy.digest)):
        world.account.s3.put_object(Bucket=POLICY, Key=key, Body=policy.canonical().encode())


def _policy(**services: str) -> Policy:
    document = json.loads(default_policy().canonical())
    document["services"] |= services
    return parse_policy(json.dumps(document))


def _reconcile(world: World) -> None:
    world.platform.invoke_async("reconcile", {})


def _job_begins(world: World) -> None:
    _settled(_clean)(world)
    world.promises.bedrock.begin("team/clean.jsonl")


def _bad_job_begins(world: World) -> None:
    _job_begins(world)
    world.promises.bedrock.job.pop("vpcConfig")
    world.promises.bedrock.may_be_used = False


def _job_is_verified(world: World) -> None:
    world.promises.bedrock.tell_state()


def _job_is_done(world: World) -> None:
    _job_begins(world)
    _job_is_verified(world)
    world.platform.settle()
    world.promises.bedrock.complete()


def _bad_job_is_done(world: World) -> None:
    _bad_job_begins(world)
    world.promises.bedrock.complete()


def _read_by_a_job(world: World) -> None:
    _put_in_force(world, macie="monitor")
    _job_begins(world)
    _job_is_verified(world)
    world.platform.settle()


def _made_into_a_model(world: World) -> None:
    _put_in_force(world, macie="monitor")
    _job_is_done(world)
    _job_is_verified(world)
    world.platform.settle()


def _in_use(world: World) -> None:
    _made_into_a_model(world)
    world.promises.bedrock.deployed = True
    _job_is_verified(world)
    world.platform.settle()


FLOWS = (
    Flow("scan of a clean file", _clean, told),
    Flow("scan of a flagged file", _flagged, told),
    Flow("scan of what cannot be read", _held, told),
    Flow("scan that waits for GuardDuty", _waiting, told),
    Flow("release", _settled(_flagged), _release),
    Flow("late revocation", _monitored, _finding),
    Flow("late revocation, a job reads it", _read_by_a_job, _finding),
    Flow("late revocation, a model was made of it", _made_into_a_model, _finding),
    Flow("late revocation, such a model is deployed", _in_use, _finding),
    Flow("scan of a model", _good_model, _complete),
    Flow("scan of a model that is flagged", _bad_model, _complete),
    Flow("scan of a model that was quiet", _quiet_model, _schedule),
    Flow("an import is done, its model approved", _imported, _reconcile),
    Flow("an import broke a rule, its model rejected", _badly_imported, _reconcile),
    Flow("a policy is proposed", _proposed(_policy(macie="monitor").canonical().encode()), _proposal),
    Flow("a broken policy is proposed", _proposed(b'{"version": 0}'), _proposal),
    Flow("a job begins", _job_begins, _job_is_verified),
    Flow("a job breaks a rule and is stopped", _bad_job_begins, _job_is_verified),
    Flow("a job is done, its model approved", _job_is_done, _job_is_verified),
    Flow("a job broke a rule, its model rejected", _bad_job_is_done, _job_is_verified),
    Flow("reconcile of an upload nobody told of", _clean, _reconcile),
    Flow("reconcile of a job nobody told of", _bad_job_begins, _reconcile),
)
