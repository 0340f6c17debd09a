"""Traces: off unless asked for, bounded where nobody listens, exact about what is sampled."""

import asyncio
import builtins
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.errors import ModelUnavailableError, SettingsError
from shared.rag.traced import traced_complete
from shared.settings import load_settings
from shared.settings_otel import OtelSettings
from shared.tracing import opentelemetry, spans
from shared.tracing.opentelemetry import OpenTelemetryTracer
from shared.tracing.starting import traced_process

SAMPLED, UNSAMPLED = (f"00-{'a' * 32}-{'b' * 16}-0{flag}" for flag in "10")


class Recorder:
    def __init__(self, **settings: Any) -> None:
        self.exporter = InMemorySpanExporter()
        otel = OtelSettings(_env_file=None, **settings)
        self.tracer = OpenTelemetryTracer(otel, service="t", version="1", exporter=self.exporter)

    def spans(self) -> tuple[ReadableSpan, ...]:
        self.tracer._provider.force_flush()
        return self.exporter.get_finished_spans()


def _request() -> AbstractContextManager[spans.Span]:
    return spans.span("one", kind=spans.Kind.SERVER)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    before = spans.install(recorder.tracer)
    yield recorder
    spans.install(before)
    recorder.tracer.close()


def test_off_is_the_default_and_says_nothing_to_anybody() -> None:
    assert not load_settings(None).otel.enabled
    with spans.span("name", {"a": 1}) as span:
        span.set({"b": 2})
        span.rename("other")
        spans.annotate({"c": 3})
        spans.fail(ValueError())
        assert not spans.is_on()
        assert (spans.ids(), spans.headers(), spans.traceparent()) == ({}, {}, None)


async def test_off_imports_nothing_of_the_sdk() -> None:
    code = (
        "import asyncio, sys\n"
        "from shared.settings import load_settings\n"
        "from shared.tracing.starting import traced_process\n"
        "import shared.logs\n"
        "async def main():\n"
        "    async with traced_process(load_settings(None), service='s'): pass\n"
        "asyncio.run(main())\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])\n"
    )
    ran = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


async def test_without_the_extra_the_start_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name.startswith("shared.tracing.opentelemetry"):
            raise ImportError(name)
        return load(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    settings = load_settings(None, overrides={"OTEL_ENABLED": "true"})
    with pytest.raises(SettingsError, match="needs the extra `otel`"):
        async with traced_process(settings, service="s"):
            pass


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret-without-name"),
    ],
)
def test_a_wrong_setting_is_named_and_its_secret_is_not(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable) as refused:
        load_settings(None, overrides={variable: value})
    assert "secret-without" not in str(refused.value)


