"""The account's protections as they stand now."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tunegate.estate_facts import Deployed, EstateFacts, RuleFacts
from tunegate.job_facts import Expected, Known, Unknown
from tunegate.job_rules import JobRules
from tunegate.observe.buckets import bucket_facts
from tunegate.observe.invocation_logging import invocation_logging
from tunegate.observe.keys import key_facts
from tunegate.observe.networks import flow_logs, network
from tunegate.observe.own_parts import alerts_topic, gate_role, ledger_policy, mapped
from tunegate.observe.reads import read, read_or, saying
from tunegate.observe.roles import role_trust
from tunegate.observe.trails import trails

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

# Macie refuses every call of an account that has not turned it on, and says so in the message alone.
_MACIE_OFF = saying("AccessDeniedException", words=("Macie is not enabled",))


def estate_facts(client: Callable[[str], Any], deployed: Deployed, rules: JobRules, expected: Expected) -> EstateFacts:
    """Everything the controls of the estate ask; `client` gives the AWS client of a service."""
    s3, kms, iam, ec2 = client("s3"), client("kms"), client("iam"), client("ec2")
    return EstateFacts(
        deployed,
        rules,
        expected,
        buckets={purpose: bucket_facts(s3, name, protections=True) for purpose, name in deployed.buckets.items()},
        keys={purpose: key_facts(kms, arn) for purpose, arn in deployed.keys.items()},
        role_trusts={arn: role_trust(iam, arn) for arn in deployed.role_arns},
        network=network(ec2, sorted(expected.subnet_ids)),
        flow_logs=flow_logs(ec2, deployed.vpc_id),
        event_rules={name: _rule(client("events"), name) for name in deployed.rule_names},
        trails=trails(client("cloudtrail")),
        invocation_logging=invocation_logging(client("bedrock"), client("logs"), s3),
        macie_enabled=_macie_enabled(client("macie2")),
        gate_roles={arn: gate_role(iam, arn) for arn in deployed.gate_roles},
        alerts=alerts_topic(client("sns"), deployed.alerts_topic),
        ledger_policy=ledger_policy(client("dynamodb"), deployed.ledger_arn),
        mappings={name: mapped(client("lambda"), name) for name in deployed.mapped_functions},
    )


def _rule(events: "EventBridgeClient", name: str) -> Known[RuleFacts | None]:
    none = saying("ResourceNotFoundException")
    state = read_or("events:DescribeRule", name, lambda: events.describe_rule(Name=name)["State"], none, None)
    if state is None or isinstance(state, Unknown):
        return state
    has_target = read(
        "events:ListTargetsByRule", name, lambda: bool(events.list_targets_by_rule(Rule=name).get("Targets"))
    )
    return has_target if isinstance(has_target, Unknown) else RuleFacts(name, state.startswith("ENABLED"), has_target)


def _macie_enabled(macie: Any) -> Known[bool]:
    return read_or(
        "macie2:GetMacieSession",
        "*",
        lambda: bool(macie.get_macie_session().get("status") == "ENABLED"),
        _MACIE_OFF,
        False,
    )
