"""Health, metrics, and what the server says about itself."""

import asyncio

import pytest
import redis

from shared.errors import LedgerUnavailableError, StoreUnavailableError
from shared.probes import run_probes
from shared.rag.store_errors import translated_store_errors
from tests.unit.api.conftest import Api


async def test_a_living_process_says_so_whatever_is_down(api: Api) -> None:
    api.probes["ledger"] = _down
    assert (await api.client.get("/livez")).json() == {"status": "alive"}


async def test_ready_names_each_store(api: Api) -> None:
    response = await api.client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "ready")
    stores = response.json()["stores"]
    assert stores["ledger"] == {"ok": True, "needed": True, "error_code": None}
    assert stores["broker"] == {"ok": True, "needed": False, "error_code": None}


async def test_a_needed_store_that_is_down_makes_it_unavailable(api: Api) -> None:
    api.probes["ledger"] = _down
    response = await api.client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (503, "unavailable")
    assert response.json()["stores"]["ledger"]["error_code"] == "ledger_unavailable"


async def test_without_the_broker_it_is_degraded_but_takes_requests(api: Api) -> None:
    api.sender.available = False
    response = await api.client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["stores"]["broker"]["error_code"] == "queue_unavailable"


async def test_probes_run_at_once_and_have_a_deadline() -> None:
    meeting = asyncio.Barrier(2)

    async def hangs() -> None:
        await meeting.wait()
        await asyncio.Event().wait()

    async def breaks() -> None:
        await meeting.wait()
        raise KeyError

    results = await run_probes({"a": hangs, "b": breaks}, timeout_s=0.2)
    assert {name: one.error_code for name, one in results.items()} == {
        "a": "no_answer",
        "b": "probe_failed",
    }


async def test_metrics_count_requests_and_tasks(api: Api) -> None:
    await api.insert()
    await api.client.get("/tasks/task-1")
    await api.client.get("/nothing/1")
    await api.client.get("/nothing/2")
    text = (await api.client.get("/metrics")).text
    for line in (
        'ragfleet_http_requests_total{method="POST",route="/insert",status="202"} 1.0',
        'ragfleet_http_requests_total{method="GET",route="/tasks/{task_id}",status="404"} 1.0',
        'ragfleet_http_requests_total{method="GET",route="unmatched",status="404"} 2.0',
        'ragfleet_http_request_duration_seconds_count{method="POST",route="/insert"} 1.0',
        'ragfleet_tasks{state="queued"} 1.0',
        'ragfleet_tasks{state="failed"} 0.0',
        "ragfleet_ledger_reachable 1.0",
    ):
        assert line in text.splitlines()
    assert "process_resident_memory_bytes" in text


async def test_metrics_tell_what_waits_what_was_kept_and_what_is_answered(api: Api) -> None:
    await api.insert()
    lines = (await api.client.get("/metrics")).text.splitlines()
    for line in (
        'ragfleet_queue_waiting{queue="prepare"} 1.0',
        'ragfleet_queue_waiting{queue="maintenance"} 0.0',
        'ragfleet_queue_backlog{queue="prepare"} 1.0',
        'ragfleet_queue_backlog{queue="extract"} 0.0',
        "ragfleet_commit_open_journals 0.0",
        "ragfleet_http_requests_in_flight 1.0",  # this one
    ):
        assert line in lines
    [kept] = [line for line in lines if line.startswith("ragfleet_upload_bytes_total")]
    assert float(kept.split()[1]) > 0


async def test_metrics_answer_without_the_broker(api: Api) -> None:
    api.sender.available = False
    text = (await api.client.get("/metrics")).text
    assert "ragfleet_queue_waiting{" not in text
    assert 'ragfleet_queue_backlog{queue="prepare"} 0.0' in text.splitlines()


async def test_metrics_name_the_store_that_failed(api: Api) -> None:
    with pytest.raises(StoreUnavailableError), translated_store_errors():
        raise redis.exceptions.ConnectionError
    text = (await api.client.get("/metrics")).text
    assert 'ragfleet_store_errors_total{code="store_unavailable",store="redis"}' in text


async def test_metrics_answer_without_the_ledger(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.ledger.tasks, "counts", _down)
    text = (await api.client.get("/metrics")).text
    assert "ragfleet_ledger_reachable 0.0" in text.splitlines()
    assert "ragfleet_tasks{" not in text


async def test_the_front_page_is_honest_about_the_models(api: Api) -> None:
    about = (await api.client.get("/")).json()
    assert (about["name"], about["shape"]) == ("lightrag-fleet", "files")
    assert about["models"]["llm"]
    assert "No language model" in about["models"]["note"]
    for link in about["links"].values():
        assert (await api.client.get(link)).status_code == 200


async def test_the_documentation_lists_every_path_without_another_host(api: Api) -> None:
    page = (await api.client.get("/docs")).text
    assert "POST /insert" in page
    assert "http" not in page
    schema = (await api.client.get("/openapi.json")).json()
    form = schema["paths"]["/insert"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert form["schema"]["required"] == ["file"]


async def _down() -> None:
    raise LedgerUnavailableError
