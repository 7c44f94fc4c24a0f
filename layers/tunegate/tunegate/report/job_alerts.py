"""Alerts about jobs, models and the estate: one for each broken control, one for each missing permission."""

import shlex
from collections.abc import Mapping
from typing import Any

from tunegate.job_facts import GATES_VERDICT
from tunegate.job_rules import Mode
from tunegate.judge.controls.table import BY_ID
from tunegate.judge.controls.why import WHY
from tunegate.model import Severity
from tunegate.report.alert import Alert, text_of
from tunegate.rows import Entity
from tunegate.shown import spelled_out
from tunegate.subject import Approval, Kind
from tunegate.subject_rows import subject_digest

_WHAT = {
    Kind.CUSTOMIZATION_JOB: "Customization job",
    Kind.IMPORT_JOB: "Import job",
    Kind.COPY_JOB: "Copy job",
    Kind.CUSTOM_MODEL: "Custom model",
    Kind.IMPORTED_MODEL: "Imported model",
    Kind.THROUGHPUT: "Provisioned throughput",
    Kind.DEPLOYMENT: "Model deployment",
    Kind.TRAINING_JOB: "SageMaker training job",
    Kind.MODEL_PACKAGE: "SageMaker model package",
    Kind.ESTATE: "The estate",
}
_MOST_LISTED = 5


def job_alert(item: Mapping[str, Any]) -> Alert | None:
    """The alert a breach's or a gap's row calls for, or None for one that is over."""
    # Of what rests on something held, only that something is told of.
    if "resolved_at" in item or item.get("action") == GATES_VERDICT:
        return None
    return _breach(item) if item["entity"] == Entity.BREACH else _gap(item)


def _breach(item: Mapping[str, Any]) -> Alert:
    control = BY_ID[item["control"]]
    steps = [control.remedy, f"Read what the control asks and why: tunegate explain {control.id}"]
    details = [str(detail) for detail in item["details"]]
    more = int(item["details_total"]) - _MOST_LISTED
    listed = details[:_MOST_LISTED] + ([f"and {more} more"] if more > 0 else [])
    title = f"{_WHAT[Kind(item['kind'])]} breaks {control.id}: {item['name']}"
    what = f"{control.title}: this one does not. " + "; ".join(listed) + "."
    return _alert(item, control.id, title, what, WHY[control.id.partition(".")[0]], Severity(item["severity"]), steps)


def _gap(item: Mapping[str, Any]) -> Alert:
    controls = ", ".join(item["controls"][:_MOST_LISTED]) or "what serves the model"
    title = f"{_WHAT[Kind(item['kind'])]} cannot be judged for want of {item['action']}: {item['name']}"
    what = f"{item['action']} on {item['resource']} answered {item['error']}, so this is unknown: {controls}."
    steps = [f"Give the gate's role {item['action']} on {item['resource']}, then: {_look_again(item)}"]
    return _alert(
        item,
        item["sk"].removeprefix("gap#"),
        title,
        what,
        "Unknown is not a pass: nothing is approved on it.",
        Severity.HIGH,
        steps,
    )


def _alert(
    item: Mapping[str, Any], cause: str, title: str, what: str, why: str, severity: Severity, steps: list[str]
) -> Alert:
    steps = [*steps, *([] if item["kind"] == Kind.ESTATE else [f"See all that is known of it: {_look(item)}"])]
    title = spelled_out(title)
    facts = {"What": what, "Where": item["arn"], "What was done": _done(item), "Why it matters": why}
    text = text_of(title, facts, steps)
    details = {
        "subject": {"arn": item["arn"], "kind": item["kind"], "name": item["name"]},
        "control": item.get("control", ""),
        "controls": list(item.get("controls", [item.get("control", "")])),
        "blocking": bool(item.get("blocking", False)),
        "mode": item["mode"],
        "next_steps": steps,
    }
    alert_id = f"{subject_digest(item['arn'])[:24]}-{cause}-{item['at']}"
    category = cause.partition(".")[0] if "control" in item else "unknown"
    return Alert(alert_id, item["at"], title, text, severity, category, item["approval"], "", item["name"], "", details)


def _done(item: Mapping[str, Any]) -> str:
    if item["done"]:
        return f"The gate {item['done']}."
    if item["kind"] == Kind.ESTATE:
        return "Nothing: the gate reports the estate and leaves it as it is."
    if item["mode"] == Mode.AUDIT:
        return "Nothing: the policy's mode is audit, which reports."
    if item["approval"] == Approval.HELD:
        return "It is not approved, so nothing it made can be used through the invoker role."
    if not item.get("blocking", True):
        return "Nothing: this control reports and does not block."
    return "It is rejected: what it made or will make is not approved."


def _look(item: Mapping[str, Any]) -> str:
    return f"tunegate jobs {shlex.quote(item['arn'])}"


def _look_again(item: Mapping[str, Any]) -> str:
    return "tunegate audit" if item["kind"] == Kind.ESTATE else f"{_look(item)} --verify"
