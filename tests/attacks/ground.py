"""What the attacks are on: planted files with secrets, a rejected model, and probes that tell what became of them."""

import itertools
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from attacks import undo
from e2e.job_world import BASE_MODEL, RECORDS, JobWorld
from e2e.test_iam import trust_of_the_account
from tunegate.evidence import findings_key
from tunegate.model import Decision, ObjectVersion, Verdict
from tunegate.observe.model_uploads import model_uploads
from tunegate.rows import Action, DecisionRow
from tunegate.subject import Approval
from tunegate.times import now
from tunegate.verdict_tags import MODEL_VERDICT_TAG

type Statements = list[dict[str, Any]]

SECRETS = ("536-22-8127", "AKIA3XQ7T5WNB2K9LMPD", "4012888888881881")
"""Planted in what is held and what is flagged; no log, row, evidence or alert may hold them."""
FLAGGED = json.dumps(
    {"prompt": f"My social security number is {SECRETS[0]}, my card {SECRETS[2]}.", "completion": f"Key {SECRETS[1]}."}
).encode() + b"\n"  # fmt: skip
UNREADABLE = bytes(range(256)) * 8 + SECRETS[0].encode()
ALERT_SECONDS = 60.0
_NUMBER = itertools.count(1)


@dataclass
class Ground:
    """The deployed product with something of each kind in it."""

    world: JobWorld
    _disturbed: bool = field(default=False, init=False)
    _held: ObjectVersion | None = field(default=None, init=False)
    _kept: ObjectVersion | None = field(default=None, init=False)
    run: str = field(default_factory=lambda: f"{time.time_ns():x}"[-8:])

    def name(self, output: str) -> str:
        return self.world.output(output)

    def fresh(self, suffix: str = ".jsonl") -> str:
        """A key nobody has used."""
        return f"attacks/{self.run}/{next(_NUMBER)}{suffix}"

    # --- What is there ---

    @cached_property
    def unscanned(self) -> ObjectVersion:
        """An upload that no verdict has let out of intake."""
        upload = self.world.deployment.put(self.fresh(".bin"), UNREADABLE)
        assert self.world.deployment.settled(upload).decision.verdict == "held"
        return upload

    @cached_property
    def quarantined(self) -> ObjectVersion:
        """A flagged upload where it now is, and stays."""
        return self._flagged()

    def releasable(self) -> ObjectVersion:
        """The same, for attacks that may release it: the last one, unless one did."""
        if self._kept is None or self.world.deployment.versions("ApprovedBucket", self._kept.key):
            self._kept = self._flagged()
        return self._kept

    def _flagged(self) -> ObjectVersion:
        row = self.world.deployment.settled(self.world.deployment.put(self.fresh(), FLAGGED))
        assert row.decision.verdict == "flagged"
        assert row.destination is not None
        return row.destination

    @cached_property
    def withdrawn(self) -> ObjectVersion:
        """A copy in approved whose verdict was taken away."""
        bucket, key = self.name("ApprovedBucket"), self.fresh()
        put = self.world.client("s3").put_object(Bucket=bucket, Key=key, Body=FLAGGED, Tagging="tunegate-verdict=held")
        return ObjectVersion(bucket, key, put["VersionId"])

    @cached_property
    def clean(self) -> ObjectVersion:
        """A file that a scan found clean."""
        return self.world.approve(self.fresh(), RECORDS)

    @cached_property
    def rejected(self) -> str:
        """A model of a job that ran without the key while nobody was told, and which the gate then rejected."""
        with undo.no_events(self.world):
            model = self._model_of(self.world.start(customModelKmsKeyId=None))
        self.look_again(model)
        self.world.decided(model, lambda row: row.approval is Approval.REJECTED)
        return model

    @cached_property
    def deployment(self) -> str:
        """What serves a model that is approved, for attacks that change its mark."""
        world, model = self.world, self._model_of(self.world.start())
        world.decided(model, lambda row: row.approval is Approval.APPROVED)
        name = f"attacks-{self.run}"
        answer = world.client("bedrock").create_custom_model_deployment(modelDeploymentName=name, modelArn=model)
        arn = str(answer["customModelDeploymentArn"])
        world.decided(arn, lambda row: row.approval is Approval.APPROVED)
        return arn

    @cached_property
    def guardrail(self) -> str:
        """Without one an invoker is refused, whatever the model."""
        answer = self.world.client("bedrock").create_guardrail(
            name=f"attacks-{self.run}", blockedInputMessaging="No.", blockedOutputsMessaging="No."
        )
        return str(answer["guardrailId"])

    def _model_of(self, job: str) -> str:
        assert self.world.ended(job) == "Completed"
        return str(self.world.client("bedrock").get_model_customization_job(jobIdentifier=job)["outputModelArn"])

    def look_again(self, arn: str) -> None:
        """Have a subject verified, as reconcile does once a day."""
        body = json.dumps({"subject": arn})
        self.world.client("sqs").send_message(QueueUrl=self.name("JobsQueueUrl"), MessageBody=body)

    def mark(self, arn: str, verdict: str | None) -> None:
        """Give it the mark of a verdict, or that of none."""
        bedrock = self.world.client("bedrock")
        if verdict is None:
            bedrock.untag_resource(resourceARN=arn, tagKeys=[MODEL_VERDICT_TAG])
        else:
            bedrock.tag_resource(resourceARN=arn, tags=[{"key": MODEL_VERDICT_TAG, "value": verdict}])

    def held_upload(self) -> ObjectVersion:
        """An upload that waits in intake, for attacks that may move it: the last one, unless one did."""
        if self._held is None or not self.exists(self._held):
            self._held = self.world.deployment.put(self.fresh(".bin"), UNREADABLE)
            assert self.world.deployment.settled(self._held).decision.verdict == "held"
        return self._held

    def tagged_clean(self) -> ObjectVersion:
        """A copy in approved that an accomplice has tagged, and no scan has seen."""
        bucket, key = self.name("ApprovedBucket"), self.fresh()
        put = self.world.client("s3").put_object(Bucket=bucket, Key=key, Body=FLAGGED, Tagging="tunegate-verdict=clean")
        return ObjectVersion(bucket, key, put["VersionId"])

    def clean_row(self, copy: ObjectVersion) -> dict[str, Any]:
        """The ledger's row by which that copy would be of a clean upload, in DynamoDB's notation."""
        upload = ObjectVersion(self.name("IntakeBucket"), copy.key, "never-uploaded")
        decision = Decision(upload, Verdict.CLEAN, self.policy_digest)
        row = DecisionRow(decision, Action.SCAN, upload.digest, now(), "01", copy, findings_key(upload.digest))
        serialize = TypeSerializer().serialize
        return {name: serialize(value) for name, value in row.to_item().items()}

    @cached_property
    def policy_digest(self) -> str:
        return self.world.policy_in_force().digest

    def plant(self) -> None:
        """Have secrets go through every way out of intake."""
        assert self.unscanned
        assert self.quarantined

    def let_bedrock_assume(self, role: str) -> None:
        """So that the role is one that Bedrock would take."""
        people = json.loads(trust_of_the_account(role))["Statement"]
        bedrock = {"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [*people, bedrock]})
        self.world.client("iam").update_assume_role_policy(RoleName=role.rsplit("/", 1)[1], PolicyDocument=document)

    @cached_property
    def elsewhere(self) -> str:
        """A bucket of the attacker's."""
        self.world.client("s3").create_bucket(Bucket="attackers-bucket")
        return "attackers-bucket"

    # --- Who may do what, as deployed ---

    def function_role(self, name: str) -> str:
        configuration = self.world.client("lambda").get_function_configuration(FunctionName=f"tunegate-{name}")
        return str(configuration["Role"])

    def mapping(self, function: str) -> str:
        mappings = self.world.client("lambda").list_event_source_mappings(FunctionName=f"tunegate-{function}")
        return str(mappings["EventSourceMappings"][0]["UUID"])

    def bucket_statements(self, output: str) -> Statements:
        policy = self.world.client("s3").get_bucket_policy(Bucket=self.name(output))["Policy"]
        return list(json.loads(policy)["Statement"])

    def topic_statements(self) -> Statements:
        topic = self.world.client("sns").get_topic_attributes(TopicArn=self.name("AlertsTopicArn"))
        return list(json.loads(topic["Attributes"]["Policy"])["Statement"])

    def spared(self, sid: str, statements: Statements) -> frozenset[str]:
        """The roles a Deny does not bind: those whose duty it is."""
        [statement] = [statement for statement in statements if statement["Sid"] == sid]
        roles: str | list[str] = statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
        return frozenset([roles] if isinstance(roles, str) else roles)

    # --- What became of it ---

    def exists(self, version: ObjectVersion) -> bool:
        """Whether a version is still there, whatever a delete marker hides."""
        listed = self.world.client("s3").list_object_versions(Bucket=version.bucket, Prefix=version.key)
        return any(found["VersionId"] == version.version_id for found in listed.get("Versions", ()))

    def told_of(self, arn: str, controls: Iterable[str]) -> str | None:
        """The control of these that raised an alert about a subject; None where none does in good time."""
        wanted, deadline = frozenset(controls), time.monotonic() + ALERT_SECONDS
        while time.monotonic() < deadline:
            found = {str(alert["control"]) for alert in self.world.alerts(arn) if "control" in alert} & wanted
            if found:
                return min(found)
            time.sleep(0.2)
        return None

    def job_alert(self, key: str, *controls: str) -> str | None:
        """Train on what lies at a key of approved, as anybody who may would: which control raises the alert."""
        job = self.world.start(trainingDataConfig={"s3Uri": self.world.uri(key)})
        return self.told_of(job, controls)

    def estate_alert(self, control: str, since: int) -> str | None:
        """The control, once it raised an alert on the estate after the first `since`."""
        self._disturbed = True
        deadline = time.monotonic() + ALERT_SECONDS
        while time.monotonic() < deadline:
            if any(alert.get("control") == control for alert in self.world.alerts("estate")[since:]):
                return control
            time.sleep(0.2)
        return None

    def estate_alerts(self) -> int:
        """How many there are so far, with those of earlier attacks seen to be over: what is open is told once."""
        if self._disturbed:
            self.world.invoke("AuditFunction")
            self._disturbed = False
        return len(self.world.alerts("estate"))

    def job(self, **changed: Any) -> dict[str, Any]:
        return self.world.job(**{"baseModelIdentifier": BASE_MODEL, **changed})

    def audit_finds(self, control: str) -> str | None:
        """What the daily audit says of a control, without waiting for tomorrow."""
        self._disturbed = True
        broken = {s["control"] for s in self.world.invoke("AuditFunction")["controls"] if s["state"] == "fail"}
        return control if control in broken else None

    def mark_told_of(self, arn: str) -> str | None:
        """The control that tells of a forged mark: on the event, or when reconcile has the model looked at again."""
        control = "model.tag_is_the_gates"
        self.look_again(arn)
        return self.told_of(arn, (control,))

    def retained_until(self, version: ObjectVersion) -> datetime:
        answer = self.world.client("s3").get_object_retention(
            Bucket=version.bucket, Key=version.key, VersionId=version.version_id
        )
        until: datetime = answer["Retention"]["RetainUntilDate"]
        return until

    def decided_after_all(self, upload: ObjectVersion) -> bool:
        """Whether a file gets its verdict, if need be by what reconcile does after half an hour."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if self.world.deployment.decisions(upload.key):
                return True
            time.sleep(0.3)
        self._reconcile_at_once()
        return bool(self.world.deployment.settled(upload))

    def _reconcile_at_once(self) -> None:
        functions, name = self.world.client("lambda"), self.name("ReconcileFunction")
        variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables | {"QUIET_MINUTES": "0"}}
        )
        try:
            self.world.invoke("ReconcileFunction")
        finally:
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})

    def alert_about(self, key: str) -> bool:
        return self._within(15, lambda: bool(self.world.deployment.alerts(key)))

    def release_told_of(self, key: str) -> bool:
        """Whether on-call was told of a release."""
        alerts = self.world.deployment.alerts
        return self._within(15, lambda: any(alert["verdict"] == "released" for alert in alerts(key)))

    def policy_told_of(self, version_id: str) -> bool:
        """Whether on-call was told that a proposal is in force."""
        alerts, told = self.world.deployment.alerts, (version_id, "accepted")
        return self._within(
            15,
            lambda: any(
                (alert["object"]["version_id"], alert["verdict"]) == told for alert in alerts("proposed/policy.json")
            ),
        )

    def was_scanned(self, version: ObjectVersion) -> bool:
        """Whether a scan of it was started."""
        states, machine = self.world.client("stepfunctions"), self.name("ScanStateMachineArn")
        return self._within(
            3,
            lambda: any(
                execution["name"].startswith(version.digest)
                for execution in states.list_executions(stateMachineArn=machine)["executions"]
            ),
        )

    def never_approved(self, key: str) -> bool:
        """Whether nothing of that key comes to be readable by Bedrock."""
        return not self._within(8, lambda: bool(self.world.deployment.versions("ApprovedBucket", key)))

    def stays_rejected(self, arn: str) -> bool:
        return not self._within(5, lambda: not self.is_marked(arn, "rejected"))

    def is_marked(self, arn: str, verdict: str) -> bool:
        tags = self.world.client("bedrock").list_tags_for_resource(resourceARN=arn)["tags"]
        return {"key": MODEL_VERDICT_TAG, "value": verdict} in tags

    def run_machine(self, states: Any, output: str, given: dict[str, Any], name: str) -> str:
        """Start a state machine as the attacker, and wait for its end."""
        named = {"name": name} if name else {}
        started = states.start_execution(stateMachineArn=self.name(output), input=json.dumps(given), **named)
        ours, arn = self.world.client("stepfunctions"), started["executionArn"]
        self._within(60, lambda: ours.describe_execution(executionArn=arn)["status"] != "RUNNING")
        return str(ours.describe_execution(executionArn=arn)["status"])

    def model_scan_of(self, prefix: str, other: ObjectVersion) -> dict[str, Any]:
        """A scan of the model below a prefix, by which another file is to be settled as one of its own."""
        rules = self.world.policy_in_force().models
        [upload] = model_uploads(self.world.client("s3"), self.name("IntakeBucket"), rules, prefix)
        versions = [other, *(file.version for file in upload.files[1:])]
        return {
            "object": _reference(upload.subject),
            "order": "01",
            "scan_id": upload.subject.digest,
            "files": [{"object": _reference(version), "order": "01"} for version in versions],
            "replaced": [],
            "waits": [],
        }

    def _within(self, seconds: float, look: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if look():
                return True
            time.sleep(0.3)
        return False


def _reference(version: ObjectVersion) -> dict[str, str]:
    return {"bucket": version.bucket, "key": version.key, "version_id": version.version_id}
