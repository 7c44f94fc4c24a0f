"""R10, R15 to R18, R21: the protections that were deployed are still there."""

from collections.abc import Callable, Iterator

from tunegate.estate_facts import EstateFacts
from tunegate.job_facts import BucketFacts, KeyFacts, Network, Statement
from tunegate.judge.controls.control import Control, known
from tunegate.judge.controls.documents import condition_values, everyone
from tunegate.judge.controls.encryption import open_statements
from tunegate.judge.controls.guarantees import lost
from tunegate.judge.controls.network import open_endpoint, ways_out
from tunegate.judge.controls.own_parts import alerts_reach, gate_roles, ledger_closed, mappings_on
from tunegate.model import Severity
from tunegate.subject import Kind

_ESTATE = frozenset({Kind.ESTATE})
_GUARDED = ("intake", "approved", "quarantine", "output", "evidence", "policy")
_ALL_BUCKETS = "arn:aws:s3"
_BEDROCK_ALONE = {"Service": ("bedrock.amazonaws.com",)}


def _buckets(facts: EstateFacts) -> Iterator[tuple[str, BucketFacts]]:
    for purpose in _GUARDED:
        bucket = known(facts.buckets[purpose])
        if bucket is not None:
            yield purpose, bucket


def _exist(facts: EstateFacts) -> Iterator[str]:
    for purpose, name in facts.deployed.buckets.items():
        if known(facts.buckets[purpose]) is None:
            yield f"the bucket {name} is gone"
    for purpose, arn in facts.deployed.keys.items():
        if known(facts.keys[purpose]) is None:
            yield f"the key {arn} is gone"
    for arn in facts.deployed.role_arns:
        if known(facts.role_trusts[arn]) is None:
            yield f"the role {arn} is gone"


def _bucket_keys(facts: EstateFacts) -> Iterator[str]:
    for purpose, bucket in _buckets(facts):
        key = known(bucket.key_arn)
        if key != facts.deployed.bucket_keys[purpose]:
            yield f"{bucket.name} encrypts with {key or 'no CMK'} by default"


def _on_every_bucket(fault: str, holds: Callable[[BucketFacts], bool]) -> Callable[[EstateFacts], Iterator[str]]:
    def check(facts: EstateFacts) -> Iterator[str]:
        for _, bucket in _buckets(facts):
            if not holds(bucket):
                yield f"{bucket.name} {fault}"

    return check


def _guarantees(facts: EstateFacts) -> Iterator[str]:
    for purpose, bucket in _buckets(facts):
        yield from lost(purpose, known(bucket.policy), facts.deployed)


def _tls(facts: EstateFacts) -> Iterator[str]:
    for _, bucket in _buckets(facts):
        if not any(_denies_plain_http(statement) for statement in known(bucket.policy)):
            yield f"{bucket.name} can be reached without TLS"


def _denies_plain_http(statement: Statement) -> bool:
    denies = condition_values(statement, frozenset({"bool"}), "aws:securetransport") == ("false",)
    return statement.effect == "Deny" and everyone(statement) and denies


def _events(facts: EstateFacts) -> Iterator[str]:
    for purpose in ("intake", "policy"):
        bucket = known(facts.buckets[purpose])
        if bucket is not None and not known(bucket.sends_events):
            yield f"{bucket.name} sends no events to EventBridge, so nothing put there is looked at"


def _object_lock(facts: EstateFacts) -> Iterator[str]:
    bucket = known(facts.buckets["quarantine"])
    if bucket is not None and not known(bucket.locked):
        yield f"{bucket.name} has no default retention by Object Lock"


def _lifecycle(facts: EstateFacts) -> Iterator[str]:
    for _, bucket in _buckets(facts):
        rules = known(bucket.expires)
        if rules:
            yield f"{bucket.name} takes its objects away by the lifecycle rules {', '.join(rules)}"


def _keys(facts: EstateFacts) -> Iterator[KeyFacts]:
    for purpose in facts.deployed.keys:
        key = known(facts.keys[purpose])
        if key is not None:
            yield key


def _keys_enabled(facts: EstateFacts) -> Iterator[str]:
    for key in _keys(facts):
        if not key.enabled:
            yield f"{key.arn} is disabled or about to be deleted"


def _keys_rotate(facts: EstateFacts) -> Iterator[str]:
    for key in _keys(facts):
        if not known(key.rotates):
            yield f"{key.arn} is not rotated every year"


def _keys_closed(facts: EstateFacts) -> Iterator[str]:
    for key in _keys(facts):
        yield from open_statements(key)


def _roles_trusted(facts: EstateFacts) -> Iterator[str]:
    for arn in facts.deployed.role_arns:
        for statement in known(facts.role_trusts[arn]) or ():
            if statement.allows and (everyone(statement) or dict(statement.principals) != _BEDROCK_ALONE):
                yield f"{arn} can be assumed by others than Bedrock"


def _network(facts: EstateFacts) -> Network:
    return known(facts.network) or Network((), dns_support=True)


