"""The statements of the buckets' policies and the ledger's without which a guarantee does not hold: do they stand?

A statement stands when it denies at least what it did, to everyone, and nothing was added that narrows it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tunegate.estate_facts import Deployed
from tunegate.job_facts import Document, Statement
from tunegate.judge.controls.documents import everyone

# What the values of a condition must be, where that is no fixed word.
_EXEMPT, _VPC, _KEY, _SERVICE_ROLES = "<exempt>", "<vpc>", "<key>", "<service roles>"

_READS = (
    "s3:getobject",
    "s3:getobjectversion",
    "s3:getobjectattributes",
    "s3:getobjectversionattributes",
    "s3:getobjecttorrent",
    "s3:getobjectversiontorrent",
)
_WRITES = ("s3:putobject", "s3:replicateobject", "s3:replicatedelete", "s3:objectowneroverridetobucketowner")
_ACLS = ("s3:putobjectacl", "s3:putobjectversionacl")
_DELETES = ("s3:deleteobject", "s3:deleteobjectversion")
_TAGS = (
    "s3:putobjecttagging",
    "s3:putobjectversiontagging",
    "s3:deleteobjecttagging",
    "s3:deleteobjectversiontagging",
    "s3:replicatetags",
)

_SPARES = {("arnnotequals", "aws:principalarn"): _EXEMPT}
_OUTSIDE = {("stringnotequals", "aws:sourcevpc"): _VPC}
_ENCRYPTION, _KEY_ID = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"


@dataclass(frozen=True, slots=True)
class Guarantee:
    """A Deny: its actions, what it is on besides the bucket's ARN, and all the conditions it may be held to."""

    actions: tuple[str, ...]
    conditions: Mapping[tuple[str, str], str] = field(default_factory=lambda: _SPARES)
    on: str = "/*"


GUARANTEES: Mapping[str, Mapping[str, Guarantee]] = {
    "intake": {
        "NoOtherEncryption": Guarantee(
            ("s3:putobject",), {("null", _ENCRYPTION): "false", ("stringnotequals", _ENCRYPTION): "aws:kms"}
        ),
        "NoOtherKey": Guarantee(("s3:putobject",), {("null", _KEY_ID): "false", ("stringnotequals", _KEY_ID): _KEY}),
        "OnlyScannersRead": Guarantee(_READS),
        "OnlyTheGateDeletes": Guarantee(_DELETES),
        "OnlyTheGateTags": Guarantee(_TAGS),
    },
    "approved": {
        "OnlyTheGateWrites": Guarantee(_WRITES + _ACLS),
        "OnlyTheGateTags": Guarantee(_TAGS),
        "OnlyCleanIsRead": Guarantee(
            _READS[:2], _SPARES | {("stringnotequals", "s3:existingobjecttag/tunegate-verdict"): "clean"}
        ),
        "ReadFromTheNetwork": Guarantee(_READS, _SPARES | _OUTSIDE),
        "ListedFromTheNetwork": Guarantee(
            ("s3:listbucket", "s3:listbucketversions"),
            _OUTSIDE | {("arnequals", "aws:principalarn"): _SERVICE_ROLES},
            on="",
        ),
        "NobodyDeletes": Guarantee(_DELETES),
    },
    "quarantine": {
        "OnlyTheGateWrites": Guarantee(_WRITES + _ACLS),
        "OnlyTheGateReads": Guarantee(_READS),
        "NobodyDeletes": Guarantee(_DELETES),
    },
    "output": {
        "ReadFromTheNetwork": Guarantee(_READS, _SPARES | _OUTSIDE),
        "WrittenFromTheNetwork": Guarantee(_WRITES, _SPARES | _OUTSIDE),
    },
    "evidence": {
        "OnlyJudgingWritesFindings": Guarantee(_WRITES + _ACLS, on="/findings/*"),
        "OnlyScanTextWritesScans": Guarantee(_WRITES + _ACLS, on="/scans/*"),
        "OnlyVerifyJobWritesManifests": Guarantee(_WRITES + _ACLS, on="/manifests/*"),
        "OnlyTheJobGateWritesItsFindings": Guarantee(_WRITES + _ACLS, on="/jobs/*"),
        "NobodyDeletes": Guarantee(_DELETES),
    },
    "policy": {
        "OnlyAcceptPolicyAccepts": Guarantee(_WRITES + _ACLS, on="/accepted/*"),
        "NobodyDeletesWhatIsInForce": Guarantee(_DELETES, on="/accepted/*"),
    },
}


LEDGER: Mapping[str, Guarantee] = {
    "OnlyTheGateWrites": Guarantee(
        (
            "dynamodb:batchwriteitem",
            "dynamodb:deleteitem",
            "dynamodb:partiqldelete",
            "dynamodb:partiqlinsert",
            "dynamodb:partiqlupdate",
            "dynamodb:putitem",
            "dynamodb:updateitem",
        ),
        {("arnnotlike", "aws:principalarn"): _EXEMPT},
        on="",
    )
}


def lost(purpose: str, policy: Document, deployed: Deployed) -> Iterator[str]:
    """Each guarantee of a bucket that its policy does not give any more, and in which way."""
    name = deployed.buckets[purpose]
    meant = {_VPC: deployed.vpc_id, _KEY: deployed.bucket_keys[purpose]}
    yield from _lost(GUARANTEES[purpose], policy, f":::{name}", name, _Meant(deployed, meant))


def lost_of_ledger(policy: Document, deployed: Deployed) -> Iterator[str]:
    """The same of the ledger."""
    yield from _lost(LEDGER, policy, deployed.ledger_arn, deployed.ledger_arn, _Meant(deployed, {}))


@dataclass(frozen=True, slots=True)
class _Meant:
    """What a condition's values may be."""

    deployed: Deployed
    fixed: Mapping[str, str]

    def by(self, meant: str, values: tuple[str, ...]) -> bool:
        if meant == _EXEMPT:
            return all(value.startswith(self.deployed.exempt) for value in values)
        if meant == _SERVICE_ROLES:
            return set(values) >= set(self.deployed.role_arns)
        return values == (self.fixed.get(meant, meant),)


def _lost(guarantees: Mapping[str, Guarantee], policy: Document, place: str, name: str, meant: _Meant) -> Iterator[str]:
    denies = {s.sid: s for s in policy if s.effect == "Deny" and everyone(s) and not s.not_principals}
    for sid, guarantee in guarantees.items():
        if sid not in denies:
            yield f"the policy of {name} has lost the statement {sid}"
            continue
        for fault in _faults(denies[sid], guarantee, place, meant):
            yield f"{sid} in the policy of {name} {fault}"


def _faults(statement: Statement, guarantee: Guarantee, place: str, meant: _Meant) -> Iterator[str]:
    denied = {action.lower() for action in statement.actions}
    all_actions = f"{guarantee.actions[0].partition(':')[0]}:*"
    let = [action for action in guarantee.actions if action not in denied and all_actions not in denied]
    if let:
        yield f"does not deny {', '.join(let)}"
    whole = f"{place}{guarantee.on}"
    if not any(resource.endswith(whole) for resource in statement.resources):
        yield f"does not cover all of {whole.removeprefix(':::')}"
    for operator, keys in statement.conditions.items():
        for key, values in keys.items():
            value = guarantee.conditions.get((operator.lower(), key.lower()))
            if value is None:
                yield f"binds only by {operator} {key}"
            elif not meant.by(value, values):
                yield f"spares {', '.join(values)} by {operator} {key}"
