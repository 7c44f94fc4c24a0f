"""Facts for the controls of jobs: a compliant subject of each kind, and changes that break one thing about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tunegate.job_facts import (
    BucketFacts,
    Description,
    Input,
    InputObject,
    JobFacts,
    KeyFacts,
    Network,
    RoleFacts,
    Standing,
    State,
    Subnet,
    Unknown,
    Vpc,
)
from tunegate.job_rules import JobRules
from tunegate.judge.jobs import Conclusion
from tunegate.subject import Approval, Kind, Subject
from unit.policy_world import (
    APPROVED,
    ARNS,
    BOUNDARY,
    DATA_KEY,
    EXPECTED,
    GROUP,
    MODEL_KEY,
    OUTPUT,
    POLICY_DIGEST,
    ROLE,
    S3_ENDPOINT,
    SUBNET,
    VPC_ID,
    document,
    gateway,
    key_policy,
    permissions_of,
    trust_of,
    trust_statement,
)

type Change = Callable[[JobFacts], JobFacts]


@dataclass(frozen=True)
class Break:
    """A change that breaks one control of a compliant subject of a kind, and what its detail must name.

    `like` names the public rule (AWS Config, Prowler, Checkov, Trend Micro) or documentation the case is taken from.
    """

    control: str
    change: Change
    names: str
    like: str = ""
    kind: Kind = Kind.CUSTOMIZATION_JOB

    @property
    def facts(self) -> JobFacts:
        return self.change(compliant(self.kind))

    def __str__(self) -> str:
        return "-".join(filter(None, (self.control, self.like, "" if self.like else self.names)))


def assert_breaks_only(control: str, names: str, conclusion: Conclusion) -> None:
    """One control is broken and no other, with a detail that names what is wrong; nothing is unknown."""
    assert [breach.control for breach in conclusion.breaches] == [control]
    assert conclusion.gaps == ()
    assert names in "; ".join(conclusion.breaches[0].details)
    assert conclusion.approval is Approval.REJECTED


def unread(action: str) -> Unknown:
    return Unknown(action, "arn:of-it", "AccessDeniedException")


# --- Compliant subjects ---


def compliant(kind: Kind, state: State = State.DONE) -> JobFacts:
    """A subject that is done and breaks no control: everything of it is as the stack would have it."""
    described = Description(Subject(kind, ARNS[kind]), "support-tone", state, "2026-11-22T10:00:00+00:00")
    facts = JobFacts(described, JobRules(), EXPECTED)
    return _PARTS[kind](facts)


def _customization(facts: JobFacts) -> JobFacts:
    return _job(facts, "model-customization-job")


def _import(facts: JobFacts) -> JobFacts:
    return replace(_job(facts, "model-import-job"), output_bucket=None, output_keys={})


def _job(facts: JobFacts, job: str) -> JobFacts:
    customizes = job == "model-customization-job"
    output = f"s3://{OUTPUT}/jobs/" if customizes else ""
    facts = describe(_reading(_keyed(_networked(facts))), role_arn=ROLE, output=output)
    return replace(
        facts,
        role=RoleFacts(ROLE, trust_of(job), permissions_of(job), BOUNDARY),
        output_bucket=BucketFacts(OUTPUT, DATA_KEY),
        output_keys={"jobs/step_wise_training_metrics.csv": DATA_KEY},
    )


def _training(facts: JobFacts) -> JobFacts:
    return describe(_reading(_networked(facts)), key_arn=MODEL_KEY)


def _copy(facts: JobFacts) -> JobFacts:
    return resting_on(ARNS[Kind.CUSTOM_MODEL])(_keyed(facts))


def _custom_model(facts: JobFacts) -> JobFacts:
    return _tagged(resting_on(ARNS[Kind.CUSTOMIZATION_JOB])(_keyed(facts)))


def _imported_model(facts: JobFacts) -> JobFacts:
    facts = describe(_keyed(facts), inputs=(f"s3://{APPROVED}/models/house-llama/",))
    return _tagged(resting_on(ARNS[Kind.IMPORT_JOB])(facts))


def _serving(facts: JobFacts) -> JobFacts:
    return _tagged(resting_on(ARNS[Kind.CUSTOM_MODEL])(facts))


def _networked(facts: JobFacts) -> JobFacts:
    network = Network((Subnet(SUBNET, VPC_ID, "rtb-0aa", (S3_ENDPOINT,), (gateway(),)),), True)
    return describe(replace(facts, network=network), vpc=Vpc((SUBNET,), (GROUP,)))


def _keyed(facts: JobFacts) -> JobFacts:
    return describe(replace(facts, key=model_key()), key_arn=MODEL_KEY)


def _reading(facts: JobFacts) -> JobFacts:
    objects = tuple(InputObject(APPROVED, f"team-a/{name}.jsonl", f"v-{name}", name) for name in ("train", "validate"))
    return replace(
        describe(facts, inputs=tuple(f"s3://{APPROVED}/{item.key}" for item in objects)),
        input_bucket=BucketFacts(APPROVED, DATA_KEY),
        inputs=tuple(Input(item, DATA_KEY, "clean", "clean", POLICY_DIGEST, True) for item in objects),
        began_with=objects,
        manifest=objects,
    )


def _tagged(facts: JobFacts) -> JobFacts:
    return replace(facts, tags={"tunegate-verdict": "approved"}, marked="approved")


_PARTS: Mapping[Kind, Change] = {
    Kind.CUSTOMIZATION_JOB: _customization,
    Kind.IMPORT_JOB: _import,
    Kind.COPY_JOB: _copy,
    Kind.CUSTOM_MODEL: _custom_model,
    Kind.IMPORTED_MODEL: _imported_model,
    Kind.THROUGHPUT: _serving,
    Kind.DEPLOYMENT: _serving,
    Kind.TRAINING_JOB: _training,
    Kind.MODEL_PACKAGE: _reading,
}
KINDS = tuple(_PARTS)


def model_key(arn: str = MODEL_KEY, **changes: Any) -> KeyFacts:
    key = KeyFacts(arn, customer_managed=True, enabled=True, rotates=True, policy=key_policy())
    return replace(key, **changes)


# --- Changes ---


def describe(facts: JobFacts, **changes: Any) -> JobFacts:
    return replace(facts, described=replace(facts.described, **changes))


def described(**changes: Any) -> Change:
    return lambda facts: describe(facts, **changes)


def having(**changes: Any) -> Change:
    return lambda facts: replace(facts, **changes)


def resting_on(arn: str, approval: Approval | None = Approval.APPROVED) -> Change:
    return lambda facts: replace(describe(facts, rests_on=(arn,)), standings=(Standing(arn, approval),))


def granting(*statements: dict[str, Any]) -> Change:
    """The role allows more: statements without their Effect."""

    def change(facts: JobFacts) -> JobFacts:
        more = document(*({"Effect": "Allow"} | statement for statement in statements))
        if not isinstance(facts.role, RoleFacts) or isinstance(facts.role.permissions, Unknown):
            return facts
        return replace(facts, role=replace(facts.role, permissions=(*facts.role.permissions, *more)))

    return change


def trusting(**changes: Any) -> Change:
    """The role's trust, with some members of its statement changed."""

    def change(facts: JobFacts) -> JobFacts:
        trust = document(trust_statement(facts.described.subject.kind.value) | changes)
        return replace(facts, role=replace(facts.role, trust=trust)) if isinstance(facts.role, RoleFacts) else facts

    return change


def in_subnet(**changes: Any) -> Change:
    """The job's subnet with some facts changed."""

    def change(facts: JobFacts) -> JobFacts:
        if not isinstance(facts.network, Network):
            return facts
        subnets = tuple(replace(subnet, **changes) for subnet in facts.network.subnets)
        return replace(facts, network=replace(facts.network, subnets=subnets))

    return change


def with_input(**changes: Any) -> Change:
    """The first object a job reads, with some facts changed."""

    def change(facts: JobFacts) -> JobFacts:
        if isinstance(facts.inputs, Unknown) or not facts.inputs:
            return facts
        return replace(facts, inputs=(replace(facts.inputs[0], **changes), *facts.inputs[1:]))

    return change
