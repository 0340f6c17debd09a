"""What we write is what LightRAG's own pipeline writes; an upgrade that changes it fails here."""

from typing import Any

import pytest
from lightrag import LightRAG
from lightrag.base import DocStatus

from shared.ids import DocumentId, PhysicalWorkspace, TaskId
from shared.rag.pool import RagPool
from tests.models import CountingModel
from worker.commit.delete import delete_document, drop_workspace
from worker.commit.insert import ExtractionInCommitError, _merge, commit_document
from worker.commit.rows import PreparedDocument
from worker.ingestion.chunking import cut_into_chunks, sanitized
from worker.ingestion.extraction import extract_chunks

APOLLO = (
    "Neil Armstrong commanded Apollo 11. Buzz Aldrin flew the lunar module Eagle with "
    "Neil Armstrong. Michael Collins stayed in Columbia. NASA launched Apollo 11 from Florida. "
) * 12
EINSTEIN = (
    "Albert Einstein was born in Ulm. Albert Einstein worked at the Patent Office in Bern. "
    "NASA tested the theory of Albert Einstein with Gravity Probe B. "
) * 12


async def prepare(rag: LightRAG, doc_id: str, text: str, *, task: str = "1") -> PreparedDocument:
    clean = sanitized(text)
    name = f"{doc_id}.txt"
    chunks = cut_into_chunks(rag, clean, doc_id=DocumentId(doc_id), file_name=name)
    extractions = await extract_chunks(rag, chunks)
    return PreparedDocument(
        TaskId(f"task-{task}"), DocumentId(doc_id), name, clean, chunks, extractions
    )


async def put(rag: LightRAG, doc_id: str, text: str, *, task: str = "1") -> PreparedDocument:
    document = await prepare(rag, doc_id, text, task=task)
    await commit_document(rag, document)
    return document


async def graph(rag: LightRAG) -> dict[str, Any]:
    nodes = {node["id"]: node for node in await rag.chunk_entity_relation_graph.get_all_nodes()}
    edges = await rag.chunk_entity_relation_graph.get_all_edges()
    pairs = {tuple(sorted((edge["source"], edge["target"]))): edge for edge in edges}
    return {"nodes": without_times(nodes), "edges": without_times(pairs)}


def without_times(rows: Any) -> Any:
    volatile = {"created_at", "updated_at", "create_time", "update_time", "timestamp", "track_id"}
    if isinstance(rows, dict):
        return {k: without_times(v) for k, v in rows.items() if k not in volatile}
    if isinstance(rows, list):
        return [without_times(row) for row in rows]
    return rows


async def rows_of(rag: LightRAG, document: PreparedDocument) -> dict[str, Any]:
    names = sorted(await rag.get_graph_labels())
    status = await rag.doc_status.get_by_id(document.doc_id)
    assert status is not None
    metadata = {"kg_write_state": status["metadata"]["kg_write_state"]}
    full = await rag.full_docs.get_by_id(document.doc_id)
    assert full is not None
    return without_times(
        {
            "chunks": await rag.text_chunks.get_by_ids(list(document.chunks)),
            "full": {k: full[k] for k in ("content", "file_path", "parse_format", "content_hash")},
            "status": {**status, "metadata": metadata},
            "entities": await rag.full_entities.get_by_id(document.doc_id),
            "relations": await rag.full_relations.get_by_id(document.doc_id),
            "entity_chunks": await rag.entity_chunks.get_by_ids(names),
        }
    )


async def test_our_commit_leaves_what_ainsert_leaves(
    rags: RagPool, workspace: PhysicalWorkspace
) -> None:
    async with rags.use(workspace) as ours:
        documents = [await put(ours, "apollo", APOLLO), await put(ours, "einstein", EINSTEIN)]
        stock_name = PhysicalWorkspace(f"{workspace}_s")
        async with rags.use(stock_name) as stock:
            del stock.apipeline_process_enqueue_documents  # give its own pipeline back
            for doc_id, text in (("apollo", APOLLO), ("einstein", EINSTEIN)):
                await stock.ainsert(text, ids=[doc_id], file_paths=[f"{doc_id}.txt"])
            assert await graph(ours) == await graph(stock)
            for document in documents:
                assert await rows_of(ours, document) == await rows_of(stock, document)


async def test_no_extraction_call_happens_in_a_commit(
    rags: RagPool, workspace: PhysicalWorkspace, model: CountingModel
) -> None:
    async with rags.use(workspace) as rag:
        document = await prepare(rag, "apollo", APOLLO)
        before = model.extractions
        assert before == len(document.chunks)
        await commit_document(rag, document)
    assert model.extractions == before


