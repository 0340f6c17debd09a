"""`python -m worker.beat`: sends the sweeper's, the cleaner's and the backups' messages, no others.

It loads none of the stages, LightRAG least of all, so it stays small. Where metrics are wanted it
also looks at the queues; see `worker.watch`.
"""

import sys
from functools import partial

from celery import Celery

from shared.connections import broker_url, ledger_url
from shared.contract.celery_options import shared_options
from shared.errors import SettingsError
from shared.logs import configure_logs
from shared.metrics.serving import serve_metrics
from shared.settings import Settings, load_settings
from worker.celery_logs import keep_celery_from_logging
from worker.celery_options import worker_options
from worker.watch.leadership import Leadership, WatchedScheduler


def run_beat(settings: Settings) -> None:
    """Send messages until SIGTERM; of two beats, one sends and the other waits to take over.

    Raises:
        SettingsError: metrics are wanted, and cannot be had as the settings say.
    """
    configure_logs(level=settings.log.level, form=settings.log.format, secrets=settings.secrets())
    app = Celery("ragfleet")
    app.conf.update(shared_options(broker_url(settings)))
    app.conf.update(worker_options(settings))
    keep_celery_from_logging()
    leadership = Leadership()
    serve_metrics(settings.metrics)
    if settings.metrics.port or settings.cloudwatch.enabled:
        _watch(app, settings, leadership)
    scheduler = partial(WatchedScheduler, leadership=leadership)
    app.Beat(
        scheduler_cls=scheduler,
        loglevel=settings.log.level,
        quiet=settings.log.format == "json",  # its banner is no line of JSON
    ).run()


def _watch(app: Celery, settings: Settings, leadership: Leadership) -> None:
    from shared.ledger.ledger import Ledger  # noqa: PLC0415 - 30 MB that only a watch needs
    from shared.metrics.process import PROCESS  # noqa: PLC0415 - with it
    from worker.cloudwatch.opening import open_publisher  # noqa: PLC0415 - same
    from worker.watch.broker import Broker  # noqa: PLC0415 - same
    from worker.watch.collector import FleetCollector  # noqa: PLC0415 - same
    from worker.watch.watcher import Watcher  # noqa: PLC0415 - same

    collector = FleetCollector()
    PROCESS.register(collector)
    Watcher(
        open_ledger=partial(Ledger.open, ledger_url(settings), pool_size=1),
        broker=Broker(app, broker_url(settings)),
        leadership=leadership,
        collector=collector,
        publisher=open_publisher(settings),
    ).start()


def main() -> None:
    """Read the settings and send until SIGTERM."""
    try:
        run_beat(load_settings())
    except SettingsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
