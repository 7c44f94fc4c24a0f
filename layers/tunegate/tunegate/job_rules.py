"""What the policy says of jobs and models: the `jobs` section of the policy document."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator

from tunegate.model import Severity

Arn = Annotated[str, Field(pattern=r"^arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:[0-9]{0,12}:.+$")]
Uri = Annotated[str, Field(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.*$")]
# In one order, so that equal documents have equal digests.
type SortedSet[T] = Annotated[frozenset[T], PlainSerializer(sorted, when_used="json")]
ControlId = Annotated[str, Field(pattern=r"^[a-z]+\.[a-z0-9_]+$")]


class Mode(StrEnum):
    """What follows from a broken blocking control: it is acted on, or only reported."""

    ENFORCE = "enforce"
    AUDIT = "audit"


class ControlRule(BaseModel):
    """How one control is treated here, where that differs from the table."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    blocking: bool | None = None
    severity: Severity | None = None


class JobRules(BaseModel):
    """Names allowed besides what was deployed with the stack, and how strictly the controls are applied."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    mode: Mode = Mode.ENFORCE
    controls: dict[ControlId, ControlRule] = {}
    allowed_model_key_arns: SortedSet[Arn] = frozenset()
    allowed_subnet_ids: SortedSet[Annotated[str, Field(pattern=r"^subnet-[0-9a-f]+$")]] = frozenset()
    allowed_security_group_ids: SortedSet[Annotated[str, Field(pattern=r"^sg-[0-9a-f]+$")]] = frozenset()
    allowed_invocation_log_uris: SortedSet[Uri] = frozenset()
    allowed_grader_arns: SortedSet[Arn] = frozenset()
    allowed_model_arns: SortedSet[Arn] = frozenset()
    """Models that were there before the gate, or whose origin a person has looked at."""
    withdrawn_policy_digests: SortedSet[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = frozenset()
    """Policies under which a clean verdict no longer counts: files with one must be scanned again."""
    delete_rejected_imports: bool = False
    """Delete an imported model that is rejected, for it can be invoked without a deployment; its files stay in S3."""

    @model_validator(mode="after")
    def _the_estate_never_blocks(self) -> Self:
        strays = sorted(name for name, rule in self.controls.items() if name.startswith("estate.") and rule.blocking)
        if strays:
            raise ValueError(f"a control of the estate has no job to block: {', '.join(strays)}")
        return self
