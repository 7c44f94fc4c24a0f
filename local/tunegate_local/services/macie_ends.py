"""How Macie's jobs are to end, for tests to say."""

from dataclasses import dataclass


@dataclass
class Ends:
    """How jobs end from now on, and whether with an error. What does not end `COMPLETE` looks at nothing."""

    status: str = "COMPLETE"
    error: bool = False

    def set(self, status: str = "COMPLETE", *, error: bool = False) -> None:
        """For the jobs that end after this."""
        if status not in {"COMPLETE", "PAUSED", "USER_PAUSED", "CANCELLED"}:
            raise ValueError("status must be one that a one-time job can end in")
        self.status, self.error = status, bool(error)


ends = Ends()
