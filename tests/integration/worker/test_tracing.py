"""Traces from the request to the stores, as a collector gets them."""

from collections.abc import AsyncIterator

import pytest

from shared.contract.names import QueueName
from tests.integration.worker.fleet import LARGE
from tests.integration.worker.observed import api_of, end
from tests.integration.worker.processes import Stack
from tests.model_server import KEY
from tests.otlp_collector import Collector, SentSpan

CANARY = "Quetzalcoatlus"
CLIENTS_TRACE, CLIENTS_SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    async with Collector().running() as collector:
        yield collector


def _require_one_tree(spans: list[SentSpan], *, root_parent: str) -> None:
    """Check that every span hangs on another one of the same trace, up to the client's."""
    known = {span.span_id for span in spans} | {root_parent}
    assert [span.name for span in spans if span.parent_id not in known] == []


async def test_an_upload_and_a_question_have_one_trace_each_down_to_the_stores(
    stack: Stack, collector: Collector
) -> None:
    variables = {
        "OTEL_ENABLED": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_HEADERS": "x-key=collectors-key",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
        "CHUNK_SIZE": "50",
        "CHUNK_OVERLAP_SIZE": "5",
        "EXTRACT_BATCH_CHUNKS": "4",
        "LOG_LEVEL": "debug",
        "FASTAPI_OTEL_AUTO_CONFIGURE": "true",  # its own spans would come twice
        "COSINE_THRESHOLD": "-1",  # LightRAG's own: vectors made by hashing resemble nothing
    }
    worker = await stack.worker(**variables)
    async with api_of(stack, **variables) as api:
        accepted = await api.client.post(
            "/insert",
            files={"file": (f"{CANARY}.txt", f"{CANARY} met Ann Lee. {LARGE}".encode())},
            data={"doc_id": "doc"},
            headers={"traceparent": f"00-{CLIENTS_TRACE}-{CLIENTS_SPAN}-01"},
        )
        task = await api.succeeded(accepted.json())
        await api.client.post("/query", json={"query": f"Who met {CANARY}?", "mode": "mix"})
        await end(api, worker)  # which sends what is left
    upload = collector.of(CLIENTS_TRACE)
    _require_one_tree(upload, root_parent=CLIENTS_SPAN)
    _require_whole_way(upload, task_id=task["id"])
    (asked,) = collector.named("POST /query")
    question = collector.of(asked.trace_id)
    _require_one_tree(question, root_parent="")
    names = {span.name for span in question}
    models = {"chat llm", "embeddings embedding"}
    stores = {"postgresql query", "postgresql get_nodes_batch", "redis get_by_ids"}
    assert models | stores <= names
    # Nothing of the upload is in another trace, and machines' questions after health in none.
    stages = {name for name in (span.name for span in collector.spans) if name in set(QueueName)}
    assert stages == {"prepare", "extract", "commit"}
    assert all(s.trace_id == CLIENTS_TRACE for s in collector.spans if s.name in stages)
    assert collector.named("GET /livez") == []
    assert {headers["x-key"] for headers in collector.headers} == {"collectors-key"}
    for secret in (CANARY, "Einstein", KEY, *stack.settings.secrets()):
        assert secret.encode() not in collector.raw, secret
    assert "collectors-key" not in api.log.read_text() + worker.log.read_text()


def _require_whole_way(upload: list[SentSpan], *, task_id: str) -> None:
    by_name = {span.name: span for span in upload}
    assert set(by_name) >= {
        "POST /insert", "store upload", "accept upload", "send prepare", "prepare", "parse",
        "cut into chunks", "send extract", "extract", "chat llm", "embeddings embedding",
        "send commit", "merge group", "apply group", "postgres put_vectors", "redis put_rows",
        "postgres put_nodes", "postgres put_edges", "postgres put_status", "commit",
    }  # fmt: skip
    assert by_name["prepare"].parent_id == by_name["send prepare"].span_id
    assert by_name["apply group"].attributes["documents"] == 1
    assert by_name["chat llm"].attributes["gen_ai.usage.input_tokens"] > 0
    assert {span.service for span in upload} == {"lightrag-fleet-api", "lightrag-fleet-worker"}
    for name in ("POST /insert", "prepare", "extract", "commit"):
        ids = by_name[name].attributes
        assert (ids["task_id"], ids["document_id"]) == (task_id, "doc")
        assert ids["request_id"]
    assert not any(span.failed for span in upload)


@pytest.mark.long
async def test_a_collector_that_hangs_keeps_no_work_from_being_done_and_no_process_from_ending(
    stack: Stack, collector: Collector
) -> None:
    collector.answering.clear()
    variables = {"OTEL_ENABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    worker = await stack.worker(**variables, OTEL_BSP_SCHEDULE_DELAY="50")
    async with api_of(stack, **variables) as api:
        accepted = await api.client.post("/insert", files={"file": ("a.txt", LARGE.encode())})
        await api.succeeded(accepted.json())
        await collector.asked.wait()
        await end(api, worker)
    assert not collector.answering.is_set()
    assert api.process.returncode in {0, -15}
    assert worker.process.returncode == 0
