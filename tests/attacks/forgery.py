"""Attacks by pretending: events, messages, invocations, executions and answers that nobody sent."""

import json
from typing import Any

from botocore.exceptions import ClientError

from attacks import undo
from attacks.attack import Attack, Outcome, detected, prevented
from attacks.attacker import Attacker
from attacks.data import LINEAGE
from attacks.ground import Ground
from e2e.job_world import BASE_MODEL, tiny_model
from tunegate.model import ObjectVersion


def _uploaded(version: ObjectVersion) -> dict[str, Any]:
    held = {"key": version.key, "version-id": version.version_id, "size": 1, "etag": "0", "sequencer": "01"}
    return {"version": "0", "bucket": {"name": version.bucket}, "object": held, "reason": "PutObject"}


def put_event(attacker: Attacker, ground: Ground) -> Outcome:
    nothing = ObjectVersion(ground.name("IntakeBucket"), ground.fresh(), "no-such-version")
    entries = [
        {"Source": source, "DetailType": "Object Created", "Detail": json.dumps(_uploaded(nothing))}
        for source in ("aws.s3", "my.s3")
    ]
    answer = attacker.client("events").put_events(Entries=entries)
    refused = [entry.get("ErrorCode") for entry in answer["Entries"] if entry.get("ErrorCode")]
    if ground.was_scanned(nothing):
        return detected(None)
    return prevented(f"{', '.join(refused) or 'accepted'}, and no rule takes another source")


def message(attacker: Attacker, ground: Ground) -> Outcome:
    """A message as the rule sends it, on a version that is in quarantine."""
    kept = ground.quarantined
    body = {"version": "0", "source": "aws.s3", "detail-type": "Object Created", "detail": _uploaded(kept)}
    attacker.client("sqs").send_message(QueueUrl=ground.name("UploadsQueueUrl"), MessageBody=json.dumps(body))
    return _nothing_came_of(ground, kept, "an event says only where to look")


def job_message(attacker: Attacker, ground: Ground) -> Outcome:
    """Ask for a verification that says a rejected model is approved."""
    arn = ground.rejected
    body = json.dumps({"subject": arn, "approval": "approved", "verdict": "approved"})
    attacker.client("sqs").send_message(QueueUrl=ground.name("JobsQueueUrl"), MessageBody=body)
    return prevented("a message says only which ARN to look at") if ground.stays_rejected(arn) else detected(None)


def invoke_settling(attacker: Attacker, ground: Ground) -> Outcome:
    """Have the gate itself settle an unscanned file as clean."""
    upload = ground.held_upload()
    task = {
        "object": {"bucket": upload.bucket, "key": upload.key, "version_id": upload.version_id},
        "order": "01",
        "scan_id": upload.digest,
        "judgement": {"verdict": "clean", "reason": "", "policy_digest": ground.policy_digest},
    }
    attacker.client("lambda").invoke(FunctionName="tunegate-settle-object", Payload=json.dumps(task).encode())
    return detected(ground.job_alert(upload.key, *LINEAGE))


def invoke_release(attacker: Attacker, ground: Ground) -> Outcome:
    kept = ground.releasable()
    request = {"key": kept.key, "reason": "It looks fine.", "actor": "the lead"}
    attacker.client("lambda").invoke(FunctionName="tunegate-release-object", Payload=json.dumps(request).encode())
    return detected("alert: released" if ground.release_told_of(kept.key) else None)


def start_scan(attacker: Attacker, ground: Ground) -> Outcome:
    """Start the scan machine as if everything had been found clean."""
    upload = ground.held_upload()
    # Another try than anybody's before: a name is taken once.
    scan_id = f"{upload.digest}-{ground.fresh('').rpartition('/')[2]}"
    given = {
        "object": {"bucket": upload.bucket, "key": upload.key, "version_id": upload.version_id},
        "order": "01",
        "scan_id": scan_id,
        "inspection": {"file": {"content": "jsonl"}, "shards": [], "waits": []},
        "judgement": {"verdict": "clean", "reason": "", "policy_digest": ground.policy_digest},
    }
    ground.run_machine(attacker.client("stepfunctions"), "ScanStateMachineArn", given, scan_id)
    return _nothing_came_of(ground, upload, "the scan looks at the file, not at what it is given")


def start_model_scan(attacker: Attacker, ground: Ground) -> Outcome:
    """Have an unscanned file settled as one of a clean model's."""
    upload, prefix = ground.held_upload(), "models/" + ground.fresh("/").replace("/", "-") + "/"
    with undo.no_events(ground.world):
        for name, body in tiny_model().items():
            ground.world.deployment.put(prefix + name, body)
    given = ground.model_scan_of(prefix, upload)
    ground.run_machine(
        attacker.client("stepfunctions"), "ModelScanStateMachineArn", given, given["object"]["version_id"]
    )
    return _nothing_came_of(ground, upload, "a scan settles the files it looked at, and no others")


def launch(attacker: Attacker, ground: Ground) -> Outcome:
    """Have a job launched on data that is not clean."""
    name = ground.fresh("").replace("/", "-")
    request = {
        "kind": "customization",
        "name": name,
        "model": name,
        "data": ground.withdrawn.key,
        "base_model": BASE_MODEL,
    }
    states = attacker.client("stepfunctions")
    status = ground.run_machine(states, "LaunchStateMachineArn", request, "")
    return prevented("a launch refuses what is not tagged clean") if status == "FAILED" else detected(None)


def answer_task(attacker: Attacker, ground: Ground) -> Outcome:
    states = attacker.client("stepfunctions")
    try:
        states.send_task_success(taskToken="forged" * 20, output=json.dumps({"service": "malware", "passes": True}))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("InvalidToken", "TaskDoesNotExist", "TaskTimedOut"):
            return prevented(f"{code}: only the token itself opens a task")
        raise
    return detected(None)


def _nothing_came_of(ground: Ground, version: ObjectVersion, why: str) -> Outcome:
    return prevented(why) if ground.never_approved(version.key) else detected(None)


ATTACKS = (
    Attack("forge an event", put_event),
    Attack("put a message into the uploads queue", message),
    Attack("put a message into the jobs queue", job_message),
    Attack("have an unscanned file settled as clean", invoke_settling),
    Attack("release a quarantined file", invoke_release),
    Attack("start a scan with a forged verdict", start_scan),
    Attack("settle another file with a clean model", start_model_scan),
    Attack("launch a job on what is not clean", launch),
    Attack("answer a waiting task", answer_task),
)
