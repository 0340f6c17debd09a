"""What a check says: a stable code, how it is, and one sentence."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from ops.client.failures import ExitCode


class Status(StrEnum):
    """How something is."""

    OK = "ok"
    WARNING = "warning"
    """It works; somebody should look at it some day."""
    ERROR = "error"
    SKIPPED = "skipped"
    """Nobody could look, or there is nothing to look at; the sentence says why."""


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    code: str
    """Stable, such as `doctor.redis_eviction`; docs/doctor.md explains each."""
    status: Status
    sentence: str
    """What was found and what to do; without secrets or texts of documents."""
    workspace: str | None = None
    repairable: bool = False
    """Whether --repair mends it."""
    count: int = 0
    """Of how many items it is true."""
    examples: tuple[str, ...] = ()
    """The ids of some of them."""

    def to_json(self) -> dict[str, Any]:
        """Return it as programs read it."""
        return asdict(self)


def exit_code(findings: Sequence[Finding]) -> ExitCode:
    """Return what the command ends with: warnings are no failure."""
    is_wrong = any(finding.status is Status.ERROR for finding in findings)
    return ExitCode.FAILED if is_wrong else ExitCode.FINE


@dataclass(frozen=True)
class Reporter:
    """Makes the findings of one check."""

    code: str
    workspace: str | None = None

    def ok(self, sentence: str) -> Finding:
        """All is well."""
        return Finding(self.code, Status.OK, sentence, self.workspace)

    def skipped(self, sentence: str) -> Finding:
        """Nobody could look."""
        return Finding(self.code, Status.SKIPPED, sentence, self.workspace)

    def warning(self, sentence: str, *, repairable: bool = False) -> Finding:
        """Something to look at."""
        return Finding(self.code, Status.WARNING, sentence, self.workspace, repairable)

    def error(self, sentence: str, *, repairable: bool = False) -> Finding:
        """Something is wrong."""
        return Finding(self.code, Status.ERROR, sentence, self.workspace, repairable)
