"""Structured logs: static event names, ids as fields, one line an event, never document text."""

import logging
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import structlog

from shared.redaction import Redact, redactor_of
from shared.tracing import spans

Logger = structlog.stdlib.BoundLogger
# Chatty libraries whose INFO lines cost CPU and tell users nothing, and those whose DEBUG lines
# quote what passes through them: statements with their values, requests with their signatures.
_QUIET_LOGGERS = (
    "httpx",
    "httpcore",
    "openai",
    "neo4j",
    "nano-vectordb",
    "pdfminer",
    "alembic",
    "aiosqlite",
    "sqlalchemy",
    "asyncpg",
    "boto3",
    "botocore",
    "s3transfer",
    "urllib3",
    "python_multipart",
    # Two lines a message; what became of the work is in our own.
    "celery.app.trace",
    "celery.worker.strategy",
)
# Those with handlers of their own, when somebody else set them up before us.
_SERVER_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")
_LIGHTRAG = "lightrag"
# Names that we gave, none of which can be a secret.
_OURS = frozenset({"level", "timestamp", "logger"})


def configure_logs(
    *, level: str, form: Literal["console", "json"], secrets: Iterable[str] = ()
) -> None:
    """Send structlog and stdlib records to standard error, as JSON lines or for people.

    Args:
        level: the least that is written.
        form: `json` also makes lines of Python's warnings and of errors that end a thread.
        secrets: what no line may show; passwords in addresses are hidden in any case.
    """
    before = _processors()
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = _Handler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _Redaction(redactor_of(secrets)),
                _renderer(form),
            ],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level.upper())
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.root.level))
    for name in _SERVER_LOGGERS:
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    _take_lightrag_over(handler)
    if form == "json":
        logging.captureWarnings(capture=True)
        sys.excepthook = _log_the_end
        threading.excepthook = _log_the_end_of_a_thread


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


def _processors() -> list[structlog.types.Processor]:
    """Return what completes a line, whoever wrote it."""
    return [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=["where", "error"]),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]


def _add_trace(
    _logger: object, _method: str, event: structlog.types.EventDict
) -> structlog.types.EventDict:
    event.update(spans.ids())
    return event


def _renderer(form: str) -> structlog.types.Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())


class _Redaction:
    """Hides secrets in every value of a line; after all else, so that traces are texts by now."""

    def __init__(self, redact: Redact) -> None:
        self._redact = redact

    def __call__(
        self, _logger: object, _method: str, event: structlog.types.EventDict
    ) -> structlog.types.EventDict:
        return {
            name: value if name in _OURS else self._redact(value) for name, value in event.items()
        }


class _Handler(logging.StreamHandler[Any]):
    """Writes lines; one that cannot be formatted is not shown raw, as by its parent."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        record.msg, record.args, record.exc_info, record.exc_text = "line_lost", (), None, None
        with suppress(Exception):  # the stream itself is gone: nobody can be told
            self.stream.write(self.format(record) + self.terminator)


def _take_lightrag_over(handler: logging.Handler) -> None:
    """Let LightRAG's lines go our way, whether it is imported by now or later.

    When it is imported it sets its logger to INFO and keeps a handler that is there already.
    """
    logger = logging.getLogger(_LIGHTRAG)
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.filters[:] = [_without_its_words]
    logger.setLevel(max(logging.WARNING, logging.root.level))


def _without_its_words(record: logging.LogRecord) -> bool:
    """Keep of a warning of LightRAG's only where it stands in its code; drop what is less.

    Its sentences quote questions, names, rows with whole chunks, and addresses with passwords.
    """
    if record.levelno < max(logging.WARNING, logging.root.level):
        return False
    if record.exc_info and record.exc_info[0] is not None:
        record.error = record.exc_info[0].__name__
    record.where = f"{Path(record.pathname).name}:{record.lineno} {record.funcName}"
    record.msg, record.args, record.exc_info, record.exc_text = "lightrag_warned", (), None, None
    record.stack_info = None
    return True


def _log_the_end(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger(__name__).critical("process_failed", exc_info=(kind, error, trace))


def _log_the_end_of_a_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and not issubclass(ended.exc_type, SystemExit):
        trace = (ended.exc_type, ended.exc_value, ended.exc_traceback)
        logging.getLogger(__name__).critical("thread_failed", exc_info=trace)
