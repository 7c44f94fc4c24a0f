"""R12, R20, R24: nobody else has the gate's roles or writes its ledger, its alerts are heard, its functions called."""

from collections.abc import Iterator

from tunegate.estate_facts import EstateFacts, GateRole
from tunegate.job_facts import Statement
from tunegate.judge.controls.control import known
from tunegate.judge.controls.documents import everyone
from tunegate.judge.controls.guarantees import lost_of_ledger

_SERVICES = frozenset({"lambda.amazonaws.com", "states.amazonaws.com"})
# The denials the topic's policy is deployed with: for all but the gate, and without TLS.
_DENIALS = frozenset({"NobodyElseRaisesAlerts", "OnlyOverTls"})


def gate_roles(facts: EstateFacts) -> Iterator[str]:
    """Each role trusts its service alone, and has the one policy it was deployed with."""
    for arn in facts.deployed.gate_roles:
        role = known(facts.gate_roles[arn])
        if role is None:
            yield f"the role {arn} is gone"
            continue
        if any(statement.allows and not _of_a_service(statement) for statement in role.trust):
            yield f"{arn} can be assumed by others than its service"
        yield from _policies(role)


def _policies(role: GateRole) -> Iterator[str]:
    names = known(role.policies)
    more = [name for name in names if not role.arn.endswith(f"-{name}")]
    if more:
        yield f"{role.arn} has been given {', '.join(more)}"
    if len(more) == len(names):
        yield f"{role.arn} has lost its own policy"


def _of_a_service(statement: Statement) -> bool:
    only = statement.principals.keys() == {"Service"} and not everyone(statement)
    return only and _SERVICES.issuperset(statement.principals["Service"])


def alerts_reach(facts: EstateFacts) -> Iterator[str]:
    """Somebody is subscribed, and the topic's policy lets the gate publish."""
    topic, arn = known(facts.alerts), facts.deployed.alerts_topic
    if topic is None:
        yield f"the topic {arn} is gone"
        return
    if not known(topic.subscribers):
        yield f"nobody has confirmed a subscription to {arn}"
    publishing = [statement for statement in topic.policy if _is_about_publishing(statement)]
    if not any(statement.allows for statement in publishing):
        yield f"the policy of {arn} lets the gate publish no more"
    for statement in publishing:
        if not statement.allows and not (statement.sid in _DENIALS and statement.conditions):
            yield f"the policy of {arn} denies publishing by {statement.sid or 'a statement without a name'}"


def _is_about_publishing(statement: Statement) -> bool:
    actions = {action.lower() for action in statement.actions}
    return bool(actions & {"sns:publish", "sns:*", "*"}) or bool(statement.not_actions)


def ledger_closed(facts: EstateFacts) -> Iterator[str]:
    """The ledger's policy denies writing to all but the gate, and lets nobody in."""
    policy, arn = known(facts.ledger_policy) or (), facts.deployed.ledger_arn
    yield from lost_of_ledger(policy, facts.deployed)
    for statement in policy:
        if statement.allows:
            yield f"the policy of {arn} lets others in by {statement.sid or 'a statement without a name'}"


def mappings_on(facts: EstateFacts) -> Iterator[str]:
    for name in facts.deployed.mapped_functions:
        if not known(facts.mappings[name]):
            yield f"{name} is called by no queue or stream any more"
