"""The worker's Celery application: its tasks and the signals of its process."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from celery import Celery, signals

from shared.connections import broker_url
from shared.contract.celery_options import shared_options
from shared.contract.celery_sender import CelerySender
from shared.logs import get_logger
from shared.settings import Settings
from shared.tracing.starting import traced_process
from worker.broken_channels import outlive_the_broker
from worker.celery_logs import keep_celery_from_logging
from worker.celery_options import DRAIN_S, worker_options
from worker.context import WorkerContext
from worker.ecs.protection import connect_protection
from worker.ingestion.chunking import chunks_of_a_full_batch
from worker.prefetch_slots import PrefetchSlots
from worker.pulse import Pulse
from worker.resources import open_context
from worker.runtime import Runtime
from worker.tasks import register_tasks

_log = get_logger(__name__)


def create_celery_app(settings: Settings) -> Celery:
    """Assemble the worker; nothing is opened before Celery starts it."""
    app = Celery("ragfleet")
    app.conf.update(shared_options(broker_url(settings)))
    app.conf.update(worker_options(settings))
    pulse = Pulse(settings.worker.pulse_file) if settings.worker.pulse_file else None
    runtime: Runtime[WorkerContext] = Runtime(lambda: _traced_context(settings, pulse))
    keep_celery_from_logging()
    outlive_the_broker()
    register_tasks(app, runtime)
    _connect_signals(runtime)
    PrefetchSlots(per_batch=chunks_of_a_full_batch(settings.indexing)).connect()
    connect_protection(settings)
    if pulse is not None:
        pulse.connect(app)
    return app


@asynccontextmanager
async def _traced_context(settings: Settings, pulse: Pulse | None) -> AsyncIterator[WorkerContext]:
    async with (
        traced_process(settings, service="lightrag-fleet-worker"),
        open_context(settings, CelerySender(broker_url(settings))) as context,
    ):
        if pulse is None:
            yield context
            return
        async with pulse.written_regularly(context.sender):
            yield context


def _connect_signals(runtime: Runtime[WorkerContext]) -> None:
    @signals.worker_init.connect(weak=False)  # type: ignore[untyped-decorator] # celery is untyped
    def _open(**_: Any) -> None:  # noqa: ANN401 - celery's arguments
        try:
            runtime.start()
        except Exception as error:
            # Celery swallows what a signal handler raises; SystemExit gets through.
            _log.exception("worker_cannot_start")
            raise SystemExit(1) from error

    @signals.worker_ready.connect(weak=False)  # type: ignore[untyped-decorator] # celery is untyped
    def _quit_is_term(**_: Any) -> None:  # noqa: ANN401 - celery's arguments
        # A threads pool cannot stop cold, so SIGQUIT drains as SIGTERM does.
        signal.signal(signal.SIGQUIT, signal.getsignal(signal.SIGTERM))

    @signals.worker_shutting_down.connect(weak=False)  # type: ignore[untyped-decorator] # celery is untyped
    def _drain(**_: Any) -> None:  # noqa: ANN401 - celery's arguments
        runtime.drain(DRAIN_S)

    @signals.worker_shutdown.connect(weak=False)  # type: ignore[untyped-decorator] # celery is untyped
    def _close(**_: Any) -> None:  # noqa: ANN401 - celery's arguments
        runtime.stop()