async def test_a_merge_that_wants_to_extract_is_stopped(
    rags: RagPool, workspace: PhysicalWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def extracting_merge(**arguments: Any) -> None:
        call = arguments["global_config"]["role_llm_funcs"]["extract"]
        await call("text", system_prompt="extract entities")

    monkeypatch.setattr("worker.commit.insert.merge_nodes_and_edges", extracting_merge)
    async with rags.use(workspace) as rag:
        document = await prepare(rag, "apollo", APOLLO)
        with pytest.raises(ExtractionInCommitError):
            await _merge(rag, document)


async def test_the_same_text_in_another_document_costs_no_model_call(
    rags: RagPool, workspace: PhysicalWorkspace, model: CountingModel
) -> None:
    async with rags.use(workspace) as rag:
        await put(rag, "first", APOLLO)
        before = model.extractions
        await put(rag, "second", APOLLO)
    assert model.extractions == before


async def test_committing_twice_changes_nothing(
    rags: RagPool, workspace: PhysicalWorkspace
) -> None:
    async with rags.use(workspace) as rag:
        document = await put(rag, "apollo", APOLLO)
        first = await graph(rag)
        await commit_document(rag, document)
        assert await graph(rag) == first


async def test_a_commit_that_stopped_half_way_is_repeated_to_the_same_graph(
    rags: RagPool, workspace: PhysicalWorkspace
) -> None:
    other = PhysicalWorkspace(f"{workspace}_o")
    async with rags.use(workspace) as rag, rags.use(other) as undisturbed:
        for one in (rag, undisturbed):
            await put(one, "einstein", EINSTEIN)
        document = await prepare(rag, "apollo", APOLLO, task="2")
        await rag.doc_status.upsert(
            {"apollo": {**_half_written(document), "status": DocStatus.PROCESSING}}
        )
        await rag.full_docs.upsert({"apollo": {"content": document.text, "file_path": "a"}})
        await rag.text_chunks.upsert(document.chunks)
        await _merge(rag, document)  # and then the process is killed
        await commit_document(rag, document)
        await put(undisturbed, "apollo", APOLLO, task="2")
        assert await graph(rag) == await graph(undisturbed)


def _half_written(document: PreparedDocument) -> dict[str, Any]:
    return {
        "content_summary": "",
        "content_length": 0,
        "chunks_list": list(document.chunks),
        "chunks_count": len(document.chunks),
        "file_path": "a",
        "track_id": document.task_id,
        "created_at": "2026-01-01T00:00:00+00:00",
        "updated_at": "2026-01-01T00:00:00+00:00",
        "metadata": {"kg_write_state": "pre_graph"},
    }


async def test_new_bytes_replace_the_old_ones(rags: RagPool, workspace: PhysicalWorkspace) -> None:
    fresh = PhysicalWorkspace(f"{workspace}_f")
    async with rags.use(workspace) as rag, rags.use(fresh) as never_saw_the_old:
        await put(rag, "note", APOLLO, task="1")
        await put(rag, "note", EINSTEIN, task="2")
        await put(never_saw_the_old, "note", EINSTEIN, task="2")
        assert await graph(rag) == await graph(never_saw_the_old)


async def test_deleting_one_of_two_documents_that_share_a_passage_keeps_the_others_knowledge(
    rags: RagPool, workspace: PhysicalWorkspace
) -> None:
    alone = PhysicalWorkspace(f"{workspace}_a")
    async with rags.use(workspace) as rag, rags.use(alone) as only_second:
        await put(rag, "first", APOLLO)
        await put(rag, "second", APOLLO)
        await put(only_second, "second", APOLLO)
        await delete_document(rag, DocumentId("first"))
        assert unordered(await graph(rag)) == unordered(await graph(only_second))


def unordered(found: dict[str, Any]) -> dict[str, Any]:
    """A rebuild joins an entity's descriptions in the order of the replies, a merge by length."""
    return {
        kind: {
            key: {**row, "description": set(row["description"].split("<SEP>"))}
            for key, row in rows.items()
        }
        for kind, rows in found.items()
    }


async def test_deleting_what_is_not_there_succeeds(
    rags: RagPool, workspace: PhysicalWorkspace
) -> None:
    async with rags.use(workspace) as rag:
        await delete_document(rag, DocumentId("nothing"))


async def test_a_dropped_workspace_is_empty(rags: RagPool, workspace: PhysicalWorkspace) -> None:
    async with rags.use(workspace) as rag:
        await put(rag, "apollo", APOLLO)
        await drop_workspace(rag)
        assert await graph(rag) == {"nodes": {}, "edges": {}}
        assert await rag.full_docs.get_by_id("apollo") is None


async def test_special_tokens_in_a_text_are_ordinary_text(
    rags: RagPool, workspace: PhysicalWorkspace
) -> None:
    text = "Acme Corporation ships <|endoftext|> and <|COMPLETE|> to Berlin. " * 3
    async with rags.use(workspace) as rag:
        document = await put(rag, "odd", text)
    assert "<|endoftext|>" in next(iter(document.chunks.values()))["content"]
