"""What IAM was asked while the cloud ran: who was allowed what, and which statement refused.

For tests that hold a role's permissions against what it did, and that say which control stopped an attack.
"""

import threading
from collections import deque
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id

# Refusals are rare; the oldest are forgotten.
KEPT = 20_000


class Calls:
    """Every authorization of a role's session. Allowed ones are kept once for each role and action."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._allowed: dict[tuple[str, str], set[str]] = {}
        self._refused: deque[dict[str, str]] = deque(maxlen=KEPT)

    def watch(self) -> None:
        """From now on. To be called last: what closes a gap in the decision must have had its say."""
        enforce = iam_evaluator.enforce

        def enforce_and_note(
            access_key_id: str, iam_action: str, service: str, region: str, resource_arn: str = "*",
            service_context: dict[str, Any] | None = None,
        ) -> Any:  # fmt: skip
            refusal = enforce(access_key_id, iam_action, service, region, resource_arn, service_context)
            if refusal is None:
                self._allow(access_key_id, iam_action)
            elif not isinstance(refusal, iam_evaluator.AuthError):
                self._refuse(refusal, iam_action, resource_arn)
            return refusal

        iam_evaluator.enforce = enforce_and_note

    def allowed(self) -> list[dict[str, Any]]:
        """`{role, action, sessions}` of everything some role was allowed."""
        with self._lock:
            return [
                {"role": role, "action": action, "sessions": sorted(sessions)}
                for (role, action), sessions in sorted(self._allowed.items())
            ]

    def refused(self, session: str) -> list[dict[str, str]]:
        """`{principal, action, resource, decision, sid, policy}` of everything refused to one session, oldest first.

        `sid` is the statement that denies and `policy` its resource's ARN; both are empty where nothing allows.
        """
        with self._lock:
            return [refusal for refusal in self._refused if refusal["principal"].endswith(f"/{session}")]

    def _allow(self, access_key_id: str, action: str) -> None:
        principal = iam_evaluator.resolve_principal(access_key_id or "", get_account_id())
        arn = str(getattr(principal, "arn", ""))
        if ":assumed-role/" not in arn:
            return
        role, _, session = arn.split(":assumed-role/", 1)[1].partition("/")
        with self._lock:
            self._allowed.setdefault((role, action), set()).add(session)

    def _refuse(self, refusal: Any, action: str, resource: str) -> None:
        with self._lock:
            self._refused.append(
                {
                    "principal": refusal.principal_arn,
                    "action": action,
                    "resource": resource,
                    "decision": refusal.decision,
                    "sid": refusal.matched_sid or "",
                    "policy": refusal.resource_policy_arn,
                }
            )


calls = Calls()
