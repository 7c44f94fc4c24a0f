"""What the attacks are on: planted files with secrets, a rejected model, and probes that tell what became of them."""

import itertools
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from e2e.job_world import BASE_MODEL, RECORDS, JobWorld
from tunegate.model import ObjectVersion

SECRETS = ("536-22-8127", "AKIA3XQ7T5WNB2K9LMPD", "4012888888881881")
"""Planted in what is held and what is flagged; no log, row, evidence or alert may hold them."""
FLAGGED = json.dumps(
    {"prompt": f"My social security number is {SECRETS[0]}, my card {SECRETS[2]}.", "completion": f"Key {SECRETS[1]}."}
).encode() + b"\n"  # fmt: skip
UNREADABLE = bytes(range(256)) * 8 + SECRETS[0].encode()
ALERT_SECONDS = 60.0
_NUMBER = itertools.count(1)


@dataclass
class Ground:
    """The deployed product with something of each kind in it."""

    world: JobWorld
    run: str = field(default_factory=lambda: f"{time.time_ns():x}"[-8:])

    def name(self, output: str) -> str:
        return self.world.output(output)

    def fresh(self, suffix: str = ".jsonl") -> str:
        """A key nobody has used."""
        return f"attacks/{self.run}/{next(_NUMBER)}{suffix}"

    # --- What is there ---

    @cached_property
    def unscanned(self) -> ObjectVersion:
        """An upload that no verdict has let out of intake."""
        upload = self.world.deployment.put(self.fresh(".bin"), UNREADABLE)
        assert self.world.deployment.settled(upload).decision.verdict == "held"
        return upload

    @cached_property
    def quarantined(self) -> ObjectVersion:
        """A flagged upload where it now is."""
        row = self.world.deployment.settled(self.world.deployment.put(self.fresh(), FLAGGED))
        assert row.decision.verdict == "flagged"
        assert row.destination is not None
        return row.destination

    @cached_property
    def withdrawn(self) -> ObjectVersion:
        """A copy in approved whose verdict was taken away."""
        bucket, key = self.name("ApprovedBucket"), self.fresh()
        put = self.world.client("s3").put_object(Bucket=bucket, Key=key, Body=FLAGGED, Tagging="tunegate-verdict=held")
        return ObjectVersion(bucket, key, put["VersionId"])

    @cached_property
    def clean(self) -> ObjectVersion:
        """A file that a scan found clean."""
        return self.world.approve(self.fresh(), RECORDS)

    # --- What became of it ---

    def exists(self, version: ObjectVersion) -> bool:
        """Whether a version is still there, whatever a delete marker hides."""
        listed = self.world.client("s3").list_object_versions(Bucket=version.bucket, Prefix=version.key)
        return any(found["VersionId"] == version.version_id for found in listed.get("Versions", ()))

    def told_of(self, arn: str, controls: Iterable[str]) -> str | None:
        """The control of these that raised an alert about a subject; None where none does in good time."""
        wanted, deadline = frozenset(controls), time.monotonic() + ALERT_SECONDS
        while time.monotonic() < deadline:
            found = sorted({alert["control"] for alert in self.world.alerts(arn)} & wanted)
            if found:
                return found[0]
            time.sleep(0.2)
        return None

    def job_alert(self, key: str, *controls: str) -> str | None:
        """Train on what lies at a key of approved, as anybody who may would: which control raises the alert."""
        job = self.world.start(trainingDataConfig={"s3Uri": self.world.uri(key)})
        return self.told_of(job, controls)

    def estate_alert(self, control: str, since: int) -> str | None:
        """The control, once it raised an alert on the estate after the first `since`."""
        deadline = time.monotonic() + ALERT_SECONDS
        while time.monotonic() < deadline:
            if any(alert["control"] == control for alert in self.world.alerts("estate")[since:]):
                return control
            time.sleep(0.2)
        return None

    def estate_alerts(self) -> int:
        return len(self.world.alerts("estate"))

    def job(self, **changed: Any) -> dict[str, Any]:
        return self.world.job(**{"baseModelIdentifier": BASE_MODEL, **changed})
