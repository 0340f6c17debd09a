"""The API process: `python -m api`, or `uvicorn --factory api.main:app`."""

import sys

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from shared.errors import SettingsError
from shared.logs import configure_logs
from shared.settings import Settings, load_settings
from shared.startup import require_servers

# Longer than most answers, shorter than what supervisors wait before they kill.
_DRAIN_S = 10


def app() -> FastAPI:
    """Make the application from the environment."""
    settings = load_settings()
    require_servers(settings)
    configure_logs(level=settings.log.level, form=settings.log.format, secrets=settings.secrets())
    return create_app(settings)


def serve(settings: Settings, application: FastAPI) -> None:
    """Answer requests until SIGTERM or SIGINT, then finish those that run."""
    configure_logs(level=settings.log.level, form=settings.log.format, secrets=settings.secrets())
    uvicorn.run(
        application,
        host=settings.api.host,
        port=settings.api.port,
        lifespan="on",
        ws="none",
        log_config=None,  # our own covers its loggers
        access_log=False,  # the middleware's line has more in it
        server_header=False,
        timeout_graceful_shutdown=_DRAIN_S,
    )


def main() -> None:
    """Run the API over servers."""
    try:
        settings = load_settings()
        require_servers(settings)
    except SettingsError as error:
        sys.exit(str(error))
    serve(settings, create_app(settings))
