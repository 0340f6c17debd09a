"""What we extract is what LightRAG's own call of its extraction gives."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lightrag import LightRAG
from lightrag.operate import extract_entities

from shared.ids import DocumentId, PhysicalWorkspace
from shared.rag.models import Models
from shared.rag.pool import RagPool
from tests.models import CountingModel
from worker.ingestion.chunking import cut_into_chunks, sanitized
from worker.ingestion.encoding import Chunks
from worker.ingestion.extraction import extract_chunks, extraction_config
from worker.ingestion.replies import MAX_REPLY_CHARACTERS, harmless

SAMPLES = sorted((Path(__file__).parents[3] / "examples").rglob("*.*"))
END = "\n<|COMPLETE|>"


def entity(name: str) -> str:
    return f"entity<|#|>{name}<|#|>person<|#|>A person of note."


def relation(source: str, target: str) -> str:
    return f"relation<|#|>{source}<|#|>{target}<|#|>knows<|#|>They know each other."


ODD_REPLIES = {
    "nothing": "",
    "a refusal": "I cannot help with that.",
    "JSON": '{"entities": [{"name": "Ada"}]}',
    "binary rubbish": "".join(map(chr, range(1, 300))) * 20,
    "a reply that was cut off": entity("Ada") + "\nentity<|#|>Bab",
    "no end": entity("Ada"),
    "a name of 2,000 characters": entity("x" * 2000) + END,
    "a Chinese name of 2,000 characters": entity("清" * 2000) + END,
    "quotes and backticks": entity('`Ada` "the" “first” O\'Drop') + END,
    "zero-width characters": entity("A\u200bd\u200da\ufeff") + END,
    "broken delimiters": "entity<|>Ada<|#|person<|#|>A person.\nrelation<|#|>Ada<|#|>Bob",
    "a relation to itself": relation("Ada", "Ada") + END,
    "a wrong prefix": "entity<|#|>Ada<|#|>Bob<|#|>knows<|#|>They met." + END,
    "thoughts": f"<think>{entity('Eve')}</think>{entity('Ada')}{END}",
}
UNSTORABLE = {
    "NUL": entity("A\x00da") + "\n" + relation("A\x00da", "Bob") + END,
    "lone surrogates": entity("A\ud800da\udfff") + END,
}


class Scripted(CountingModel):
    """Gives one reply to everything, if there is one; otherwise the rules'."""

    def __init__(self) -> None:
        super().__init__()
        self.reply: str | None = None

    async def complete(
        self, prompt: str, system_prompt: str | None = None, **options: object
    ) -> object:
        ruled = await super().complete(prompt, system_prompt, **options)
        return ruled if self.reply is None else self.reply


@pytest.fixture
def model() -> Scripted:
    return Scripted()


@pytest.fixture
def stock(workspace: PhysicalWorkspace) -> PhysicalWorkspace:
    return PhysicalWorkspace(f"{workspace}_s")


def chunks_of(rag: LightRAG, text: str) -> Chunks:
    return cut_into_chunks(rag, sanitized(text), doc_id=DocumentId("d"), file_name="d.txt")


def sample_text() -> str:
    texts = [path.read_text() for path in SAMPLES if path.suffix in {".txt", ".md"}]
    return "\n".join(texts)


async def stock_extraction(rag: LightRAG, chunks: Chunks) -> tuple[list[Any], dict[str, Any]]:
    """Do what LightRAG's pipeline does; answers its results and its chunk rows."""
    await rag.text_chunks.upsert({chunk_id: dict(row) for chunk_id, row in chunks.items()})
    found = await extract_entities(
        chunks,
        global_config=rag._build_global_config(),
        llm_response_cache=rag.llm_response_cache,
        text_chunks_storage=rag.text_chunks,
    )
    rows = await rag.text_chunks.get_by_ids(list(chunks))
    return found, dict(zip(chunks, rows, strict=True))


def without_times(found: Any) -> Any:
    return {
        name: [{k: v for k, v in row.items() if k != "timestamp"} for row in rows]
        for name, rows in found.items()
    }


async def replies_of(rag: LightRAG, keys: list[str]) -> list[Any]:
    rows = await rag.llm_response_cache.get_by_ids(keys)
    return [row and (row["return"], row["chunk_id"], row["cache_type"]) for row in rows]


async def assert_equal(rags: RagPool, names: tuple[PhysicalWorkspace, ...], text: str) -> int:
    async with rags.use(names[0]) as ours, rags.use(names[1]) as stock:
        for rag in (ours, stock):
            rag.entity_extract_max_gleaning = 1
        chunks = chunks_of(ours, text)
        extractions = await extract_chunks(ours, chunks)
        found, rows = await stock_extraction(stock, chunks)
        entities = 0
        for chunk_id, extraction, (nodes, edges) in zip(chunks, extractions, found, strict=True):
            assert without_times(extraction.nodes) == without_times(nodes)
            assert list(extraction.nodes) == list(nodes)
            assert without_times(extraction.edges) == without_times(edges)
            assert extraction.cache_keys == rows[chunk_id]["llm_cache_list"]
            kept = await replies_of(ours, extraction.cache_keys)
            assert kept == await replies_of(stock, extraction.cache_keys)
            entities += len(nodes)
        return entities


