"""The demo's own part: what it reads, asks, checks and says; the system is a scripted API."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ops import demo
from ops.client import delivery
from ops.client.api_client import ApiClient
from tests.unit.client.scripted_api import ScriptedApi

QUESTIONS = json.loads((demo.EXAMPLES / "questions.json").read_text(encoding="utf-8"))
ABOUT = {"models": {"llm": "rules", "embedding": "small", "note": "No language model."}}


@dataclass(frozen=True)
class System:
    api_url: str = "http://api.test"


@asynccontextmanager
async def running() -> AsyncIterator[System]:
    yield System()


def ended(state: str, **error: str) -> dict[str, object]:
    return {"state": state, "chunks": {"done": 3, "total": 3}, "error": error or None}


def answers(*files: str) -> list[dict[str, object]]:
    return [
        {"response": f"See {name} [1].", "references": [reference("1", name)]} for name in files
    ]


def reference(reference_id: str, name: str) -> dict[str, str]:
    return {"reference_id": reference_id, "file_path": name}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> ScriptedApi:
    api = ScriptedApi()

    def scripted(url: str, *, key: str) -> ApiClient:
        return ApiClient(url, key=key, transport=httpx.MockTransport(api.handle))

    monkeypatch.setattr(demo, "ApiClient", scripted)
    monkeypatch.setattr(delivery, "_SHORTEST_LOOK_S", 0)
    monkeypatch.setattr(delivery, "_LOOK_PER_TASK_S", 0)
    api.on("GET /", ABOUT)
    api.on("POST /insert", httpx.Response(202, json={"task_id": "t", "doc_id": "d"}))
    api.on("GET /tasks/t", ended("succeeded"))
    return api


def uploads(api: ScriptedApi) -> int:
    return sum(request.url.path == "/insert" for request in api.requests)


async def test_it_is_fine_when_every_answer_cites_its_file(
    api: ScriptedApi, capsys: pytest.CaptureFixture[str]
) -> None:
    api.on("POST /query", *answers(*(one["expected_file"] for one in QUESTIONS)))
    assert await demo.show(running(), key="k3y")
    assert uploads(api) == 12
    shown = capsys.readouterr().out
    assert "Language model: rules. Embedding model: small." in shown
    assert "No language model." in shown
    for one in QUESTIONS:
        assert f"See {one['expected_file']} [1]." in shown
    assert {request.headers["X-API-Key"] for request in api.requests} == {"k3y"}


async def test_it_is_not_fine_when_an_answer_cites_another_file(
    api: ScriptedApi, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, _ = (one["expected_file"] for one in QUESTIONS)
    api.on("POST /query", *answers(first, second, "other.txt"))
    assert not await demo.show(running(), key="")
    assert f"Not cited: {QUESTIONS[2]['expected_file']}" in capsys.readouterr().err


async def test_a_file_that_was_looked_at_but_not_cited_does_not_count(api: ScriptedApi) -> None:
    looked_at = [reference("1", "other.txt")]
    looked_at += [reference("2", one["expected_file"]) for one in QUESTIONS]
    api.on("POST /query", {"response": "It is so [1].", "references": looked_at})
    assert not await demo.show(running(), key="")


async def test_an_answer_without_references_is_not_fine(api: ScriptedApi) -> None:
    api.on("POST /query", {"response": "I do not know.", "references": []})
    assert not await demo.show(running(), key="")


async def test_it_asks_nothing_when_a_document_failed(api: ScriptedApi) -> None:
    api.on("GET /tasks/t", ended("failed", code="no_text", detail="There is nothing to read."))
    assert not await demo.show(running(), key="")
    assert not any(request.url.path == "/query" for request in api.requests)


def test_there_are_three_questions_one_of_them_chinese_about_files_that_are_there() -> None:
    assert len(QUESTIONS) == 3
    assert sum(not one["question"].isascii() for one in QUESTIONS) == 1
    assert all((demo.EXAMPLES / one["expected_file"]).is_file() for one in QUESTIONS)


def test_the_examples_are_a_dozen_small_files_each_explained() -> None:
    files = [path for path in demo.EXAMPLES.iterdir() if path.name not in demo.NOT_DOCUMENTS]
    kinds = {path.suffix for path in files}
    explained = (demo.EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert len(files) == 12
    assert kinds == {".txt", ".md", ".pdf", ".docx", ".xlsx", ".html"}
    assert sum(path.stat().st_size for path in files) < 600_000
    assert [path.name for path in files if f"`{path.name}`" not in explained] == []


def test_the_examples_lie_beside_the_packages() -> None:
    assert Path(__file__).parents[2] / "examples" == demo.EXAMPLES
