"""The statements of stacks/guarantees.yaml without which a bucket's guarantee does not hold, and whether they stand.

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


def lost(purpose: str, policy: Document, deployed: Deployed) -> Iterator[str]:
    """Each guarantee of a bucket that its policy does not give any more, and in which way."""
    name = deployed.buckets[purpose]
    denies = {s.sid: s for s in policy if s.effect == "Deny" and everyone(s) and not s.not_principals}
    for sid, guarantee in GUARANTEES[purpose].items():
        if sid not in denies:
            yield f"the policy of {name} has lost the statement {sid}"
            continue
        for fault in _faults(denies[sid], guarantee, purpose, deployed):
            yield f"{sid} in the policy of {name} {fault}"


def _faults(statement: Statement, guarantee: Guarantee, purpose: str, deployed: Deployed) -> Iterator[str]:
    denied = {action.lower() for action in statement.actions}
    let = [action for action in guarantee.actions if action not in denied and "s3:*" not in denied]
    if let:
        yield f"does not deny {', '.join(let)}"
    whole = f":::{deployed.buckets[purpose]}{guarantee.on}"
    if not any(resource.endswith(whole) for resource in statement.resources):
        yield f"does not cover all of {whole.removeprefix(':::')}"
    for operator, keys in statement.conditions.items():
        for key, values in keys.items():
            meant = guarantee.conditions.get((operator.lower(), key.lower()))
            if meant is None:
                yield f"binds only by {operator} {key}"
            elif not _as_meant(meant, values, purpose, deployed):
                yield f"spares {', '.join(values)} by {operator} {key}"


def _as_meant(meant: str, values: tuple[str, ...], purpose: str, deployed: Deployed) -> bool:
    if meant == _EXEMPT:
        return all(value.startswith(deployed.exempt) for value in values)
    if meant == _SERVICE_ROLES:
        return set(values) >= set(deployed.role_arns)
    fixed = {_VPC: deployed.vpc_id, _KEY: deployed.bucket_keys[purpose]}
    return values == (fixed.get(meant, meant),)
