"""When a worker is worth sparing: while it works, but not for so long that nothing can be deployed.

ECS waits for protected tasks before it ends a deployment. In a fleet that always has work each
worker would be protected for ever, so after a while it stands unprotected for a moment. What is
running then is handed back when the process is stopped, and is done again by another one.
"""

from dataclasses import dataclass, field


@dataclass
class ProtectionRule:
    """What runs, and since when; all times are of one clock that only grows."""

    # Long enough for all but the longest pieces of work; a deployment waits that long at most,
    # and for what was running before.
    stretch_s: float = 300.0
    # ECS looks at its services every now and then; how often is not documented.
    gap_s: float = 60.0
    # Small documents follow each other within seconds: not two requests for each.
    linger_s: float = 10.0
    _running: dict[str, float] = field(default_factory=dict)
    _protected_since_s: float | None = None
    _idle_since_s: float = 0.0
    _gap_until_s: float = float("-inf")

    def began(self, task_id: str, now_s: float) -> None:
        """Count a piece of work in."""
        self._running[task_id] = now_s

    def ended(self, task_id: str, now_s: float) -> None:
        """Count it out."""
        self._running.pop(task_id, None)
        self._idle_since_s = now_s

    @property
    def idle(self) -> bool:
        """Whether nothing runs."""
        return not self._running

    def wants(self, now_s: float) -> bool:
        """Say whether the process is to be protected now."""
        if now_s < self._gap_until_s:
            return False
        if self._protected_since_s is None:
            if self._running:
                self._protected_since_s = now_s
            return bool(self._running)
        if self._stretch_is_over(self._protected_since_s + self.stretch_s, now_s):
            self._protected_since_s = None
            self._gap_until_s = now_s + self.gap_s
            return False
        if not self._running and now_s >= self._idle_since_s + self.linger_s:
            self._protected_since_s = None
            return False
        return True

    def _stretch_is_over(self, end_s: float, now_s: float) -> bool:
        """Whether it is time, and what ran at its end has ended since."""
        return now_s >= end_s and all(began_s >= end_s for began_s in self._running.values())
