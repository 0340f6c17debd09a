"""`python -m worker.beat`: sends the sweeper's, the cleaner's and the backups' messages, no others.

It loads none of the stages, LightRAG least of all, so it stays small.
"""

import sys

from celery import Celery

from shared.connections import broker_url
from shared.contract.celery_options import shared_options
from shared.errors import SettingsError
from shared.logs import configure_logs
from shared.settings import Settings, load_settings
from worker.celery_logs import keep_celery_from_logging
from worker.celery_options import worker_options


def run_beat(settings: Settings) -> None:
    """Send messages until SIGTERM; of two beats, one sends and the other waits to take over."""
    configure_logs(level=settings.log.level, form=settings.log.format, secrets=settings.secrets())
    app = Celery("ragfleet")
    app.conf.update(shared_options(broker_url(settings)))
    app.conf.update(worker_options(settings))
    keep_celery_from_logging()
    app.Beat(
        scheduler_cls="redbeat.RedBeatScheduler",
        loglevel=settings.log.level,
        quiet=settings.log.format == "json",  # its banner is no line of JSON
    ).run()


def main() -> None:
    """Read the settings and send until SIGTERM."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.exit(str(error))
    run_beat(settings)


if __name__ == "__main__":
    main()
