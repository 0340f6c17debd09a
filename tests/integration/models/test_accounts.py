"""Every model call goes on the account of who caused it, through LightRAG and its tasks."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.connections import ledger_url
from shared.errors import LedgerUnavailableError
from shared.ids import PhysicalWorkspace, TaskId
from shared.ledger.accounts import Usage
from shared.ledger.ledger import Ledger
from shared.ledger.migrate import migrate
from shared.rag.budget.gate import Gate
from shared.rag.calls import CallContext, Purpose, call_context
from shared.rag.models import open_models
from shared.rag.pool import RagPool
from shared.rag.questions import Question, ask
from shared.rag.usage import UsageMeter, flushed_regularly
from shared.settings import Settings, load_settings
from tests.model_server import USAGE, ModelServer
from worker.ingestion.extraction import extract_chunks

CHUNKS = {
    f"doc-chunk-{index:03}": {
        "content": f"Neil Armstrong commanded Apollo {index}. NASA launched Apollo {index}.",
        "full_doc_id": "doc",
        "file_path": "a.txt",
        "chunk_order_index": index,
        "tokens": 20,
    }
    for index in range(4)
}


@dataclass
class System:
    server: ModelServer
    rags: RagPool
    ledger: Ledger
    workspace: PhysicalWorkspace

    async def used(self) -> dict[str, Usage]:
        """What is in the ledger, by purpose and model."""
        await self.rags.meter.flush(self.ledger)
        return {f"{row.purpose} {row.model}": row.used for row in await self.ledger.usage.totals()}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(None, overrides={"DATA_DIR": str(tmp_path)})


@pytest.fixture
async def ledger(settings: Settings) -> AsyncIterator[Ledger]:
    migrate(ledger_url(settings))
    opened = await Ledger.open(ledger_url(settings))
    yield opened
    await opened.close()


@pytest.fixture
async def system(
    ledger: Ledger, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[System]:
    with ModelServer().running() as server:
        variables = server.variables(MAX_CONCURRENCY="3")
        settings = load_settings(None, overrides={"DATA_DIR": str(tmp_path), **variables})
        rags = RagPool(settings, open_models(settings))
        name = "w" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
        yield System(server, rags, ledger, PhysicalWorkspace(name))
        await rags.close()


async def test_calls_that_lightrag_makes_in_its_own_tasks_keep_their_account(
    system: System,
) -> None:
    async with system.rags.use(system.workspace) as rag:
        with call_context(Purpose.EXTRACT, workspace="default", task_id="task-1"):
            await extract_chunks(rag, CHUNKS)
        calls = len(system.server.chats)
        assert calls >= len(CHUNKS)
        with call_context(Purpose.QUERY, workspace="default"):
            answer = await ask(rag, Question("Who was it?", {"mode": "bypass", "stream": True}))
        assert answer.stream is not None
        assert "".join([piece async for piece in answer.stream])  # read outside, as the API does
    prompt, completion = USAGE["prompt_tokens"], USAGE["completion_tokens"]
    assert await system.used() == {
        "extract llm": Usage(calls, calls * prompt, calls * completion),
        "extract embedding": Usage(1, prompt, 0),
        "query llm": Usage(1, prompt, completion),
    }
    of_task = await system.ledger.usage.of_task(TaskId("task-1"))
    assert [(row.model, row.used.calls) for row in of_task] == [("embedding", 1), ("llm", calls)]


async def test_lightrags_own_queues_are_not_before_a_model_server(system: System) -> None:
    async with system.rags.use(system.workspace) as rag:
        functions = [*rag.role_llm_funcs.values(), rag.embedding_func.func]
        assert len(functions) == 5
        assert not any(hasattr(function, "get_queue_stats") for function in functions)
        for storage in (rag.chunks_vdb, rag.entities_vdb, rag.relationships_vdb):
            assert storage.embedding_func.func is rag.embedding_func.func


@pytest.mark.parametrize(
    "told",
    [
        None,
        {"prompt_tokens": 10**30, "completion_tokens": 10**30},
        {"prompt_tokens": -1, "completion_tokens": -1},
        {"prompt_tokens": True, "completion_tokens": "many"},
    ],
)
async def test_a_server_that_tells_no_tokens_or_nonsense_has_them_estimated(
    system: System, told: dict[str, Any] | None
) -> None:
    system.server.usage = told
    async with system.rags.use(system.workspace) as rag:
        await rag.embedding_func(["word " * 400], context="document")
        await rag.llm_model_func("word " * 400)
        stream = await rag.llm_model_func("word " * 400, stream=True)
        assert [piece async for piece in stream]
    all_used = await system.used()
    assert 500 <= all_used["other embedding"].prompt_tokens <= 600
    used = all_used["other llm"]
    assert used.calls == 2
    assert 1000 <= used.prompt_tokens <= 1200
    assert 0 < used.completion_tokens <= 1200


async def test_a_call_that_was_refused_costs_nothing(system: System) -> None:
    system.server.failure, system.server.failures_left = (503, {}, ""), 1
    async with system.rags.use(system.workspace) as rag:
        await rag.llm_model_func("a prompt")
    assert (await system.used())["other llm"].calls == 1


async def test_what_cannot_be_written_is_kept_for_later(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = UsageMeter()
    call = CallContext(Purpose.EXTRACT, "default", "task-1")
    meter.count(call, "m", prompt_tokens=1, completion_tokens=2)

    async def fail(_counts: object) -> None:
        raise LedgerUnavailableError

    with monkeypatch.context() as patched:
        patched.setattr(ledger.usage, "add", fail)
        await meter.flush_task("task-1", ledger)
        await meter.flush(ledger)
    meter.count(call, "m", prompt_tokens=1, completion_tokens=2)
    await meter.flush_task("task-1", ledger)
    (row,) = await ledger.usage.of_task(TaskId("task-1"))
    assert row.used == Usage(2, 2, 4)
    assert await ledger.usage.totals() == []  # those come with the next regular flush
    await meter.flush(ledger)
    (row,) = await ledger.usage.totals()
    assert row.used == Usage(2, 2, 4)


async def test_a_process_that_ends_writes_down_what_it_counted(ledger: Ledger) -> None:
    meter = UsageMeter()
    async with flushed_regularly(meter, ledger):
        meter.count(CallContext(), "m", prompt_tokens=1, completion_tokens=2)
    assert [row.used for row in await ledger.usage.totals()] == [Usage(1, 1, 2)]


async def test_files_mode_has_the_same_budget_in_memory(system: System) -> None:
    model = open_models(system.rags._settings)
    budgets = [getattr(model.complete, "__self__", None), getattr(model.embed, "__self__", None)]
    assert all(isinstance(one._budget, Gate) for one in budgets if one is not None)
    assert None not in budgets
    await model.close()
