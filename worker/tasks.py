"""Celery's view of the handlers: one thin task for each message name."""

from typing import Any

from celery import Celery

from shared.contract.names import TaskName
from shared.errors import LedgerUnavailableError
from shared.logs import get_logger
from worker.context import WorkerContext
from worker.handlers import handle
from worker.runtime import Runtime

_log = get_logger(__name__)


def register_tasks(app: Celery, runtime: Runtime[WorkerContext]) -> None:
    """Make a Celery task of every message name."""
    for name in TaskName:
        _register(app, runtime, name)


def _register(app: Celery, runtime: Runtime[WorkerContext], name: TaskName) -> None:
    # Late acknowledgement: a killed process's messages come back; leases make that harmless.
    @app.task(name=name.value, acks_late=True, acks_on_failure_or_timeout=True)  # type: ignore[untyped-decorator] # celery is untyped
    def task(**body: Any) -> None:  # noqa: ANN401 - a message body
        try:
            runtime.run(lambda context: handle(name, body, context))
        except LedgerUnavailableError:
            # Nothing could be claimed or written down; the sweeper sends the message again.
            _log.warning("message_dropped_ledger_unavailable", message=name.value)
