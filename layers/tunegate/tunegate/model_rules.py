"""What the policy says of model uploads: the `models` section of the policy document."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class ModelRules(BaseModel):
    """Which uploads are models: everything below `<prefix><name>/` is one upload, judged as a whole.

    It is complete when its manifest says so, or when nothing was added for `quiet_seconds`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    prefix: Annotated[str, Field(pattern=r"^([^/]+/)+$", max_length=512)] = "models/"
    manifest: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+\.json$", max_length=128)] = "manifest.json"
    quiet_seconds: Annotated[int, Field(ge=1, le=86_400)] = 600
    files: Annotated[int, Field(ge=1, le=500)] = 200
    """Of one upload; one with more is held. Step Functions passes at most 256 KiB between states."""

    def upload_of(self, key: str) -> str | None:
        """The prefix of the model upload a key belongs to, or None for a training file."""
        if not key.startswith(self.prefix):
            return None
        name, slash, _ = key.removeprefix(self.prefix).partition("/")
        return f"{self.prefix}{name}/" if name and slash else None
