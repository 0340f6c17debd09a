"""Delivery: many files go in, each with an outcome."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops.client.api_client import ApiClient
from ops.client.delivery import Delivery, Outcome
from ops.client.failures import ServerNotReachableError
from ops.client.progress import Silence
from tests.unit.client.scripted_api import ScriptedApi, task_view


class Notebook:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.ends: list[str] = []

    def moved(self, path: Path, task: dict[str, Any]) -> None:
        self.seen.append((path.name, task["state"]))

    def ended(self, outcome: Outcome) -> None:
        self.ends.append(outcome.state)


def receipt(task_id: str) -> httpx.Response:
    return httpx.Response(202, json={"task_id": task_id, "doc_id": "doc-1", "status_url": "/"})


@pytest.mark.usefixtures("impatient")
async def test_a_document_is_followed_through_its_states(
    client: ApiClient, api: ScriptedApi, document: Path
) -> None:
    api.on("POST /insert", receipt("task-1"))
    api.on(
        "GET /tasks/task-1", task_view("queued"), task_view("extracting"), task_view("succeeded")
    )
    notebook = Notebook()
    [outcome] = await Delivery(client, notebook, wait=True).deliver([document])
    assert (outcome.state, outcome.chunks, outcome.is_bad) == ("succeeded", 4, False)
    assert notebook.seen == [("a.txt", "queued"), ("a.txt", "extracting")]
    assert notebook.ends == ["succeeded"]


@pytest.mark.usefixtures("impatient")
async def test_a_failed_document_brings_its_code_and_sentence(
    client: ApiClient, api: ScriptedApi, document: Path
) -> None:
    api.on("POST /insert", receipt("task-1"))
    error = ("no_text_layer", "The PDF has no text layer.")
    api.on("GET /tasks/task-1", task_view("failed", error=error))
    [outcome] = await Delivery(client, Silence(), wait=True).deliver([document])
    assert outcome.is_bad
    assert (outcome.code, outcome.detail) == ("no_text_layer", "The PDF has no text layer.")


async def test_without_waiting_nobody_looks_at_the_task(
    client: ApiClient, api: ScriptedApi, document: Path
) -> None:
    api.on("POST /insert", receipt("task-1"))
    [outcome] = await Delivery(client, Silence(), wait=False).deliver([document])
    assert (outcome.state, outcome.task_id) == ("accepted", "task-1")
    assert len(api.requests) == 1


async def test_a_refused_file_does_not_stop_the_others(
    client: ApiClient, api: ScriptedApi, document: Path, tmp_path: Path
) -> None:
    other = tmp_path / "b.txt"
    other.write_text("more")
    refusal = httpx.Response(400, json={"code": "empty_file", "detail": "The file is empty."})
    api.on("POST /insert", refusal, receipt("task-1"))
    outcomes = await Delivery(client, Silence(), wait=False).deliver([document, other])
    assert [outcome.path for outcome in outcomes] == [document, other]
    assert sorted(outcome.state for outcome in outcomes) == ["accepted", "refused"]


async def test_a_file_that_cannot_be_read_is_refused_with_a_sentence(
    client: ApiClient, tmp_path: Path
) -> None:
    [outcome] = await Delivery(client, Silence(), wait=False).deliver([tmp_path / "gone.txt"])
    assert outcome.code == "file_unreadable"
    assert outcome.detail == "The file cannot be read: No such file or directory."


@pytest.mark.usefixtures("impatient")
async def test_a_restart_of_the_api_is_waited_out(
    client: ApiClient, api: ScriptedApi, document: Path
) -> None:
    api.on("POST /insert", receipt("task-1"))
    api.on(
        "GET /tasks/task-1",
        httpx.ConnectError("refused"),
        httpx.Response(503, json={"code": "ledger_unavailable"}),
        task_view("succeeded"),
    )
    [outcome] = await Delivery(client, Silence(), wait=True).deliver([document])
    assert outcome.state == "succeeded"


async def test_an_api_that_stays_away_ends_the_delivery(
    client: ApiClient, api: ScriptedApi, document: Path, impatient: Callable[[], None]
) -> None:
    impatient()
    api.on("POST /insert", receipt("task-1"))
    api.on("GET /tasks/task-1", httpx.ConnectError("refused"))
    with pytest.raises(ServerNotReachableError):
        await Delivery(client, Silence(), wait=True).deliver([document, document])


@pytest.mark.usefixtures("impatient")
async def test_a_task_that_vanished_is_lost_not_awaited(
    client: ApiClient, api: ScriptedApi, document: Path
) -> None:
    api.on("POST /insert", receipt("task-1"))
    gone = httpx.Response(404, json={"code": "task_not_found", "detail": "No such task."})
    api.on("GET /tasks/task-1", gone)
    [outcome] = await Delivery(client, Silence(), wait=True).deliver([document])
    assert (outcome.state, outcome.code, outcome.is_bad) == ("lost", "task_not_found", True)


async def test_at_most_four_uploads_travel_at_once(
    client: ApiClient, api: ScriptedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / f"{number}.txt" for number in range(12)]
    for path in paths:
        path.write_text("text")
    travelling, most = 0, 0
    api.on("POST /insert", receipt("task-1"))

    async def counted(path: Path, *, doc_id: str | None) -> dict[str, Any]:
        nonlocal travelling, most
        travelling += 1
        most = max(most, travelling)
        result = await original(path, doc_id=doc_id)
        travelling -= 1
        return result

    original = client.insert
    monkeypatch.setattr(client, "insert", counted)
    await Delivery(client, Silence(), wait=False).deliver(paths)
    assert most == 4