def test_a_collectors_key_is_a_secret_without_its_header_too() -> None:
    sent = {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer the-key, x-team=the-team"}
    settings = load_settings(None, overrides=sent)
    assert settings.otel.headers == {"authorization": "Bearer the-key", "x-team": "the-team"}
    assert {"the-key", "the-team"} <= settings.secrets()


@pytest.mark.parametrize(
    ("sampler", "argument", "parent", "written"),
    [
        ("always_on", 0, UNSAMPLED, True),
        ("always_off", 1, SAMPLED, False),
        ("traceidratio", 0, SAMPLED, False),
        ("traceidratio", 1, UNSAMPLED, True),
        ("parentbased_always_on", 0, UNSAMPLED, False),
        ("parentbased_always_on", 0, None, True),
        ("parentbased_always_off", 0, SAMPLED, True),
        ("parentbased_always_off", 0, None, False),
        ("parentbased_traceidratio", 0, SAMPLED, True),
        ("parentbased_traceidratio", 0, None, False),
        ("parentbased_traceidratio", 1, UNSAMPLED, False),
        ("parentbased_traceidratio", 1, None, True),
    ],
)
def test_the_sampler_decides_as_its_name_says(
    sampler: str, argument: float, parent: str | None, written: bool
) -> None:
    recorder = Recorder(traces_sampler=sampler, traces_sampler_arg=argument)
    before = spans.install(recorder.tracer)
    try:
        with spans.continued({"traceparent": parent} if parent else {}), _request():
            assert spans.is_sampled(spans.traceparent()) is written
    finally:
        spans.install(before)
    assert bool(recorder.spans()) is written
    recorder.tracer.close()


@pytest.mark.parametrize("headers", [{}, {"traceparent": "nonsense"}, {"traceparent": ""}])
def test_headers_that_name_no_trace_begin_a_new_one(
    recorder: Recorder, headers: dict[str, str]
) -> None:
    with spans.continued(headers), _request():
        assert spans.is_sampled(spans.traceparent())
    assert recorder.spans()[0].parent is None


def test_only_requests_and_messages_begin_a_trace(recorder: Recorder) -> None:
    for kind in (spans.Kind.INTERNAL, spans.Kind.CLIENT, spans.Kind.PRODUCER):
        with spans.span("sweeper's", kind=kind), spans.detached_span("sweeper's", kind=kind):
            assert spans.headers() == {}  # so the receiver goes on with what the ledger says
        with spans.span("group's", kind=kind, origin=spans.Origin(SAMPLED)):
            assert spans.is_sampled(spans.traceparent())
    assert {one.name for one in recorder.spans()} == {"group's"}


def test_lines_of_a_span_bear_its_ids(recorder: Recorder) -> None:
    with _request():
        ids = spans.ids()
    (one,) = recorder.spans()
    assert one.context is not None
    assert ids == {
        "trace_id": f"{one.context.trace_id:032x}",
        "span_id": f"{one.context.span_id:016x}",
    }


def test_an_error_leaves_its_code_but_not_its_words(recorder: Recorder) -> None:
    for error in (ModelUnavailableError("words of a document"), KeyError("words of a document")):
        with pytest.raises(type(error)), _request():
            raise error
    kinds = [one.attributes["error.type"] for one in recorder.spans() if one.attributes]
    assert kinds == ["model_unavailable", "KeyError"]
    assert "words" not in "".join(one.to_json() for one in recorder.spans())


async def _stream(pieces: list[str], closed: list[bool]) -> AsyncIterator[str]:
    try:
        for piece in pieces:
            spans.annotate({"gen_ai.usage.output_tokens": len(piece)})
            yield piece
    finally:
        closed.append(True)


@pytest.mark.parametrize("leaves_early", [False, True])
async def test_a_streamed_answer_is_one_span_whoever_reads_it(
    recorder: Recorder, leaves_early: bool
) -> None:
    closed: list[bool] = []

    async def complete(*_: Any, **__: Any) -> AsyncIterator[str]:
        return _stream(["one", "two"], closed)

    with _request():
        reply: Any = await traced_complete(complete, "llm")("prompt", stream=True)
        assert await asyncio.create_task(anext(reply)) == "one"  # in a context of its own
        if leaves_early:
            await reply.aclose()
        else:
            assert [piece async for piece in reply] == ["two"]
        here = spans.ids()["span_id"]
    assert closed == [True]
    chat, request = recorder.spans()
    assert (chat.name, request.name) == ("chat llm", "one")
    assert chat.status.is_unset  # to leave early is no failure
    assert chat.attributes is not None
    assert chat.attributes["gen_ai.usage.output_tokens"] == 3
    assert request.context is not None
    assert here == f"{request.context.span_id:016x}"


def test_who_does_not_listen_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opentelemetry, "_FLUSH_S", 0.05)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")  # it goes on trying behind our back
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, says nothing
        settings = OtelSettings(
            _env_file=None, exporter_otlp_endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}"
        )
        tracer = OpenTelemetryTracer(settings, service="t", version="1")
        before = spans.install(tracer)
        for _ in range(5000):  # more than the queue holds
            with _request():
                pass
        spans.install(before)
        tracer.close()
    # What still tries belongs to this test: later ones may not be disturbed.
    for thread in [one for one in threading.enumerate() if one.name == "traces"]:
        thread.join()