async def test_real_text_gives_what_lightrag_extracts(
    rags: RagPool, workspace: PhysicalWorkspace, stock: PhysicalWorkspace
) -> None:
    assert await assert_equal(rags, (workspace, stock), sample_text()) > 100


@pytest.mark.parametrize("reply", ODD_REPLIES.values(), ids=list(ODD_REPLIES))
async def test_odd_replies_give_what_lightrag_makes_of_them(
    rags: RagPool, workspace: PhysicalWorkspace, stock: PhysicalWorkspace, model: Scripted,
    reply: str,
) -> None:  # fmt: skip
    model.reply = reply
    await assert_equal(rags, (workspace, stock), "Ada met Bob.")


@pytest.mark.parametrize("reply", UNSTORABLE.values(), ids=list(UNSTORABLE))
async def test_what_no_store_takes_leaves_the_reply(
    rags: RagPool, workspace: PhysicalWorkspace, model: Scripted, reply: str
) -> None:
    model.reply = reply
    async with rags.use(workspace) as rag:
        (found,) = await extract_chunks(rag, chunks_of(rag, "Ada met Bob."))
        assert list(found.nodes) == ["Ada"]
        for row in await rag.llm_response_cache.get_by_ids(found.cache_keys):
            assert row["return"] == harmless(reply)
            assert "\x00" not in row["return"].encode().decode()  # and it encodes


async def test_a_reply_of_ten_megabytes_is_read_to_a_bound_and_not_kept(
    rags: RagPool, workspace: PhysicalWorkspace, model: Scripted
) -> None:
    line = entity("Ada") + "\n"
    model.reply = line * (10_000_000 // len(line))
    async with rags.use(workspace) as rag:
        (found,) = await extract_chunks(rag, chunks_of(rag, "Ada met Bob."))
    assert found.cache_keys == []
    assert len(found.nodes["Ada"]) == MAX_REPLY_CHARACTERS // len(line)


async def test_ten_megabytes_without_a_line_end_do_no_harm(
    rags: RagPool, workspace: PhysicalWorkspace, model: Scripted
) -> None:
    model.reply = "x" * 10_000_000
    async with rags.use(workspace) as rag:
        (found,) = await extract_chunks(rag, chunks_of(rag, "Ada met Bob."))
    assert (found.nodes, found.edges) == ({}, {})


async def test_our_configuration_has_what_lightrag_reads_of_its_own(
    rags: RagPool, workspace: PhysicalWorkspace
) -> None:
    read: set[str] = set()

    class Recorder(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            read.add(key)
            return super().__getitem__(key)

        def get(self, key: str, default: Any = None) -> Any:
            read.add(key)
            return super().get(key, default)

    async with rags.use(workspace) as rag:
        stock = rag._build_global_config()
        await extract_entities(chunks_of(rag, "Ada met Bob."), global_config=Recorder(stock))
        ours = extraction_config(rag)
        for key in read - {"tokenizer", "role_llm_funcs", "llm_cache_identities"}:
            assert ours[key] == stock[key]
        for key in ("role_llm_funcs", "llm_cache_identities"):
            assert ours[key]["extract"] == stock[key]["extract"]
    assert "entity_extract_max_gleaning" in read


async def test_chunk_vectors_are_those_of_lightrags_vector_storage(
    rags: RagPool, workspace: PhysicalWorkspace
) -> None:
    async with rags.use(workspace) as rag:
        chunks = chunks_of(rag, sample_text())
        assert len(chunks) > rag.embedding_batch_num
        extractions = await extract_chunks(rag, chunks)
        await rag.chunks_vdb.upsert(chunks)
        await rag.chunks_vdb.index_done_callback()
        stored = await rag.chunks_vdb.get_vectors_by_ids(list(chunks))
    for chunk_id, extraction in zip(chunks, extractions, strict=True):
        ours = np.frombuffer(extraction.vector, "<f4")
        # Nano keeps half precision of the normalised vector.
        assert np.allclose(ours, np.array(stored[chunk_id], np.float32), atol=1e-3)


async def test_a_reply_outlives_the_failure_of_the_next_one(
    rags: RagPool, workspace: PhysicalWorkspace, model: Scripted
) -> None:
    async with rags.use(workspace) as rag:
        rag.entity_extract_max_gleaning = 1
        chunks = chunks_of(rag, "Ada Lovelace met Charles Babbage.")

        async def fail_second(*prompts: Any, **options: Any) -> Any:
            if options.get("history_messages"):
                raise LookupError
            return await model.complete(*prompts, **options)

        rag._role_llm_states["extract"].wrapped = fail_second
        with pytest.raises(Exception, match="d-chunk-000"):
            await extract_chunks(rag, chunks)
        rag._role_llm_states["extract"].wrapped = model.complete
        asked = model.extractions
        await extract_chunks(rag, chunks)
    assert model.extractions == asked + 1  # only the second question


async def test_the_prompt_is_not_kept_with_the_reply(
    rags: RagPool, workspace: PhysicalWorkspace, models: Models
) -> None:
    async with rags.use(workspace) as rag:
        (found,) = await extract_chunks(rag, chunks_of(rag, "Ada met Bob."))
        (row,) = await rag.llm_response_cache.get_by_ids(found.cache_keys)
    assert row["original_prompt"] == ""
