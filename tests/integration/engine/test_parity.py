"""The graph of a fleet equals LightRAG's own, in the two senses of docs/architecture.md."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from lightrag import LightRAG
from lightrag.kg.shared_storage import get_namespace_data, get_namespace_lock
from lightrag.operate import merge_nodes_and_edges

from shared.contract.names import TaskName
from shared.ids import DocumentId, PhysicalWorkspace
from shared.ledger.records import TaskState
from tests.integration.engine.contents import read_contents
from tests.integration.engine.corpus import real_documents
from tests.integration.worker.fleet import Fleet
from worker.commit import group as group_module

DOCUMENTS = 100
CHANGES = 30
SEED = 20_261_124
# LightRAG's own default is 8; with fewer, a hundred documents make hundreds of summary calls.
SUMMARISED = 4
# Many small groups: hub entities are merged, and summarised, again and again.
OVERRIDES = {
    "CHUNK_SIZE": "200",
    "CHUNK_OVERLAP_SIZE": "20",
    "COMMIT_MAX_CHUNKS": "25",
    "EXTRACT_BATCH_CHUNKS": "16",
}
GRAPHS = pytest.mark.parametrize("shape", ["neo4j", "postgres"])


@pytest.fixture
def overrides() -> dict[str, str]:
    return OVERRIDES


@asynccontextmanager
async def stock(fleet: Fleet, name: str) -> AsyncIterator[LightRAG]:
    """A LightRAG of its own over the same stores, whose pipeline is its own."""
    async with fleet.context.rags.use(PhysicalWorkspace(f"{fleet.workspace}_{name}")) as rag:
        rag.__dict__.pop("apipeline_process_enqueue_documents", None)
        configure(rag)
        yield rag


@asynccontextmanager
async def ours(fleet: Fleet) -> AsyncIterator[LightRAG]:
    async with fleet.context.rags.use(PhysicalWorkspace(fleet.workspace)) as rag:
        configure(rag)
        yield rag


def configure(rag: LightRAG) -> None:
    rag.force_llm_summary_on_merge = SUMMARISED
    # Past the limit LightRAG keeps the files that came first, and each graph has its own order.
    rag.max_file_paths = 2 * DOCUMENTS


class Groups:
    """Repeats every group of ours with LightRAG's merge straight on its storages."""

    def __init__(self, rag: LightRAG) -> None:
        self.rag = rag
        self.count = 0

    async def repeat(self, pieces: list[Any]) -> None:
        self.count += 1
        rag = self.rag
        await merge_nodes_and_edges(
            chunk_results=[(e.nodes, e.edges) for piece in pieces for e in piece.extractions],
            knowledge_graph_inst=rag.chunk_entity_relation_graph,
            entity_vdb=rag.entities_vdb,
            relationships_vdb=rag.relationships_vdb,
            global_config=rag._build_global_config(),
            pipeline_status=await get_namespace_data("pipeline_status", workspace=rag.workspace),
            pipeline_status_lock=get_namespace_lock("pipeline_status", workspace=rag.workspace),
            llm_response_cache=rag.llm_response_cache,
            entity_chunks_storage=rag.entity_chunks,
            relation_chunks_storage=rag.relation_chunks,
        )
        await rag._insert_done()


async def ingest(fleet: Fleet, documents: dict[str, str]) -> None:
    for doc_id, text in documents.items():
        await fleet.upload(doc_id, text)
    await fleet.run_until_quiet()
    states = {task.state for task in (await fleet.context.ledger.tasks.page(limit=1000)).rows}
    assert states <= {TaskState.SUCCEEDED, TaskState.SUPERSEDED}


@GRAPHS
@pytest.mark.timeout(600)
async def test_a_group_leaves_what_lightrags_own_merge_of_it_leaves(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = real_documents(DOCUMENTS, chars=3000)
    async with stock(fleet, "same_groups") as rag:
        groups = Groups(rag)
        merge = group_module.add_documents

        async def merged_twice(unit: Any, pieces: list[Any]) -> None:
            await merge(unit, pieces)
            await groups.repeat(pieces)

        monkeypatch.setattr(group_module, "add_documents", merged_twice)
        async with ours(fleet) as own:
            await ingest(fleet, documents)
            found = await read_contents(own, documents)
        expected = await read_contents(rag, [])
    assert groups.count > 10
    assert fleet.model.summaries >= 400  # ours and those of the repetition
    for part in ("nodes", "edges", "entity_chunks", "relation_chunks"):
        assert getattr(found, part) == getattr(expected, part), part
    for part in ("entity_vectors", "relation_vectors"):
        assert getattr(found, part) == getattr(expected, part), part


@pytest.mark.parametrize("shape", [pytest.param("neo4j", marks=pytest.mark.long), "postgres"])
@pytest.mark.timeout(600)
async def test_a_fleets_graph_has_what_lightrags_has_and_keeps_it_through_deletes_and_replacements(
    fleet: Fleet,
) -> None:
    documents = real_documents(DOCUMENTS, chars=2000)
    async with ours(fleet) as own:
        await ingest(fleet, documents)
        found = await read_contents(own, documents)
    async with stock(fleet, "one_by_one") as rag:
        await ingest_with_lightrag(rag, documents)
        expected = await read_contents(rag, documents)
    require_same_sets(found, expected)

    kept = await change_at_random(fleet, documents)
    async with stock(fleet, "never_saw_them") as rag:
        await ingest_with_lightrag(rag, kept)
        expected = await read_contents(rag, kept)
    async with ours(fleet) as own:
        found = await read_contents(own, kept)
    require_same_sets(found, expected)


async def ingest_with_lightrag(rag: LightRAG, documents: dict[str, str]) -> None:
    for doc_id, text in documents.items():
        await rag.ainsert(text, ids=[doc_id], file_paths=[f"{doc_id}.txt"])


def require_same_sets(found: Any, expected: Any) -> None:
    for part, value in vars(expected.as_sets()).items():
        assert vars(found.as_sets())[part] == value, part


async def change_at_random(fleet: Fleet, documents: dict[str, str]) -> dict[str, str]:
    """Delete and replace documents; return those that are there in the end."""
    chance = random.Random(SEED)  # noqa: S311 - the same changes each time, no secret
    kept = dict(documents)
    replacements = real_documents(DOCUMENTS, chars=5000)
    for doc_id in chance.sample(sorted(documents), CHANGES):
        if chance.random() < 0.5:
            await fleet.context.ledger.documents.request_delete(
                fleet.workspace, DocumentId(doc_id), request_id=None
            )
            del kept[doc_id]
        else:
            kept[doc_id] = replacements[doc_id][2000:] or f"Nothing new of {doc_id}. " * 20
            await fleet.upload(doc_id, kept[doc_id])
        if chance.random() < 0.3:  # some alone, most together
            await fleet.deliver(only=TaskName.PREPARE)
            await asyncio.sleep(0)
            await fleet.commit()
    await fleet.run_until_quiet()
    return kept
