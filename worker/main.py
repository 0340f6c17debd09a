"""The worker process: serves some queues until SIGTERM."""

from collections.abc import Sequence

from shared.contract.names import QueueName
from shared.logs import configure_logs
from shared.metrics.serving import serve_metrics
from shared.settings import Settings
from shared.startup import log_storage_shape
from worker.celery_app import create_celery_app
from worker.celery_logs import keep_celery_from_printing


def run_worker(settings: Settings, *, queues: Sequence[QueueName]) -> None:
    """Serve queues until SIGTERM, with threads in front of one asyncio loop.

    Raises:
        SettingsError: there is something else at METRICS_PORT.
    """
    configure_logs(level=settings.log.level, form=settings.log.format, secrets=settings.secrets())
    serve_metrics(settings.metrics)
    log_storage_shape(settings)
    quiet = []
    if settings.log.format == "json":  # what it prints for people is none
        keep_celery_from_printing()
        quiet = ["--quiet"]
    create_celery_app(settings).worker_main(
        [
            *quiet,
            "worker",
            "--pool=threads",
            f"--concurrency={settings.limits.worker_threads}",
            f"--queues={','.join(queue.value for queue in queues)}",
            f"--loglevel={settings.log.level}",
            "--without-gossip",
            "--without-mingle",
        ]
    )
