"""Serves the registry of a process that answers no HTTP otherwise: workers and beat."""

from prometheus_client import start_http_server

from shared.errors import SettingsError
from shared.logs import get_logger
from shared.metrics.process import PROCESS
from shared.settings_monitoring import MetricsSettings

_log = get_logger(__name__)


def serve_metrics(settings: MetricsSettings) -> None:
    """Answer Prometheus in a thread until the process ends; METRICS_PORT=0: do nothing.

    Raises:
        SettingsError: the address is taken, or none of this machine's.
    """
    if not settings.port:
        return
    try:
        start_http_server(settings.port, settings.host, PROCESS)
    except OSError as error:
        sentence = (
            f"Nothing can listen on METRICS_HOST={settings.host}, METRICS_PORT={settings.port}: "
            f"{error.strerror}; choose another port, or 0 for no metrics."
        )
        raise SettingsError(sentence) from None
    _log.info("metrics_served", host=settings.host, port=settings.port)
