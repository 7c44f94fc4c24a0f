"""Jobs in the deployed product: made as the gate wants them, and with any one thing changed."""

import itertools
import json
import os
import secrets
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from e2e.conftest import Deployment, wait_for
from tunegate.act.ledger import Ledger
from tunegate.act.settle import Scanned, record
from tunegate.environment import deployed
from tunegate.estate_facts import Deployed
from tunegate.evidence import Evidence, findings_key
from tunegate.job_facts import Expected
from tunegate.model import Decision, ObjectVersion, Verdict
from tunegate.observe.facts import Sources
from tunegate.observe.subjects import subject_row
from tunegate.policy import Policy, default_policy, parse_policy
from tunegate.rows import Action
from tunegate.subject_rows import SubjectRow
from tunegate.verify import Gate

BASE_MODEL = "amazon.nova-micro-v1:0:128k"
RECORDS = b"".join(
    json.dumps({"prompt": f"What is {n} plus one?", "completion": f"It is {n + 1}."}).encode() + b"\n"
    for n in range(50)
)
# So that a cloud that is kept up takes one run after another.
_RUN = secrets.token_hex(3)
_NUMBER = itertools.count(1)


@dataclass
class JobWorld:
    """A deployment with a settled dataset, seen by its administrator."""

    deployment: Deployment
    data: str = "jobs/train.jsonl"
    _clients: dict[tuple[str, str | None], Any] = field(default_factory=dict)

    def client(self, service: str, role: str | None = None) -> Any:
        if (service, role) not in self._clients:
            self._clients[service, role] = self.deployment.client(service, role)
        return self._clients[service, role]

    def output(self, name: str) -> str:
        return self.deployment.outputs[name]

    def approve(self, key: str, body: bytes = RECORDS) -> ObjectVersion:
        """Have a file scanned and approved; the version it is in `approved`."""
        row = self.deployment.settled(self.deployment.put(key, body))
        assert row.destination is not None
        assert row.decision.verdict == "clean"
        return row.destination

    def uri(self, key: str | None = None, bucket: str = "ApprovedBucket") -> str:
        return f"s3://{self.output(bucket)}/{self.data if key is None else key}"

    def approve_model(self, prefix: str) -> None:
        """Have the smallest model that Bedrock would import approved."""
        for name, body in tiny_model().items():
            self.settle_by_hand(prefix + name, body)

    def settle_by_hand(self, key: str, body: bytes, *, findings: bool = True, **stored: str) -> None:
        """What the data gate leaves behind once it has found a file clean; `stored` is how else S3 is to keep it.

        Without `findings`, what somebody leaves behind who can write to the bucket and to the ledger.
        """
        s3, bucket = self.client("s3"), self.output("ApprovedBucket")
        put = s3.put_object(Bucket=bucket, Key=key, Body=body, Tagging="tunegate-verdict=clean", **stored)
        upload, digest = ObjectVersion(self.output("IntakeBucket"), key, "by-hand"), self.policy_in_force().digest
        decision = Decision(upload, Verdict.CLEAN, digest)
        evidence = findings_key(upload.digest)
        if findings:
            Evidence(s3, self.output("EvidenceBucket")).put_findings(upload.digest, decision)
        scanned = Scanned(decision, "01", upload.digest, evidence)
        ledger = Ledger(self.client("dynamodb"), self.output("LedgerTable"))
        record(ledger, scanned, Action.SCAN, ObjectVersion(bucket, key, put["VersionId"]))

    def policy_digest(self, key: str) -> str:
        """The policy under which a key was last decided on."""
        return self.deployment.decisions(key)[0].decision.policy_digest

    # --- Jobs ---

    def vpc(self) -> dict[str, list[str]]:
        return {
            "subnetIds": self.output("SubnetIds").split(","),
            "securityGroupIds": self.output("SecurityGroupIds").split(","),
        }

    def job(self, **changed: Any) -> dict[str, Any]:
        """What a compliant job is created with, and what is changed of it; None leaves a member out."""
        name = f"job-{_RUN}-{next(_NUMBER)}"
        asked = {
            "jobName": name,
            "customModelName": f"model-{name}",
            "roleArn": self.output("ModelCustomizationRoleArn"),
            "baseModelIdentifier": BASE_MODEL,
            "customModelKmsKeyId": self.output("ModelKeyArn"),
            "trainingDataConfig": {"s3Uri": self.uri()},
            "outputDataConfig": {"s3Uri": self.uri(f"jobs/{name}/", "OutputBucket")},
            "hyperParameters": {"epochCount": "1"},
            "vpcConfig": self.vpc(),
        } | changed
        return {member: value for member, value in asked.items() if value is not None}

    def start(self, **changed: Any) -> str:
        return str(self.client("bedrock").create_model_customization_job(**self.job(**changed))["jobArn"])

    def start_import(self, **changed: Any) -> str:
        name = f"import-{_RUN}-{next(_NUMBER)}"
        asked = {
            "jobName": name,
            "importedModelName": f"model-{name}",
            "roleArn": self.output("ModelImportRoleArn"),
            "modelDataSource": {"s3DataSource": {"s3Uri": self.uri("models/tiny/")}},
            "importedModelKmsKeyId": self.output("ModelKeyArn"),
            "vpcConfig": self.vpc(),
        } | changed
        answer = self.client("bedrock").create_model_import_job(**{k: v for k, v in asked.items() if v is not None})
        return str(answer["jobArn"])

    def job_status(self, arn: str) -> str:
        return str(self.client("bedrock").get_model_customization_job(jobIdentifier=arn)["status"])

    def ended(self, arn: str) -> str:
        """The status a job ends with."""
        running = {"InProgress", "Stopping"}
        return wait_for(f"the end of {arn}", lambda: None if (s := self.job_status(arn)) in running else s)

    # --- What the gate says ---

    def row(self, arn: str) -> SubjectRow | None:
        return subject_row(self.client("dynamodb"), self.output("LedgerTable"), arn)

    def decided(self, arn: str, when: Callable[[SubjectRow], bool]) -> SubjectRow:
        def look() -> SubjectRow | None:
            row = self.row(arn)
            return row if row is not None and when(row) else None

        return wait_for(f"the decision on {arn} (it is {self.row(arn)})", look)

    def alerts(self, arn: str) -> list[dict[str, Any]]:
        """The alerts about a subject, as the on-call endpoint received them."""
        with urllib.request.urlopen(self.deployment.cloud.oncall_url + "/alerts") as answer:
            notifications = json.load(answer)
        messages = [json.loads(n["Message"]) for n in notifications if n.get("Type") == "Notification"]
        return [message for message in messages if message.get("subject", {}).get("arn") == arn]

    def alert_on(self, arn: str, control: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            return next((alert for alert in self.alerts(arn) if alert["control"] == control), None)

        return wait_for(f"the alert on {control} of {arn}", look)

    def invoke(self, function: str, payload: Mapping[str, Any] | None = None) -> Any:
        """Run one of the product's functions and return its answer."""
        answer = self.client("lambda").invoke(
            FunctionName=self.output(function), Payload=json.dumps(payload or {}).encode()
        )
        body = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, body
        return body

    # --- The embedded cloud's own levers ---

    def control(self, method: str, path: str, body: Any = None) -> Any:
        url = self.deployment.cloud.environment()["AWS_ENDPOINT_URL"] + "/_tunegate/" + path
        request = urllib.request.Request(url, method=method, data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def stage_seconds(self, seconds: float) -> None:
        self.control("PUT", "jobs", {"seconds": seconds})

    def drop_events(self, *kinds: str) -> None:
        self.control("PUT", "events", {"drop": list(kinds) or ["*"]})

    def deliver_events(self) -> None:
        self.control("DELETE", "events")

    def published(self) -> list[dict[str, Any]]:
        return list(self.control("GET", "events"))

    def publish(self, event: Mapping[str, Any]) -> None:
        self.control("POST", "events", dict(event))

    def job_event(self, arn: str) -> None:
        """Bedrock's event on a job, delivered by hand."""
        self.publish(
            {
                "source": "aws.bedrock",
                "detail-type": "Model Customization Job State Change",
                "resources": [arn],
                "detail": {"version": "0.0", "jobArn": arn, "jobStatus": self.job_status(arn)},
            }
        )

    def accept_policy(self, change: Callable[[dict[str, Any]], None]) -> str:
        """Change the policy in force and wait until it is; returns its digest."""
        bucket, s3 = self.output("PolicyBucket"), self.client("s3")
        document = self.policy()
        change(document)
        wanted = parse_policy(json.dumps(document)).digest
        s3.put_object(Bucket=bucket, Key="proposed/policy.json", Body=json.dumps(document).encode())

        def look() -> str | None:
            return wanted if self.policy_in_force().digest == wanted else None

        return wait_for("the policy in force", look)

    def policy_in_force(self) -> Policy:
        return parse_policy(json.dumps(self.policy()))

    def policy(self) -> dict[str, Any]:
        s3 = self.client("s3")
        try:
            body = s3.get_object(Bucket=self.output("PolicyBucket"), Key="accepted/current.json")["Body"].read()
        except s3.exceptions.NoSuchKey:
            return dict(json.loads(default_policy().canonical()))
        return dict(json.loads(body))


def tiny_model() -> dict[str, bytes]:
    """The files of a model of one tensor, by name."""
    header = json.dumps({"lm_head.weight": {"dtype": "F16", "shape": [2, 2], "data_offsets": [0, 8]}}).encode()
    config = {"architectures": ["LlamaForCausalLM"], "torch_dtype": "float16"}
    return {
        "model.safetensors": len(header).to_bytes(8, "little") + header + bytes(8),
        "config.json": json.dumps(config).encode(),
    }


def gate_of(world: JobWorld, boundary: str = "", client: Callable[[str], Any] | None = None) -> Gate:
    """The job gate as its function builds it, but here: as the administrator, or with other clients."""
    expected = Expected(
        world.output("ModelKeyArn").split(":")[4],
        "us-east-1",
        world.output("ApprovedBucket"),
        world.output("OutputBucket"),
        world.output("DataKeyArn"),
        world.output("ModelKeyArn"),
        frozenset(world.vpc()["subnetIds"]),
        frozenset(world.vpc()["securityGroupIds"]),
        boundary,
    )
    sources = Sources(client or world.client, world.output("LedgerTable"), world.output("EvidenceBucket"))
    return Gate(sources, world.policy_in_force(), expected)


def deployed_of(world: JobWorld) -> Deployed:
    """What the audit's function finds in its environment."""
    names = world.client("lambda").get_function_configuration(FunctionName=world.output("AuditFunction"))
    environment = names["Environment"]["Variables"]
    with patch.dict(os.environ, environment):
        return deployed()
