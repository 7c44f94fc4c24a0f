"""The policy: which detections become findings, how severe they are, and which of them flag a file.

A policy is a JSON document. The shipped one stands in `default_policy.json`; an accepted one replaces it
without a new deployment. The digest of the validated document is on every verdict it gives.
"""

import hashlib
import json
from enum import StrEnum
from functools import cached_property
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tunegate.job_rules import JobRules, SortedSet
from tunegate.model import Category, Detection, Severity
from tunegate.model_rules import ModelRules

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Threshold = Annotated[float, Field(ge=0, le=1)]


class PolicyError(Exception):
    """A policy document that cannot be accepted; the message names each field at fault and never its value."""


class PromptAttackService(StrEnum):
    """Who judges prompt attacks besides the built-in screen."""

    GUARDRAIL_CHECKS = "guardrail_checks"
    APPLY_GUARDRAIL = "apply_guardrail"
    COMPREHEND_PROMPT_SAFETY = "comprehend_prompt_safety"
    OFF = "off"


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Rule(_Document):
    """What one finding type means: `flags` decides the verdict, a rule that only reports leaves it clean."""

    severity: Severity
    flags: bool
    threshold: Threshold = 0.5


class Limits(_Document):
    """Sizes in bytes, of the text as it is after decompression."""

    shard_bytes: Annotated[int, Field(ge=1, le=512 * 1024**2)] = 1024**2
    record_bytes: Annotated[int, Field(ge=1024, le=64 * 1024**2)] = 8 * 1024**2
    object_bytes: Annotated[int, Field(ge=1, le=50 * 1024**3)] = 20 * 1024**3


class MalwareService(StrEnum):
    """Whose answer on malware a verdict waits for, besides the built-in screen."""

    GUARDDUTY = "guardduty"
    OFF = "off"


class MacieService(StrEnum):
    """Whether a verdict on a training file waits for Macie's, or Macie looks at approved files afterwards."""

    GATE = "gate"
    MONITOR = "monitor"
    OFF = "off"


class Services(_Document):
    """Which managed services take part in a scan."""

    comprehend_pii: bool = True
    comprehend_languages: tuple[Literal["en", "es"], ...] = ("en", "es")
    comprehend_toxicity: bool = True
    prompt_attacks: PromptAttackService = PromptAttackService.GUARDRAIL_CHECKS
    malware: MalwareService = MalwareService.OFF
    malware_seconds: Annotated[int, Field(ge=1, le=86_400)] = 3_600
    macie: MacieService = MacieService.OFF
    macie_seconds: Annotated[int, Field(ge=1, le=604_800)] = 86_400
    macie_monitor_seconds: Annotated[int, Field(ge=60, le=604_800)] = 3_600


class Policy(_Document):
    """A whole policy document. `types` overrides `categories` for single finding types, e.g. `pii/NAME`."""

    schema_version: Literal["tunegate-policy-2026-11"]
    categories: dict[Category, Rule]
    types: dict[Annotated[str, Field(pattern=r"^[a-z_]+/[A-Za-z0-9_]+$")], Rule] = {}
    services: Services = Services()
    limits: Limits = Limits()
    jobs: JobRules = JobRules()
    models: ModelRules = ModelRules()
    allowed_value_digests: SortedSet[Sha256] = frozenset()

    @field_validator("categories")
    @classmethod
    def _every_category_has_a_rule(cls, rules: dict[Category, Rule]) -> dict[Category, Rule]:
        missing = sorted(set(Category) - set(rules))
        if missing:
            raise ValueError(f"no rule for: {', '.join(missing)}")
        return rules

    @field_validator("types")
    @classmethod
    def _types_lie_in_a_category(cls, rules: dict[str, Rule]) -> dict[str, Rule]:
        strays = sorted(name for name in rules if name.split("/")[0] not in set(Category))
        if strays:
            raise ValueError(f"{len(strays)} entry names begin with no known category")
        return rules

    @cached_property
    def digest(self) -> str:
        """Hex SHA-256 of the validated document in canonical JSON: equal policies have equal digests."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    def canonical(self) -> str:
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))

    def rule(self, category: Category, kind: str) -> Rule:
        return self.types.get(f"{category}/{kind}") or self.categories[category]

    def keeps(self, detection: Detection) -> bool:
        """Whether a detection counts at all: over its threshold, and not a value the policy allows."""
        if detection.value_digest is not None and detection.value_digest in self.allowed_value_digests:
            return False
        return detection.score >= self.rule(detection.category, detection.type).threshold


def parse_policy(document: str | bytes) -> Policy:
    """Read a policy document (JSON), or raise `PolicyError` naming every field at fault."""
    try:
        return Policy.model_validate_json(document)
    except ValidationError as error:
        faults = [
            f"{_path(fault['loc'])}: {fault['msg']}" for fault in error.errors(include_input=False, include_url=False)
        ]
        raise PolicyError("; ".join(faults)) from None


def default_policy() -> Policy:
    """The policy shipped with this version."""
    return parse_policy((files("tunegate") / "default_policy.json").read_bytes())


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in location) or "document"
