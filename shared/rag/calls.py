"""What a model call is for: set by the caller, read where calls are admitted and counted."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Purpose(StrEnum):
    """Why a model is asked."""

    QUERY = "query"
    EXTRACT = "extract"
    COMMIT = "commit"
    OTHER = "other"


class Urgency(IntEnum):
    """Which calls go first where they have to wait."""

    QUERY = 0
    """Somebody waits for the answer."""
    COMMIT = 1
    """A whole group of documents waits for a few calls, and one writer with it."""
    REST = 2


@dataclass(frozen=True)
class CallContext:
    """On whose account the calls go."""

    purpose: Purpose = Purpose.OTHER
    workspace: str = ""
    task_id: str = ""
    """Empty where there is no task, or no single one: a question, or a group of documents."""

    @property
    def urgency(self) -> Urgency:
        """How urgent the calls are."""
        return _URGENCIES.get(self.purpose, Urgency.REST)


_URGENCIES = {Purpose.QUERY: Urgency.QUERY, Purpose.COMMIT: Urgency.COMMIT}


_current: ContextVar[CallContext] = ContextVar("call_context", default=CallContext())  # noqa: B039 - frozen


@contextmanager
def call_context(purpose: Purpose, *, workspace: str, task_id: str = "") -> Iterator[None]:
    """Say what all model calls inside the `with` block are for, those of its tasks included."""
    token = _current.set(CallContext(purpose, workspace, task_id))
    try:
        yield
    finally:
        _current.reset(token)


def current_call() -> CallContext:
    """Return what the calls of this task are for."""
    return _current.get()