def _subnets_there(facts: EstateFacts) -> Iterator[str]:
    if known(facts.network) is None:
        yield "a subnet for jobs is gone"


def _no_way_out(facts: EstateFacts) -> Iterator[str]:
    for subnet in _network(facts).subnets:
        yield from ways_out(subnet)


def _endpoint(facts: EstateFacts) -> Iterator[str]:
    names = (facts.expected.approved_bucket, facts.expected.output_bucket)
    buckets = frozenset(f"arn:aws:s3:::{name}" for name in names)
    for subnet in _network(facts).subnets:
        if not subnet.endpoints:
            yield f"the route table of {subnet.id} has no gateway endpoint for S3"
        for endpoint in subnet.endpoints:
            yield from open_endpoint(endpoint.id, endpoint.policy, buckets)


def _dns(facts: EstateFacts) -> Iterator[str]:
    if not known(_network(facts).dns_support):
        yield "the VPC for jobs does not resolve names"


def _flow_logs(facts: EstateFacts) -> Iterator[str]:
    if not known(facts.flow_logs):
        yield "the VPC for jobs has no active flow log"


def _rules_on(facts: EstateFacts) -> Iterator[str]:
    for name in facts.deployed.rule_names:
        rule = known(facts.event_rules[name])
        if rule is None:
            yield f"the rule {name} is gone"
        elif not rule.enabled or not rule.has_target:
            yield f"the rule {name} {'has no target' if rule.enabled else 'is disabled'}"


def _calls_recorded(facts: EstateFacts) -> Iterator[str]:
    if not any(trail.logging and trail.write_calls for trail in known(facts.trails)):
        yield "no trail records API calls here, so imports, copies and deployments are seen by reconcile alone"


def _data_events(facts: EstateFacts) -> Iterator[str]:
    recorded = {bucket for trail in known(facts.trails) if trail.logging for bucket in trail.data_buckets}
    for purpose in ("intake", "approved", "quarantine", "output"):
        name = facts.deployed.buckets[purpose]
        if not recorded & {_ALL_BUCKETS, f"arn:aws:s3:::{name}"}:
            yield f"no trail records who reads and writes the objects of {name}"


def _invocations_logged(facts: EstateFacts) -> Iterator[str]:
    logging = known(facts.invocation_logging)
    if logging.bucket is None and known(logging.group) is None:
        yield "model invocation logging is off, or its log group is gone"


def _invocation_log_keys(facts: EstateFacts) -> Iterator[str]:
    logging = known(facts.invocation_logging)
    group = known(logging.group)
    if group is not None and not group.key_arn:
        yield f"the log group {group.name} has no CMK"
    if logging.bucket is not None and not known(logging.bucket.key_arn):
        yield f"the bucket {logging.bucket.name} has no CMK"


def _invocation_logs_closed(facts: EstateFacts) -> Iterator[str]:
    bucket = known(facts.invocation_logging).bucket
    if bucket is None:
        return
    if not known(bucket.public_access_blocked):
        yield f"{bucket.name} does not block public access"
    for statement in known(bucket.policy):
        if statement.allows and everyone(statement) and not statement.conditions:
            yield f"the policy of {bucket.name} allows every principal"


def _macie(facts: EstateFacts) -> Iterator[str]:
    if not known(facts.macie_enabled):
        yield "Macie is off in this Region"


