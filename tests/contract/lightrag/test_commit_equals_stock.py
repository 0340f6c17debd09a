"""What we write is what LightRAG's own pipeline writes; an upgrade that changes it fails here."""

from typing import Any

import pytest
from lightrag import LightRAG

from shared.errors import ModelUnavailableError
from shared.ids import PhysicalWorkspace
from shared.rag.pool import RagPool
from tests.contract.lightrag.committing import (
    APOLLO,
    EINSTEIN,
    apply,
    commit,
    graph,
    merged,
    prepare,
    put,
    without_times,
)
from tests.models import CountingModel
from worker.commit.prepared import PreparedDocument
from worker.commit.summaries import ExtractionInCommitError


async def rows_of(rag: LightRAG, document: PreparedDocument) -> dict[str, Any]:
    names = sorted(await rag.get_graph_labels())
    status = await rag.doc_status.get_by_id(document.doc_id)
    assert status is not None
    metadata = {"kg_write_state": status["metadata"]["kg_write_state"]}
    full = await rag.full_docs.get_by_id(document.doc_id)
    assert full is not None
    chunks: list[Any] = await rag.text_chunks.get_by_ids(list(document.chunks))
    for chunk_id, chunk in zip(document.chunks, chunks, strict=True):
        # Ours have replies of their own.
        chunk["llm_cache_list"] = [
            key.removesuffix(f":{chunk_id}") for key in chunk["llm_cache_list"]
        ]
    return without_times(
        {
            "chunks": chunks,
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
        pieces = [await put(ours, "apollo", APOLLO), await put(ours, "einstein", EINSTEIN)]
        stock_name = PhysicalWorkspace(f"{workspace}_s")
        async with rags.use(stock_name) as stock:
            del stock.apipeline_process_enqueue_documents  # give its own pipeline back
            for doc_id, text in (("apollo", APOLLO), ("einstein", EINSTEIN)):
                await stock.ainsert(text, ids=[doc_id], file_paths=[f"{doc_id}.txt"])
            assert await graph(ours) == await graph(stock)
            for piece in pieces:
                assert await rows_of(ours, piece.document) == await rows_of(stock, piece.document)


async def test_a_group_has_the_entities_and_relations_of_its_documents(
    rags: RagPool, workspace: PhysicalWorkspace
) -> None:
    other = PhysicalWorkspace(f"{workspace}_o")
    async with rags.use(workspace) as together, rags.use(other) as apart:
        pieces = [await prepare(together, "apollo", APOLLO),
                  await prepare(together, "einstein", EINSTEIN)]  # fmt: skip
        await commit(together, *pieces)
        await put(apart, "apollo", APOLLO)
        await put(apart, "einstein", EINSTEIN)
        ours, theirs = await graph(together), await graph(apart)
        assert ours["nodes"].keys() == theirs["nodes"].keys()
        assert ours["edges"].keys() == theirs["edges"].keys()
        for piece in pieces:
            assert await rows_of(together, piece.document) == await rows_of(apart, piece.document)


async def test_slices_add_up_to_the_document(rags: RagPool, workspace: PhysicalWorkspace) -> None:
    other = PhysicalWorkspace(f"{workspace}_o")
    text = "".join(f"{EINSTEIN} Room {number} is in Building {number}. " for number in range(12))
    async with rags.use(workspace) as sliced, rags.use(other) as whole:
        piece = await prepare(sliced, "large", text)
        assert piece.stop > 2
        for start in range(piece.stop):
            part = type(piece)(piece.document, start, piece.stop).shortened(1)
            await commit(sliced, part)
            status = await sliced.doc_status.get_by_id("large")
            assert status is not None
            assert status["status"] == ("processed" if part.is_last else "processing")
        await put(whole, "large", text)
        ours, theirs = await graph(sliced), await graph(whole)
        assert ours["nodes"].keys() == theirs["nodes"].keys()
        weights = [{k: e["weight"] for k, e in found["edges"].items()} for found in (ours, theirs)]
        assert weights[0] == weights[1]
        assert await rows_of(sliced, piece.document) == await rows_of(whole, piece.document)


async def test_no_extraction_call_happens_in_a_commit(
    rags: RagPool, workspace: PhysicalWorkspace, model: CountingModel
) -> None:
    async with rags.use(workspace) as rag:
        piece = await prepare(rag, "apollo", APOLLO)
        before = model.extractions
        assert before == len(piece.chunks)
        await commit(rag, piece)
    assert model.extractions == before


async def test_a_merge_that_wants_to_extract_is_stopped(
    rags: RagPool, workspace: PhysicalWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def extracting_merge(**arguments: Any) -> None:
        call = arguments["global_config"]["role_llm_funcs"]["extract"]
        await call("text", system_prompt="extract entities")

    monkeypatch.setattr("worker.commit.merge.merge_nodes_and_edges", extracting_merge)
    async with rags.use(workspace) as rag:
        piece = await prepare(rag, "apollo", APOLLO)
        with pytest.raises(ExtractionInCommitError):
            await merged(rag, piece)


async def test_merging_changes_no_store(rags: RagPool, workspace: PhysicalWorkspace) -> None:
    async with rags.use(workspace) as rag:
        piece = await put(rag, "apollo", APOLLO)
        before = await graph(rag), await rows_of(rag, piece.document)
        await merged(rag, await prepare(rag, "einstein", EINSTEIN), gone=["apollo"])
        assert (await graph(rag), await rows_of(rag, piece.document)) == before


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
        piece = await put(rag, "apollo", APOLLO)
        first = await graph(rag)
        await commit(rag, piece)
        assert await graph(rag) == first


async def test_a_journal_that_was_applied_in_part_is_applied_again_to_the_same_graph(
    rags: RagPool, workspace: PhysicalWorkspace
) -> None:
    other = PhysicalWorkspace(f"{workspace}_o")
    async with rags.use(workspace) as rag, rags.use(other) as undisturbed:
        for one in (rag, undisturbed):
            await put(one, "einstein", EINSTEIN)
        piece = await prepare(rag, "apollo", APOLLO, task="2")
        operations = await merged(rag, piece)
        for count in range(len(operations) + 1):  # killed after each
            await apply(rag, operations[:count])
        await apply(rag, operations)
        await put(undisturbed, "apollo", APOLLO, task="2")
        assert await graph(rag) == await graph(undisturbed)
        assert await rows_of(rag, piece.document) == await rows_of(undisturbed, piece.document)


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
        await commit(rag, gone=["first"])
        assert unordered(await graph(rag)) == unordered(await graph(only_second))


async def test_a_reply_that_is_no_chunks_own_stays_when_a_document_that_names_it_goes(
    rags: RagPool, workspace: PhysicalWorkspace
) -> None:
    async with rags.use(workspace) as rag:
        piece = await put(rag, "apollo", APOLLO)
        chunk_id, shared = next(iter(piece.chunks)), piece.extractions[0].cache_keys
        row: Any = await rag.text_chunks.get_by_id(chunk_id)
        await rag.text_chunks.upsert({chunk_id: {**row, "llm_cache_list": shared}})
        await commit(rag, gone=["apollo"])
        assert all(await rag.llm_response_cache.get_by_ids(shared))


def unordered(found: dict[str, Any]) -> dict[str, Any]:
    """A rebuild joins an entity's descriptions in the order of the replies, a merge by length."""
    return {
        kind: {
            key: {**row, "description": set(row["description"].split("<SEP>"))}
            for key, row in rows.items()
        }
        for kind, rows in found.items()
    }


async def test_a_deletion_that_cannot_ask_the_model_changes_nothing_and_says_so(
    rags: RagPool, workspace: PhysicalWorkspace, model: CountingModel
) -> None:
    async with rags.use(workspace) as rag:
        rag.force_llm_summary_on_merge = 2  # a rebuilt entity needs a summary
        for number in range(4):
            await put(rag, f"doc{number}", f"{EINSTEIN} Berlin honours Albert Einstein {number}.")
        before = await graph(rag)
        await rag.llm_response_cache.drop()
        model.outage = ModelUnavailableError()
        with pytest.raises(Exception, match=r"reachable|removed cleanly|removal"):
            await merged(rag, gone=["doc0"])
        assert await graph(rag) == before


async def test_deleting_what_is_not_there_succeeds(
    rags: RagPool, workspace: PhysicalWorkspace
) -> None:
    async with rags.use(workspace) as rag:
        assert await merged(rag, gone=["nothing"]) == []


async def test_special_tokens_in_a_text_are_ordinary_text(
    rags: RagPool, workspace: PhysicalWorkspace
) -> None:
    text = "Acme Corporation ships <|endoftext|> and <|COMPLETE|> to Berlin. " * 3
    async with rags.use(workspace) as rag:
        piece = await put(rag, "odd", text)
    assert "<|endoftext|>" in next(iter(piece.chunks.values()))["content"]
