"""What the job gate sees of AWS, as plain values: the facts the controls judge.

A fact that could not be read is `Unknown` and says which permission is missing. No control may take it for a pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tunegate.job_rules import JobRules
from tunegate.subject import Approval, Subject


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that could not be read: the IAM action it takes, on what, and the error AWS answered."""

    action: str
    resource: str
    error: str


type Known[T] = T | Unknown

GATES_VERDICT = "the gate's verdict"
"""What stands for an IAM action where a subject cannot be judged because what it rests on is held."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy document, with every one-or-many member as a tuple.

    `principals` is by type, e.g. `{"AWS": ("arn:…",)}`; a bare `"*"` is `{"AWS": ("*",)}`.
    """

    effect: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    principals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    not_principals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    sid: str = ""

    @property
    def allows(self) -> bool:
        return self.effect == "Allow"


type Document = tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """A KMS key as DescribeKey, GetKeyRotationStatus and GetKeyPolicy tell it."""

    arn: str
    customer_managed: bool
    enabled: bool
    rotates: Known[bool]
    policy: Known[Document]


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """A role: who may become it, and all its policies' statements, inline and attached."""

    arn: str
    trust: Document
    permissions: Known[Document]
    boundary: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A VPC endpoint for S3 of the type Gateway, with its policy."""

    id: str
    policy: Document


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet with the targets of its route table's routes, and the S3 gateway endpoints on that table."""

    id: str
    vpc_id: str
    route_table: str
    targets: tuple[str, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Network:
    """The subnets a job runs in, and whether names resolve in their VPC."""

    subnets: tuple[Subnet, ...]
    dns_support: Known[bool]


@dataclass(frozen=True, slots=True)
class BucketFacts:
    """A bucket's protections. `key_arn` is the CMK of its default encryption, empty where it has none."""

    name: str
    key_arn: Known[str]
    versioned: Known[bool] = False
    public_access_blocked: Known[bool] = False
    policy: Known[Document] = ()
    logs_to: Known[str] = ""
    sends_events: Known[bool] = False
    locked: Known[bool] = False
    expires: Known[tuple[str, ...]] = ()
    """The lifecycle rules that take current objects away, by id."""


@dataclass(frozen=True, slots=True, order=True)
class InputObject:
    """The current version of one object that a job reads. `checksum` is what S3 computed, or else the ETag."""

    bucket: str
    key: str
    version_id: str
    checksum: str


@dataclass(frozen=True, slots=True)
class Input:
    """An object a job reads, and what is known of its standing.

    `verdict` is the tag on that version; `decided` and `policy_digest` are the ledger's, empty where it knows nothing
    of this very version. `evidenced` is whether what the judging function wrote bears that out.
    """

    object: InputObject
    key_arn: str
    verdict: str
    decided: str
    policy_digest: str
    evidenced: bool


class State(StrEnum):
    """How far a subject is, whatever its service calls that."""

    RUNNING = "running"
    DONE = "done"
    ENDED = "ended"
    """Stopped or failed: there is nothing left to judge for use."""


@dataclass(frozen=True, slots=True)
class Vpc:
    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """What the service itself says of a subject. Members a kind does not have are empty.

    Times are ISO 8601. `inputs` are S3 URIs of objects or prefixes; `makes` is the ARN of the model a job makes;
    `rests_on` the ARN of what this one was made from (a model's job, a copy's source, a deployment's model).
    """

    subject: Subject
    name: str
    state: State
    created_at: str
    ended_at: str = ""
    role_arn: str = ""
    inputs: tuple[str, ...] = ()
    output: str = ""
    key_arn: str = ""
    vpc: Vpc | None = None
    invocation_logs: str = ""
    grader: str = ""
    makes: str = ""
    rests_on: tuple[str, ...] = ()
    status: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger says of another subject; `approval` is None where it knows nothing."""

    arn: str
    approval: Approval | None
    key_arn: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What was deployed: the names that jobs are held to."""

    account: str
    region: str
    approved_bucket: str
    output_bucket: str
    data_key_arn: str
    model_key_arn: str
    subnet_ids: frozenset[str]
    security_group_ids: frozenset[str]
    boundary: str = ""


@dataclass(frozen=True, slots=True)
class JobFacts:
    """All the facts of one subject. A part that its kind does not have is None or empty."""

    described: Description
    rules: JobRules
    expected: Expected
    role: Known[RoleFacts | None] = None
    key: Known[KeyFacts | None] = None
    network: Known[Network | None] = None
    input_bucket: Known[BucketFacts | None] = None
    output_bucket: Known[BucketFacts | None] = None
    """The approved and the output bucket, where the job names them; None where it does not."""
    inputs: Known[tuple[Input, ...]] = ()
    output_keys: Known[Mapping[str, str]] = field(default_factory=dict)
    """The CMK of each object a finished job wrote, by object key; empty for none."""
    began_with: Known[tuple[InputObject, ...]] = ()
    """What lay at the job's inputs when it was created, by the version history."""
    manifest: Known[tuple[InputObject, ...] | None] = None
    """The same as recorded when the gate first saw the job running; None where it never did."""
    standings: tuple[Standing, ...] = ()
    """What the ledger says of what this subject rests on."""
    serving: Known[tuple[str, ...]] = ()
    """The ARNs of what serves a custom model."""
    tags: Known[Mapping[str, str]] = field(default_factory=dict)
    marked: str = ""
    """The verdict tag the gate last decided to put on this very subject; empty where it decided none."""