_ROWS: tuple[tuple[str, str, Severity, tuple[str, ...], str, Callable[[EstateFacts], Iterator[str]]], ...] = (
    ("estate.deployed", "Buckets, keys and service roles are there", Severity.CRITICAL, ("R25",),
     "Deploy the stack again; a deleted key can be kept with kms:CancelKeyDeletion.", _exist),
    ("estate.bucket_keys", "Each bucket encrypts by default with its own key", Severity.CRITICAL, ("R10", "R17"),
     "Put the default encryption back, or deploy the stack again.", _bucket_keys),
    ("estate.bucket_versioning", "Each bucket keeps versions", Severity.HIGH, ("R17",),
     "Turn versioning on: s3:PutBucketVersioning.",
     _on_every_bucket("keeps no versions", lambda bucket: known(bucket.versioned))),
    ("estate.bucket_public_access", "Each bucket blocks public access", Severity.CRITICAL, ("R1", "R17"),
     "Turn all four settings of Block Public Access on.",
     _on_every_bucket("does not block public access", lambda bucket: known(bucket.public_access_blocked))),
    ("estate.bucket_tls", "Each bucket refuses requests without TLS", Severity.HIGH, ("R17",),
     "Put the bucket's policy back: deploy the stack again.", _tls),
    ("estate.bucket_guarantees", "Bucket policies still hold the gate's guarantees", Severity.CRITICAL, ("R1", "R17"),
     "Put the bucket's policy back: deploy the stack again. Then find in CloudTrail who changed it.", _guarantees),
    ("estate.bucket_logging", "Each bucket logs who reads and writes it", Severity.MEDIUM, ("R17", "R21"),
     "Turn server access logging on, to the stack's log bucket.",
     _on_every_bucket("logs no access", lambda bucket: bool(known(bucket.logs_to)))),
    ("estate.bucket_events", "Uploads and policy proposals raise events", Severity.CRITICAL, ("R20", "R24"),
     "Turn EventBridge notifications on for the bucket.", _events),
    ("estate.object_lock", "Quarantine is kept by Object Lock", Severity.HIGH, ("R17",),
     "Put the default retention back on the quarantine bucket.", _object_lock),
    ("estate.bucket_lifecycle", "No bucket takes its objects away after a time", Severity.HIGH, ("R17",),
     "Put the bucket's lifecycle back: deploy the stack again. Then find in CloudTrail who changed it.", _lifecycle),
    ("estate.keys_enabled", "The stack's keys are enabled", Severity.CRITICAL, ("R10",),
     "Enable the key or cancel its deletion: kms:EnableKey, kms:CancelKeyDeletion.", _keys_enabled),
    ("estate.keys_rotate", "The stack's keys rotate every year", Severity.MEDIUM, ("R10",),
     "Turn rotation on: kms:EnableKeyRotation.", _keys_rotate),
    ("estate.keys_closed", "Key policies name who may use the key", Severity.CRITICAL, ("R11",),
     'Take the statement with the principal "*" (or NotPrincipal) out of the key policy.', _keys_closed),
    ("estate.roles_trusted", "Only Bedrock can become the service roles", Severity.CRITICAL, ("R12",),
     "Put the role's trust policy back: deploy the stack again.", _roles_trusted),
    ("estate.subnets", "The subnets for jobs are there", Severity.HIGH, ("R15",),
     "Deploy the stack again, or name subnets that exist in the parameter SubnetIds.", _subnets_there),
    ("estate.no_way_out", "No route leads from the subnets for jobs to the internet", Severity.CRITICAL, ("R4", "R15"),
     "Delete the route from the subnet's route table.", _no_way_out),
    ("estate.s3_endpoint", "Jobs reach S3 by an endpoint that names our buckets only", Severity.HIGH, ("R4", "R16"),
     "Put the endpoint and its policy back as in stacks/network.yaml.", _endpoint),
    ("estate.dns_support", "Names resolve in the VPC for jobs", Severity.MEDIUM, ("R16",),
     "Turn enableDnsSupport on for the VPC.", _dns),
    ("estate.flow_logs", "The VPC for jobs has flow logs", Severity.MEDIUM, ("R15", "R21"),
     "Deploy the stack again, or create a flow log for your own VPC.", _flow_logs),
    ("estate.rules_enabled", "The rules that tell the gate what happens are on", Severity.CRITICAL, ("R20", "R24"),
     "Enable the rule and give it its target back: deploy the stack again.", _rules_on),
    ("estate.gate_roles", "The gate's roles are as they were deployed", Severity.CRITICAL, ("R12",),
     "Put the role's trust and policy back: deploy the stack again. Then find in CloudTrail who changed it.",
     gate_roles),
    ("estate.ledger_closed", "Nobody but the gate writes the ledger", Severity.CRITICAL, ("R12", "R20"),
     "Put the table's policy back: deploy the stack again. Then find in CloudTrail who changed it.", ledger_closed),
    ("estate.alerts_reach_somebody", "Alerts reach somebody", Severity.CRITICAL, ("R24",),
     "Subscribe on-call to the topic, and put its policy back: deploy the stack again.", alerts_reach),
    ("estate.mappings_enabled", "Queues and the ledger call the gate's functions", Severity.CRITICAL, ("R20", "R24"),
     "Turn the event source mapping on: lambda:UpdateEventSourceMapping, or deploy the stack again.", mappings_on),
    ("estate.trail", "A trail records API calls", Severity.HIGH, ("R21",),
     "Start the trail again, or deploy the stack with CreateTrail=true.", _calls_recorded),
    ("estate.trail_data_events", "A trail records who touches training data", Severity.MEDIUM, ("R17", "R21"),
     "Add S3 data events for the buckets to a trail, or deploy the stack with CreateTrail=true.", _data_events),
    ("estate.invocation_logging", "Model invocations are logged", Severity.HIGH, ("R21",),
     "Turn model invocation logging on: docs/operations.md.", _invocations_logged),
    ("estate.invocation_log_keys", "Invocation logs are under a customer managed key", Severity.HIGH, ("R10", "R21"),
     "Put the log group or the bucket of the invocation logs under a CMK.", _invocation_log_keys),
    ("estate.invocation_logs_closed", "Invocation logs are not open to everybody", Severity.HIGH, ("R1", "R21"),
     "Block public access to the bucket of the invocation logs, and name its readers in its policy.",
     _invocation_logs_closed),
    ("estate.macie", "Macie is on", Severity.MEDIUM, ("R18",),
     "Turn Macie on in this Region, or deploy the stack with its session.", _macie),
)  # fmt: skip

CONTROLS: tuple[Control[EstateFacts], ...] = tuple(
    Control(id, title, severity, False, requirement, remedy, _ESTATE, check)
    for id, title, severity, requirement, remedy, check in _ROWS
)
