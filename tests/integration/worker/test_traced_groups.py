"""Traces where work goes on from the ledger: no message tells of them, or one of many documents."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.settings_otel import OtelSettings, Sampler
from shared.tracing import spans
from shared.tracing.opentelemetry import OpenTelemetryTracer
from tests.integration.worker.fleet import LARGE, Fleet


class Recorder:
    """What was written down so far."""

    def __init__(self, tracer: OpenTelemetryTracer, exporter: InMemorySpanExporter) -> None:
        self._tracer = tracer
        self._exporter = exporter

    def spans(self, name: str = "") -> list[ReadableSpan]:
        self._tracer._provider.force_flush()
        return [s for s in self._exporter.get_finished_spans() if name in {"", s.name}]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    exporter = InMemorySpanExporter()
    settings = OtelSettings(traces_sampler=Sampler.PARENT_OR_ON)
    tracer = OpenTelemetryTracer(settings, service="test", version="1", exporter=exporter)
    before = spans.install(tracer)
    yield Recorder(tracer, exporter)
    spans.install(before)
    tracer.close()


def trace_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.trace_id


async def test_each_document_of_a_group_has_its_commit_in_its_own_trace(
    fleet: Fleet, recorder: Recorder
) -> None:
    for number in range(3):
        with spans.span("POST /insert", kind=spans.Kind.SERVER):
            await fleet.upload(f"doc{number}", f"Person{number} Smith met Ann Lee in Oslo. ")
    fleet.lose_messages()
    await fleet.let_time_pass()
    await fleet.sweep()  # whose messages come from no request
    await fleet.deliver()
    requests = {trace_of(span) for span in recorder.spans("POST /insert")}
    assert len(requests) == 3
    for name in ("prepare", "commit"):
        assert sorted(map(trace_of, recorder.spans(name))) == sorted(requests), name
    (applied,) = recorder.spans("apply group")
    assert applied.attributes is not None
    assert applied.attributes["documents"] == 3
    linked = {link.context.trace_id for link in applied.links}
    assert {trace_of(applied), *linked} == requests
    for commit in recorder.spans("commit"):
        assert [link.context.span_id for link in commit.links] == [applied.context.span_id]
    assert {trace_of(span) for span in recorder.spans()} == requests


async def test_batches_that_the_sweeper_sends_again_stay_in_the_trace_of_their_document(
    fleet: Fleet, recorder: Recorder
) -> None:
    with spans.span("POST /insert", kind=spans.Kind.SERVER):
        await fleet.upload("doc", LARGE)
    await fleet.deliver(only=fleet.sender.sent[0].name)
    assert fleet.lose_messages()
    await fleet.run_until_quiet()
    (request,) = recorder.spans("POST /insert")
    extracts = recorder.spans("extract")
    assert len(extracts) > 1
    assert {trace_of(span) for span in recorder.spans()} == {trace_of(request)}


async def test_a_document_whose_trace_is_not_wanted_leaves_nothing(
    fleet: Fleet, recorder: Recorder
) -> None:
    unsampled = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-00"}
    with spans.continued(unsampled), spans.span("POST /insert", kind=spans.Kind.SERVER):
        await fleet.upload("unwanted")
    with spans.span("POST /insert", kind=spans.Kind.SERVER):
        await fleet.upload("wanted", "Grace Hopper wrote a compiler. ")
    await fleet.run_until_quiet()
    (request,) = recorder.spans("POST /insert")
    assert {trace_of(span) for span in recorder.spans()} == {trace_of(request)}
    assert len(recorder.spans("commit")) == 1


async def test_a_failed_stage_says_its_code_but_not_its_words(
    fleet: Fleet, recorder: Recorder
) -> None:
    fleet.model.failures = [KeyError("the words of a document")]
    with spans.span("POST /insert", kind=spans.Kind.SERVER):
        await fleet.upload("doc")
    await fleet.deliver()
    (prepare,) = recorder.spans("prepare")
    assert not prepare.status.is_ok
    assert not prepare.events  # where traces of exceptions would be
    assert "words" not in prepare.to_json()
