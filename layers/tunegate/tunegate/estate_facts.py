"""What the audit sees of the account: the protections that were deployed, as they stand now."""

from collections.abc import Mapping
from dataclasses import dataclass

from tunegate.job_facts import BucketFacts, Document, Expected, KeyFacts, Known, Network
from tunegate.job_rules import JobRules


@dataclass(frozen=True, slots=True)
class Trail:
    """A trail that covers this Region. `data_buckets` are ARNs whose object events it records; `arn:aws:s3` is all.

    `write_calls` is whether it records management calls that write, which the rules on API calls live by.
    """

    arn: str
    logging: bool
    write_calls: bool
    data_buckets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogGroup:
    """A CloudWatch Logs group; `key_arn` is empty where it has no CMK."""

    name: str
    key_arn: str


@dataclass(frozen=True, slots=True)
class InvocationLogging:
    """Where model invocations are logged to; both None is nowhere."""

    group: Known[LogGroup | None] = None
    bucket: BucketFacts | None = None


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """An EventBridge rule of ours."""

    name: str
    enabled: bool
    has_target: bool


@dataclass(frozen=True, slots=True)
class GateRole:
    """A role of the gate's own: whom it trusts, and the names of its policies; of managed ones, the ARN."""

    arn: str
    trust: Document
    policies: Known[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class AlertsTopic:
    """The topic of alerts: its policy, and how many have confirmed a subscription."""

    policy: Document
    subscribers: Known[int]


@dataclass(frozen=True, slots=True)
class Deployed:
    """The names of everything the stack protects, by what each is for (`intake`, `data`, …)."""

    buckets: Mapping[str, str]
    bucket_keys: Mapping[str, str]
    """The CMK each bucket should have, by what the bucket is for."""
    keys: Mapping[str, str]
    role_arns: tuple[str, ...]
    rule_names: tuple[str, ...]
    vpc_id: str
    exempt: tuple[str, ...]
    """What the ARN of a principal begins with that a bucket policy's Deny may spare."""
    gate_roles: tuple[str, ...]
    """The ARNs of the roles that functions and state machines of the gate work with."""
    alerts_topic: str
    ledger_arn: str
    mapped_functions: tuple[str, ...]
    """Those that a queue or a stream calls, through an event source mapping."""


@dataclass(frozen=True, slots=True)
class EstateFacts:
    """All the facts an audit judges. A rule or a key that is not there is None."""

    deployed: Deployed
    rules: JobRules
    expected: Expected
    buckets: Mapping[str, Known[BucketFacts | None]]
    keys: Mapping[str, Known[KeyFacts | None]]
    role_trusts: Mapping[str, Known[Document | None]]
    network: Known[Network | None]
    flow_logs: Known[bool]
    event_rules: Mapping[str, Known[RuleFacts | None]]
    trails: Known[tuple[Trail, ...]]
    invocation_logging: Known[InvocationLogging]
    macie_enabled: Known[bool]
    gate_roles: Mapping[str, Known[GateRole | None]]
    alerts: Known[AlertsTopic | None]
    ledger_policy: Known[Document | None]
    """The ledger's own policy, None where it has none."""
    mappings: Mapping[str, Known[bool]]
    """Whether each mapped function has a mapping, and all of them are on."""
