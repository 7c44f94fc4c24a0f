"""The report page: one HTML file that fetches nothing, and the same facts as JSON."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from tunegate.model import Finding
from tunegate.rows import finding_to_json
from tunegate_cli.versions import room_of

PHASES = ("waiting", "inspect", "scan", "judge", "settle", "alert")
"""What a file goes through, in order; the last step of each file only ends the one before it."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to a file, `at` ISO 8601 in UTC. `phase` is what begins then, if anything."""

    name: str
    at: str
    phase: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file ended: empty for an upload that was refused."""

    bucket: str = ""
    version_id: str = ""

    @property
    def room(self) -> str:
        return room_of(self.bucket)


@dataclass(frozen=True, slots=True)
class FileStory:
    """One uploaded file from its upload to its settling. `state` is a verdict, `refused` or `scanning`."""

    key: str
    what: str
    size: int
    expected: str
    state: str
    reason: str
    version_id: str
    place: Place
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    policy_digest: str = ""
    scan_id: str = ""

    @property
    def as_expected(self) -> bool:
        return self.state == self.expected

    @property
    def seconds(self) -> float:
        """From upload to settled (not to the alert, which follows)."""
        settled = [step for step in self.steps if step.phase in ("alert", "")]
        return _between(self.steps[0].at, (settled[0] if settled else self.steps[-1]).at)


@dataclass(frozen=True, slots=True)
class ReceivedAlert:
    """An alert as the on-call endpoint received it: `envelope` is SNS's own JSON, untouched.

    One about a job has the job's ARN as `key`, no `version_id`, and names the broken `control`.
    """

    key: str
    version_id: str
    severity: str
    category: str
    verdict: str
    subject: str
    text: str
    at: str
    envelope: dict[str, Any]
    control: str = ""

    @property
    def raw(self) -> str:
        return json.dumps(self.envelope, indent=2, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Broken:
    """A control a job breaks, what it asks and what to do."""

    control: str
    title: str
    remedy: str


@dataclass(frozen=True, slots=True)
class JobStory:
    """One customization job from its creation to the gate's decision, both ISO 8601 in UTC."""

    name: str
    what: str
    arn: str
    expected: str
    approval: str
    status: str
    done: str
    broken: tuple[Broken, ...]
    model: str
    created_at: str
    decided_at: str


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold of the whole run, and each way in which it did not."""

    name: str
    what: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """A whole run. Files are in the order of their uploads, alerts in that of their arrival."""

    started_at: str
    finished_at: str
    files: Sequence[FileStory]
    alerts: Sequence[ReceivedAlert]
    checks: Sequence[Check]
    jobs: Sequence[JobStory] = ()

    @property
    def problems(self) -> list[str]:
        return [problem for check in self.checks for problem in check.problems]

    @cached_property
    def states(self) -> Counter[str]:
        return Counter(file.state for file in self.files)

    @property
    def seconds(self) -> float:
        return max((_between(self._origin, step.at) for file in self.files for step in file.steps), default=0.0)

    @cached_property
    def _origin(self) -> str:
        return min(file.steps[0].at for file in self.files)

    def bars(self, file: FileStory) -> list[dict[str, Any]]:
        """The phases of a file as parts of the run, in percent of its length."""
        whole = self.seconds or 1.0
        return [
            {
                "phase": step.phase,
                "left": 100 * _between(self._origin, step.at) / whole,
                "width": 100 * _between(step.at, after.at) / whole,
                "seconds": _between(step.at, after.at),
            }
            for step, after in zip(file.steps, file.steps[1:], strict=False)
            if step.phase
        ]

    def alerts_on(self, job: JobStory) -> list[ReceivedAlert]:
        return [alert for alert in self.alerts if alert.key == job.arn]

    def alerts_of(self, file: FileStory) -> list[ReceivedAlert]:
        return [alert for alert in self.alerts if (alert.key, alert.version_id) == (file.key, file.version_id)]

    def to_json(self) -> dict[str, Any]:
        return {
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "passed": not self.problems,
            "problems": self.problems,
            "states": dict(self.states),
            "files": [_file_json(file) for file in self.files],
            "jobs": [asdict(job) for job in self.jobs],
            "alerts": [asdict(alert) for alert in self.alerts],
            "checks": [asdict(check) for check in self.checks],
        }


def render(report: Report) -> str:
    """The page. Everything in it is escaped: keys and reasons are other people's words."""
    environment = Environment(
        loader=PackageLoader("tunegate_cli"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"bytes": _bytes, "clock": _clock, "duration": _duration, "since": _between}
    return environment.get_template("report.html.j2").render(report=report, phases=PHASES)


def _file_json(file: FileStory) -> dict[str, Any]:
    findings = [finding_to_json(finding) for finding in file.findings]
    return asdict(file) | {"findings": findings, "as_expected": file.as_expected, "seconds": file.seconds}


def _between(begin: str, end: str) -> float:
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds(), 3)


def _clock(at: str) -> str:
    return datetime.fromisoformat(at).strftime("%H:%M:%S")


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def _bytes(size: int) -> str:
    return f"{size} B" if size < 1024 else f"{size / 1024:.1f} KB" if size < 1024**2 else f"{size / 1024**2:.1f} MB"
