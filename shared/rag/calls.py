"""What a model call is for: set by the caller, read where calls are admitted and counted."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """Why a model is asked; a query goes before everything else."""

    QUERY = "query"
    EXTRACT = "extract"
    COMMIT = "commit"
    OTHER = "other"


@dataclass(frozen=True)
class CallContext:
    """On whose account the calls go."""

    purpose: Purpose = Purpose.OTHER
    workspace: str = ""
    task_id: str = ""
    """Empty where there is no task, or no single one: a question, or a group of documents."""


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
