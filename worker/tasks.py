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
    @app.task(name=name.value, bind=True, acks_late=True, acks_on_failure_or_timeout=True)  # type: ignore[untyped-decorator] # celery is untyped
    def task(self: Any, **body: Any) -> None:  # noqa: ANN401 - celery's task, a message body
        headers = trace_headers(self.request.headers)
        try:
            runtime.run(lambda context: handle(name, body, context, headers=headers))
        except LedgerUnavailableError:
            # Nothing could be claimed or written down; the sweeper sends the message again.
            _log.warning("message_dropped_ledger_unavailable", message=name.value, **body)


def trace_headers(found: Any) -> dict[str, str]:  # noqa: ANN401 - whatever a message brings
    """Return those headers of a message that name the trace it was sent from."""
    known = found if isinstance(found, dict) else {}
    return {
        name: value
        for name in ("traceparent", "tracestate")
        if isinstance(value := known.get(name), str)
    }
