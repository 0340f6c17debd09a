"""Two documents with the same passage: removing one keeps what the other says."""

import pytest

from shared.ledger.records import TaskState
from tests.integration.engine.disturbed import FIRST
from tests.integration.engine.steps import (
    committed,
    held,
    opened,
    request_delete,
    summarise_often,
    twin,
)
from tests.integration.worker.fleet import Fleet

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSAGE = "Niels Bohr met Albert Einstein in Copenhagen. Niels Bohr founded an institute. "
DOCUMENTS = {"one": PASSAGE, "two": PASSAGE, **FIRST}


async def own_replies(fleet: Fleet, doc_id: str) -> list[str]:
    """Keys of the cached replies that belong to the chunks of a document."""
    async with opened(fleet) as rag:
        chunks = await rag.text_chunks.get_by_ids([f"{doc_id}-chunk-000"])
        return [key for chunk in chunks if chunk for key in chunk["llm_cache_list"]]


async def cached(fleet: Fleet, keys: list[str]) -> list[str]:
    async with opened(fleet) as rag:
        rows = await rag.llm_response_cache.get_by_ids(keys)
    return [key for key, row in zip(keys, rows, strict=True) if row]


@pytest.mark.parametrize(("removed", "kept"), [("one", "two"), ("two", "one")])
async def test_what_two_documents_say_stays_when_one_goes(
    guest: Fleet, removed: str, kept: str
) -> None:
    await summarise_often(guest)
    await committed(guest, DOCUMENTS)
    gone, staying = await own_replies(guest, removed), await own_replies(guest, kept)
    assert gone
    assert not set(gone) & set(staying)
    task = await request_delete(guest, removed)
    await guest.commit()
    assert await guest.state(task) is TaskState.SUCCEEDED
    assert await cached(guest, gone) == []
    assert await cached(guest, staying) == staying

    rest = {doc_id: text for doc_id, text in DOCUMENTS.items() if doc_id != removed}
    found, expected = await held(guest, rest), await twin(guest, rest, often=True)
    assert found.as_sets() == expected.as_sets()
    for name in ("Niels Bohr", "Copenhagen"):
        assert "Niels Bohr met Albert Einstein" in found.nodes[name]["description"], name
