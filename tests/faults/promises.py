"""What holds after every point of failure, whatever failed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from faults.account import APPROVED, INTAKE, QUARANTINE, Account
from faults.bedrock import Bedrock
from tunegate.model import Verdict
from tunegate.observe.ledger import plain
from tunegate.rows import DecisionRow, Entity
from tunegate.subject_rows import SubjectRow

LEFT_BEHIND = {APPROVED: frozenset({"settling", "held", "flagged"}), QUARANTINE: frozenset({"settling", "held"})}
"""Verdicts of copies that a step which was cut short or taken back has left, and that nobody goes by."""


class BrokenPromiseError(AssertionError):
    """The flow did not survive the point."""


@dataclass(frozen=True)
class Ended:
    """What a flow has come to: verdicts by upload, approvals and states by subject, alerts by what they are about.

    `parts` are files of models, of which the upload's own row tells; `policy` is the document in force.
    """

    verdicts: Mapping[str, str]
    approvals: Mapping[str, str]
    states: Mapping[str, str]
    alerts: Mapping[str, int]
    parts: frozenset[str]
    policy: bytes


@dataclass
class Promises:
    """`readable` are the bodies that may ever be read: those of uploads whose verdict is clean, undisturbed."""

    account: Account
    uploaded: dict[str, bytes] = field(default_factory=dict)
    readable: set[bytes] = field(default_factory=set)
    bedrock: Bedrock = field(default_factory=Bedrock)

    def at_any_time(self) -> None:
        """No byte that was not found clean can be read, and no upload is nowhere."""
        places: Counter[bytes] = Counter()
        for bucket in (INTAKE, APPROVED, QUARANTINE):
            for version, body in self.account.versions(bucket):
                places[body] += 1
                unscanned = bucket == APPROVED and body not in self.readable
                if unscanned and self.account.verdict_on(version) == Verdict.CLEAN:
                    raise BrokenPromiseError("what was not found clean can be read")
        if self.bedrock.usable() and not self.bedrock.may_be_used:
            raise BrokenPromiseError("a model that should not be can be used")
        lost = [key for key, body in self.uploaded.items() if not places[body]]
        if lost:
            raise BrokenPromiseError(f"lost: {lost}")

    def in_the_end(self, undisturbed: Ended | None) -> Ended:
        """Each upload is where its verdict says and only there; verdicts and alerts are those of the undisturbed flow,
        or a hold with its alert."""
        self.at_any_time()
        ended = self._ended()
        self._in_one_place(ended)
        if undisturbed is None:
            return ended
        for name, verdict in ended.verdicts.items():
            if verdict not in (undisturbed.verdicts[name], "held"):
                raise BrokenPromiseError(f"{name} is {verdict}, undisturbed it is {undisturbed.verdicts[name]}")
        for name, approval in undisturbed.approvals.items():
            if ended.approvals.get(name) not in (approval, "held"):
                raise BrokenPromiseError(f"{name} is {ended.approvals.get(name)}, undisturbed it is {approval}")
            if ended.approvals[name] == approval and ended.states[name] != undisturbed.states[name]:
                raise BrokenPromiseError(f"{name} is {ended.states[name]}, undisturbed {undisturbed.states[name]}")
        if ended.policy != undisturbed.policy:
            raise BrokenPromiseError("another policy is in force than undisturbed")
        self._told(ended, undisturbed)
        return ended

    def _ended(self) -> Ended:
        rows = [plain(row) for row in self.account.rows()]
        decided = sorted((row for row in rows if row.get("entity") == Entity.DECISION), key=lambda row: row["at"])
        decisions = [DecisionRow.from_item(row) for row in decided]
        subjects = [SubjectRow.from_item(row) for row in rows if row.get("entity") == Entity.SUBJECT]
        waiting = [row["pk"] for row in rows if row.get("entity") == Entity.WAITING]
        if waiting:
            raise BrokenPromiseError(f"waits for ever: {waiting}")
        # Repeats of one alert carry the same id; receivers drop them by it.
        ids = {
            alert["alert_id"]: alert.get("object", {}).get("key") or alert["subject"]["arn"]
            for alert in self.account.alerts()
            # That something cannot be judged for want of a permission is told as a thing of its own.
            if alert["category"] != "unknown"
        }
        return Ended(
            {row.decision.subject.key: row.decision.verdict.value for row in decisions},
            {row.subject.arn: row.approval.value for row in subjects},
            self.bedrock.states(),
            Counter(ids.values()),
            frozenset(row.decision.subject.key for row in decisions if row.upload),
            self.account.policy(),
        )

    def _in_one_place(self, ended: Ended) -> None:
        places = self._places()
        for key, body in self.uploaded.items():
            verdict = ended.verdicts.get(key)
            if verdict is None:
                raise BrokenPromiseError(f"{key} has no verdict")
            copies = {bucket: places[bucket, key, body] for bucket in (INTAKE, APPROVED, QUARANTINE)}
            home = {"clean": APPROVED, "flagged": QUARANTINE, "held": INTAKE}[verdict]
            if copies[home] != 1 or (sum(copies.values()) != 1 and not self._kept_besides(key, copies, home)):
                raise BrokenPromiseError(f"{key} is {verdict} and in {copies}")

    def _places(self) -> Counter[tuple[str, str, bytes]]:
        """How often a body is kept by bucket and key, without what was left behind."""
        return Counter(
            (bucket, version.key, body)
            for bucket in (INTAKE, APPROVED, QUARANTINE)
            for version, body in self.account.versions(bucket)
            if bucket == INTAKE or self.account.verdict_on(version) not in LEFT_BEHIND[bucket]
        )

    def _kept_besides(self, key: str, copies: Mapping[str, int], home: str) -> bool:
        """What was quarantined stays there, under its retention, once it is released."""
        return home == APPROVED and copies[QUARANTINE] == 1 and copies[INTAKE] == 0

    def _told(self, ended: Ended, undisturbed: Ended) -> None:
        for name in (ended.verdicts.keys() - ended.parts) | undisturbed.alerts.keys() | ended.alerts.keys():
            due = undisturbed.alerts.get(name, 0)
            held = ended.verdicts.get(name) == "held"
            number = ended.alerts.get(name, 0)
            if number < (1 if held else due):
                raise BrokenPromiseError(f"nobody was told of {name}")
            if number > max(due, held):
                raise BrokenPromiseError(f"{name} was told of {number} times")
