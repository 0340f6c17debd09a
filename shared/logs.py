"""Structured logs: static event names, ids as fields, one line an event, never document text."""

import logging
import sys
from typing import Any, Literal

import structlog

Logger = structlog.stdlib.BoundLogger
# Chatty libraries whose INFO lines cost CPU and tell users nothing.
_QUIET_LOGGERS = (
    "lightrag",
    "httpx",
    "openai",
    "neo4j",
    "nano-vectordb",
    "pdfminer",
    "alembic",
    # Two lines a message; what became of the work is in our own.
    "celery.app.trace",
    "celery.worker.strategy",
)


def configure_logs(*, level: str, form: Literal["console", "json"]) -> None:
    """Send structlog and stdlib records to standard error, as JSON lines or for people."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level.upper())
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.root.level))


def get_logger(name: str) -> Logger:
    """Return the structured logger of one module."""
    logger: Logger = structlog.stdlib.get_logger(name)
    return logger


def bind(**fields: Any) -> None:  # noqa: ANN401 - log fields are any JSON value
    """Add fields to every line of the current task until `clear`."""
    structlog.contextvars.bind_contextvars(**fields)


def clear() -> None:
    """Forget the bound fields; called where a request or message ends."""
    structlog.contextvars.clear_contextvars()
