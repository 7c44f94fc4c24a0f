"""What an alert is, and its form for each protocol.

The chat form is Amazon Q Developer's custom notification (Amazon Q Developer in chat applications, "Custom
notifications"); amounts of text are bounded by SMS (1,600 characters) and by SNS (256 KiB).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunegate.model import Severity
from tunegate.shown import spelled_out

SUBJECT_CHARACTERS = 100
"""SNS refuses longer subjects, and any with line breaks or characters beyond ASCII."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. `alert_id` is the same whenever the same decision is told, so that receivers can drop repeats.

    An alert about a job has no bucket, and its name in place of a key; `details` then hold its `subject`.
    """

    alert_id: str
    at: str
    title: str
    text: str
    severity: Severity
    category: str
    verdict: str
    bucket: str
    key: str
    version_id: str
    details: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """What machines receive (HTTP, SQS, Lambda)."""
        return {
            "schema": "tunegate-alert-2026-11",
            "alert_id": self.alert_id,
            "at": self.at,
            "title": self.title,
            "text": self.text,
            "severity": self.severity.value,
            "category": self.category,
            "verdict": self.verdict,
            **({"object": self._object()} if self.bucket else {}),
            **self.details,
        }

    def _object(self) -> dict[str, str]:
        return {"bucket": self.bucket, "key": self.key, "version_id": self.version_id}

    def to_chat(self) -> dict[str, Any]:
        """What Amazon Q Developer in chat applications shows; other endpoints find the same facts in `metadata`."""
        facts = {
            name: value
            for name, value in (self.to_json() | (self._object() if self.bucket else self.details["subject"])).items()
            if isinstance(value, str) and name not in {"text", "title"}
        }
        return {
            "version": "1.0",
            "source": "custom",
            "id": self.alert_id,
            "content": {
                "textType": "client-markdown",
                "title": self.title,
                "description": self.text,
                "nextSteps": list(self.details.get("next_steps", [])),
                "keywords": [self.category, self.severity.value, self.verdict],
            },
            "metadata": {
                "threadId": self.alert_id,
                "summary": self.title,
                "eventType": self.verdict,
                "additionalContext": facts,
            },
        }


def text_of(title: str, facts: Mapping[str, str], steps: Sequence[str]) -> str:
    """The form for people: what, where, why, what to do. Each is one line, whatever an uploader called a file."""
    lines = [title, "", *(f"{name}: {fact}" for name, fact in facts.items()), "What to do:"]
    return "\n".join(map(spelled_out, [*lines, *(f"  - {step}" for step in steps)]))


def subject_line(alert: Alert) -> str:
    printable = "".join(c if " " <= c <= "~" else "?" for c in f"[{alert.severity.upper()}] {alert.title}")
    return printable[:SUBJECT_CHARACTERS]


def message_of(alert: Alert) -> str:
    """The message for SNS with `MessageStructure=json`: a form for each protocol."""
    machine = json.dumps(alert.to_json())
    return json.dumps(
        {
            "default": machine,
            "email": alert.text,
            "sms": f"Tunegate: {alert.title}"[:300],
            "https": json.dumps(alert.to_chat()),
            "http": machine,
            "sqs": machine,
            "lambda": machine,
        }
    )


def attributes_of(alert: Alert) -> dict[str, str]:
    """What subscriptions can filter on."""
    return {
        "severity": alert.severity.value,
        "category": alert.category,
        "verdict": alert.verdict,
        "bucket": alert.bucket or "none",
        "alert_id": alert.alert_id,
    }
