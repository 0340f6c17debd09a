"""The worker process: serves some queues until SIGTERM."""

from collections.abc import Sequence

from shared.contract.names import QueueName
from shared.logs import configure_logs
from shared.settings import Settings
from shared.startup import log_storage_shape
from worker.celery_app import create_celery_app


def run_worker(settings: Settings, *, queues: Sequence[QueueName]) -> None:
    """Serve queues until SIGTERM, with threads in front of one asyncio loop."""
    configure_logs(level=settings.log.level, form=settings.log.format, secrets=settings.secrets())
    log_storage_shape(settings)
    # Its banner is for people, and in a log of JSON it is none.
    quiet = ["--quiet"] if settings.log.format == "json" else []
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
