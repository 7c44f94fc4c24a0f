"""What was deployed, as the job gate's functions find it in their environment."""

import os
from collections.abc import Callable
from typing import Any

from tunegate.estate_facts import Deployed
from tunegate.handler import setting
from tunegate.job_facts import Expected
from tunegate.observe.facts import Sources
from tunegate.observe.policies import current_policy
from tunegate.verify import Gate

NONE = "none"
"""Stands for an optional setting that was left out: an empty variable would look like a forgotten one."""


def gate(client: Callable[[str], Any]) -> Gate:
    """The job gate under the policy in force now."""
    sources = Sources(client, setting("LEDGER_TABLE"), setting("EVIDENCE_BUCKET"))
    return Gate(sources, current_policy(client("s3"), setting("POLICY_BUCKET")), expected())


def expected() -> Expected:
    """The names that jobs are held to. Account and Region are those of the model key."""
    model_key = setting("MODEL_KEY_ARN")
    region, account = model_key.split(":")[3:5]
    return Expected(
        account,
        region,
        setting("APPROVED_BUCKET"),
        setting("OUTPUT_BUCKET"),
        setting("DATA_KEY_ARN"),
        model_key,
        frozenset(names("SUBNET_IDS")),
        frozenset(names("SECURITY_GROUP_IDS")),
        optional("PERMISSIONS_BOUNDARY_ARN"),
    )


def names(name: str) -> tuple[str, ...]:
    """A setting that holds several names with commas between."""
    return tuple(part.strip() for part in setting(name).split(",") if part.strip())


def optional(name: str) -> str:
    """A setting that may be left out; empty then."""
    value = os.environ.get(name, "")
    return "" if value == NONE else value


def deployed() -> Deployed:
    """Everything the stack protects, for the audit."""
    data, quarantine = setting("DATA_KEY_ARN"), setting("QUARANTINE_KEY_ARN")
    purposes = ("intake", "approved", "quarantine", "output", "evidence", "policy")
    return Deployed(
        buckets={purpose: setting(f"{purpose.upper()}_BUCKET") for purpose in purposes},
        bucket_keys={purpose: quarantine if purpose == "quarantine" else data for purpose in purposes},
        keys={
            "data": data,
            "quarantine": quarantine,
            "messaging": setting("MESSAGING_KEY_ARN"),
            "model": setting("MODEL_KEY_ARN"),
        },
        role_arns=(setting("CUSTOMIZATION_ROLE_ARN"), setting("IMPORT_ROLE_ARN")),
        rule_names=names("RULE_NAMES"),
        vpc_id=setting("VPC_ID"),
        exempt=names("EXEMPT_PRINCIPALS"),
        gate_roles=tuple(setting("GATE_ROLES_ARN") + name for name in names("GATE_ROLES")),
        alerts_topic=setting("ALERTS_TOPIC_ARN"),
        ledger_arn=setting("LEDGER_TABLE_ARN"),
        mapped_functions=names("MAPPED_FUNCTIONS"),
    )
