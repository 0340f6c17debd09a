"""The worker's Celery application: options of its own, signals, and the schedule of the sweeper."""

import signal
from datetime import timedelta
from typing import Any

from celery import Celery, signals

from shared.connections import broker_url
from shared.contract.celery_options import shared_options
from shared.contract.celery_sender import CelerySender
from shared.contract.names import TaskName
from shared.logs import get_logger
from shared.settings import Settings
from worker.context import WorkerContext
from worker.resources import open_context
from worker.runtime import Runtime
from worker.tasks import register_tasks

_log = get_logger(__name__)

# What running tasks get after SIGTERM before they are handed back; supervisors wait longer.
DRAIN_S = 5.0
CLEAN_INTERVAL = timedelta(minutes=10)


def create_celery_app(settings: Settings) -> Celery:
    """Assemble the worker; nothing is opened before Celery starts it."""
    app = Celery("ragfleet")
    app.conf.update(shared_options(broker_url(settings)))
    app.conf.update(_worker_options(settings))
    runtime: Runtime[WorkerContext] = Runtime(
        lambda: open_context(settings, CelerySender(broker_url(settings)))
    )
    register_tasks(app, runtime)
    _connect_signals(runtime)
    return app


def _worker_options(settings: Settings) -> dict[str, Any]:
    url = broker_url(settings)
    return {
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_send_task_events": True,
        "task_send_sent_event": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # A connection that broke does not mean that the work did.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "redbeat_redis_url": url,
        "redbeat_lock_timeout": 10,
        "beat_max_loop_interval": 2,
        "beat_schedule": {
            "sweep": {
                "task": TaskName.SWEEP.value,
                "schedule": timedelta(seconds=settings.limits.sweep_interval_s),
                # A sweep that waited longer than this is of no use any more.
                "options": {"expires": settings.limits.sweep_interval_s * 5},
            },
            "clean": {"task": TaskName.CLEAN.value, "schedule": CLEAN_INTERVAL},
        },
    }


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
