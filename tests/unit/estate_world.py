"""Facts for the audit: an estate in which nothing is broken, and changes that break one thing about it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tunegate.estate_facts import (
    AlertsTopic,
    Deployed,
    EstateFacts,
    GateRole,
    InvocationLogging,
    LogGroup,
    RuleFacts,
    Trail,
)
from tunegate.job_facts import BucketFacts, Document, KeyFacts, Network
from tunegate.job_rules import JobRules
from tunegate.judge.controls.guarantees import GUARANTEES
from tunegate.judge.controls.guarantees import LEDGER as LEDGER_GUARANTEES
from tunegate.subject import Kind
from unit.job_world import compliant, model_key
from unit.policy_world import ACCOUNT, DATA_KEY, EXPECTED, REGION, ROLE, VPC_ID, document, trust_of

type EstateChange = Callable[[EstateFacts], EstateFacts]
PURPOSES = ("intake", "approved", "quarantine", "output", "evidence", "policy")
KEY_PURPOSES = ("data", "quarantine", "messaging", "model")
QUARANTINE_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/quarantine"
IMPORT_ROLE = f"arn:aws:iam::{ACCOUNT}:role/tunegate-model-import"
GATE_ROLES = f"arn:aws:iam::{ACCOUNT}:role/tunegate-"
RULES = ("tunegate-job-changes", "tunegate-reconcile")
INVOCATION_LOGS = "invocation-logs"
SETTLING = f"{GATE_ROLES}settle-object"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:tunegate-alerts"
LEDGER = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/tunegate-ledger"
PUBLISHES = {"Sid": "Decisions", "Effect": "Allow", "Principal": {"AWS": f"{GATE_ROLES}send-alert"},
             "Action": "sns:Publish", "Resource": TOPIC}  # fmt: skip
OF_LAMBDA = document(
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole", "Resource": "*"}
)


@dataclass(frozen=True)
class EstateBreak:
    """A change that breaks one control of the estate, as `job_world.Break` does one of a job."""

    control: str
    change: EstateChange
    names: str
    like: str = ""

    @property
    def facts(self) -> EstateFacts:
        return self.change(estate())

    def __str__(self) -> str:
        return "-".join(filter(None, (self.control, self.like, "" if self.like else self.names)))


def estate() -> EstateFacts:
    """An account in which everything the stack deployed is as it was deployed."""
    keys = {purpose: f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{purpose}" for purpose in KEY_PURPOSES}
    deployed = Deployed(
        buckets={purpose: f"tunegate-{purpose}" for purpose in PURPOSES},
        bucket_keys={purpose: QUARANTINE_KEY if purpose == "quarantine" else DATA_KEY for purpose in PURPOSES},
        keys=keys,
        role_arns=(ROLE, IMPORT_ROLE),
        rule_names=RULES,
        vpc_id=VPC_ID,
        exempt=(GATE_ROLES,),
        gate_roles=(SETTLING,),
        alerts_topic=TOPIC,
        ledger_arn=LEDGER,
        mapped_functions=("tunegate-start-scan",),
    )
    network = compliant(Kind.CUSTOMIZATION_JOB).network
    return EstateFacts(
        deployed,
        JobRules(),
        EXPECTED,
        buckets={purpose: estate_bucket(purpose, deployed) for purpose in PURPOSES},
        keys={purpose: model_key(arn) for purpose, arn in keys.items()},
        role_trusts={ROLE: trust_of("model-customization-job"), IMPORT_ROLE: trust_of("model-import-job")},
        network=network,
        flow_logs=True,
        event_rules={name: RuleFacts(name, True, True) for name in RULES},
        trails=(Trail(f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/t", True, True, ("arn:aws:s3",)),),
        invocation_logging=InvocationLogging(
            LogGroup("/aws/bedrock/invocations", DATA_KEY),
            BucketFacts(INVOCATION_LOGS, DATA_KEY, public_access_blocked=True, policy=()),
        ),
        macie_enabled=True,
        gate_roles={SETTLING: GateRole(SETTLING, OF_LAMBDA, ("settle-object",))},
        alerts=AlertsTopic(document(PUBLISHES), 1),
        ledger_policy=document(ledger_statement()),
        mappings={"tunegate-start-scan": True},
    )


def ledger_statement(**changes: Any) -> dict[str, Any]:
    """The statement of stacks/storage.yaml, with changes."""
    return {
        "Sid": "OnlyTheGateWrites",
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(LEDGER_GUARANTEES["OnlyTheGateWrites"].actions),
        "Resource": LEDGER,
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": [f"{GATE_ROLES}*"]}},
    } | changes


def estate_bucket(purpose: str, deployed: Deployed) -> BucketFacts:
    return BucketFacts(
        deployed.buckets[purpose],
        deployed.bucket_keys[purpose],
        versioned=True,
        public_access_blocked=True,
        policy=bucket_policy(purpose),
        logs_to="tunegate-logs",
        sends_events=True,
        locked=True,
    )


def estate_having(**changes: Any) -> EstateChange:
    return lambda facts: replace(facts, **changes)


def bucket_policy(purpose: str) -> Document:
    """TLS, and each guarantee of the bucket. That the stack's own policies hold them is a test of its own."""
    bucket = f"arn:aws:s3:::tunegate-{purpose}"
    tls = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [bucket, f"{bucket}/*"],
           "Condition": {"Bool": {"aws:SecureTransport": "false"}}}  # fmt: skip
    return document(tls, *(guarantee_statement(purpose, sid) for sid in GUARANTEES[purpose]))


def guarantee_statement(purpose: str, sid: str) -> dict[str, Any]:
    guarantee = GUARANTEES[purpose][sid]
    values: dict[str, Any] = {
        "<exempt>": [f"{GATE_ROLES}settle-object"],
        "<vpc>": VPC_ID,
        "<key>": QUARANTINE_KEY if purpose == "quarantine" else DATA_KEY,
        "<service roles>": [ROLE, IMPORT_ROLE],
    }
    conditions: dict[str, dict[str, Any]] = {}
    for (operator, key), meant in guarantee.conditions.items():
        conditions.setdefault(operator, {})[key] = values.get(meant, meant)
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(guarantee.actions),
        "Resource": f"arn:aws:s3:::tunegate-{purpose}{guarantee.on}",
        "Condition": conditions,
    }


def bucket_with(purpose: str, **changes: Any) -> EstateChange:
    def change(facts: EstateFacts) -> EstateFacts:
        bucket = facts.buckets[purpose]
        assert isinstance(bucket, BucketFacts)
        return replace(facts, buckets={**facts.buckets, purpose: replace(bucket, **changes)})

    return change


def key_with(purpose: str, **changes: Any) -> EstateChange:
    def change(facts: EstateFacts) -> EstateFacts:
        key = facts.keys[purpose]
        assert isinstance(key, KeyFacts)
        return replace(facts, keys={**facts.keys, purpose: replace(key, **changes)})

    return change


def subnet_with(**changes: Any) -> EstateChange:
    def change(facts: EstateFacts) -> EstateFacts:
        assert isinstance(facts.network, Network)
        (subnet,) = facts.network.subnets
        return replace(facts, network=replace(facts.network, subnets=(replace(subnet, **changes),)))

    return change


def logging_with(**changes: Any) -> EstateChange:
    def change(facts: EstateFacts) -> EstateFacts:
        assert isinstance(facts.invocation_logging, InvocationLogging)
        bucket = facts.invocation_logging.bucket
        assert bucket is not None
        return replace(facts, invocation_logging=replace(facts.invocation_logging, bucket=replace(bucket, **changes)))

    return change
