"""Log lines: one form for all, no password in any, no words of LightRAG's."""

import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import structlog

from shared import logs
from shared.redaction import redactor_of

# With everything that is written differently in addresses, in JSON and by repr().
PASSWORD = 'pa"ss/w@rd\\ü 7'

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """Logs configured as our processes do at level debug; what they wrote."""
    root, lightrag = logging.getLogger(), logging.getLogger("lightrag")
    before = (root.handlers[:], root.level, structlog.get_config())
    before_lightrag = (lightrag.handlers[:], lightrag.filters[:], lightrag.propagate)
    hooks = (sys.excepthook, threading.excepthook)
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    logs.configure_logs(level="debug", form="json", secrets={PASSWORD, "short", "abc"})
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = before[0], before[1]
    structlog.configure(**before[2])
    lightrag.handlers[:], lightrag.filters[:], lightrag.propagate = before_lightrag
    sys.excepthook, threading.excepthook = hooks


@pytest.mark.parametrize(
    "text",
    [
        PASSWORD,
        f"connecting with {PASSWORD!r}",
        f"redis://:{quote(PASSWORD, safe='')}@host:6379/0",
        json.dumps({"password": PASSWORD}),
        f"postgresql://fleet:{quote(PASSWORD)}@host/db",
        "redis://:unknown-w@rd@host/1 and rediss://user:unknown-word@host",
    ],
)
def test_no_spelling_of_a_password_is_shown(lines: Lines, text: str) -> None:
    log = logging.getLogger("some.library")
    log.debug(text)
    log.info("with %s", text)
    log.warning("nested", extra={"error": {"in": [text]}})
    structlog.stdlib.get_logger("ours").info("event", field=text, nested={"in": (text,)})
    try:
        raise ValueError(text)  # noqa: TRY301 - caught at once
    except ValueError:
        log.exception("failed")
    assert len(lines()) == 5
    for line in map(str, lines()):
        for spelling in (PASSWORD, repr(PASSWORD)[1:-1], quote(PASSWORD), quote(PASSWORD, safe="")):
            assert spelling not in line
        assert "w@rd" not in line
        assert "unknown-word" not in line


def test_an_address_without_a_password_stays_as_it_is() -> None:
    redact = redactor_of([])
    for address in ("redis://host:6379/0", "see https://host/a@b, mail a@b.c", "s3://bucket/key"):
        assert redact(address) == address


def test_a_secret_too_short_to_be_one_does_not_spoil_words(lines: Lines) -> None:
    structlog.stdlib.get_logger("ours").info("abcdef", address="redis://:abc@host")
    assert lines()[0]["event"] == "abcdef"
    assert lines()[0]["address"] == "redis://:***@host"


def test_the_password_inside_a_broker_url_is_known_by_itself() -> None:
    redact = redactor_of(["redis://:in%2Fside@host:6379/1"])
    assert redact("wrong password: in/side") == "wrong password: ***"


def test_numbers_stay_numbers_and_lines_stay_json(lines: Lines) -> None:
    structlog.stdlib.get_logger("short").info("event", count=3, share=0.5, yes=True, nothing=None)
    line = lines()[0]
    assert (line["count"], line["share"], line["yes"], line["nothing"]) == (3, 0.5, True, None)
    assert line["logger"] == "short"  # names of ours are no secrets, whatever they spell


def test_a_warning_of_lightrag_says_where_but_not_what(lines: Lines) -> None:
    log = logging.getLogger("lightrag")
    log.info("Created shared Redis connection pool for redis://:x@host")
    try:
        raise ValueError("the text of a document")  # noqa: TRY301 - caught at once
    except ValueError as error:
        log.exception(f"PostgreSQL database, data: the text of a document, {error}")  # noqa: G004, TRY401 - as it does
    (line,) = lines()
    assert line["event"] == "lightrag_warned"
    assert line["error"] == "ValueError"
    assert line["where"].startswith("test_logs.py:")
    assert "the text" not in str(line)


def test_lightrag_may_be_imported_after_logs_are_configured() -> None:
    code = (
        "import logging\n"
        "from shared.logs import configure_logs\n"
        "configure_logs(level='debug', form='json')\n"
        "import lightrag.utils\n"
        "log = logging.getLogger('lightrag')\n"
        "log.info('secret'); log.debug('secret'); log.error('secret')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    said = [json.loads(line) for line in (ran.stdout + ran.stderr).splitlines()]
    assert [line["event"] for line in said if line["logger"] == "lightrag"] == ["lightrag_warned"]
    assert "secret" not in str(said)


def test_handlers_that_a_server_made_before_us_are_taken_away(
    monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    access = logging.getLogger("uvicorn.access")
    access.addHandler(logging.StreamHandler(io.StringIO()))
    access.propagate = False
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    logs.configure_logs(level="info", form="json")
    access.info('%s - "%s %s"', "127.0.0.1", "GET", "/livez")
    assert json.loads(written.getvalue())["event"] == '127.0.0.1 - "GET /livez"'


def test_warnings_and_what_ends_a_process_or_thread_are_lines_too(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("old", stacklevel=1)
    error = ValueError(PASSWORD)
    sys.excepthook(ValueError, error, None)
    threading.excepthook(threading.ExceptHookArgs((ValueError, error, None, None)))
    events = [line["event"] for line in lines()]
    assert "old" in events[0]
    assert events[1:] == ["process_failed", "thread_failed"]
    assert "ss/w" not in str(lines())


def test_a_line_that_cannot_be_written_is_not_shown_raw(lines: Lines) -> None:
    logging.getLogger("some.library").warning("%d", PASSWORD)
    assert [line["event"] for line in lines()] == ["line_lost"]
