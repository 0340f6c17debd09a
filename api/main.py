"""The API process: `uvicorn --factory api.main:app`."""

from fastapi import FastAPI

from shared.logs import configure_logs
from shared.rag.environment import publish_environment
from shared.settings import load_settings


def app() -> FastAPI:
    """Make the application from the environment."""
    settings = load_settings()
    configure_logs(level=settings.log.level, form=settings.log.format)
    publish_environment(settings)
    from api.app import create_app  # noqa: PLC0415 - LightRAG reads the environment when imported

    return create_app(settings)
